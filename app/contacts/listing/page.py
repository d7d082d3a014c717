"""Keyset pages: each starts where the previous one ended, and costs the same anywhere in a list.

If an index leads to few candidates for the condition, the page is made of these. Otherwise one
statement walks along the index of the order, for at most WALK contacts. The page then ends with
the contacts found so far, and the next one continues there. A search that fills the page within
the contacts of four pages walks as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Boolean, Integer, Uuid
from sqlalchemy.types import TypeEngine

from app.contacts.limits import COUNT_LIMIT
from app.contacts.listing.candidates import candidates, searches_text
from app.contacts.listing.conditions import EVERY, Condition, conjuncts
from app.contacts.listing.order import (
    OLDEST_FIRST,
    Order,
    OrderField,
    Position,
    Window,
    across,
    along,
    compares_values,
    stretches,
    within,
)
from app.contacts.listing.predicates import predicate
from app.contacts.listing.row_columns import OF_TABLE, RowColumns
from app.contacts.store.columns import ALL_NAMES, STATEMENTS, names_to_read, read_types
from app.database import words
from app.database.composed import Composition
from app.database.dialect import Dialect
from app.database.json_bytes import JsonBytes
from app.database.sessions import Database, InWorkspace, WorkspaceSession
from app.tables import Contact

# The contacts that one page examines.
WALK = 8_000

# What a selection of many contacts needs of each: for its position and the answer of a deletion.
_SELECTED = frozenset({"id", "external_ids", "created_at"})

_OF_WORKSPACE = "contact.workspace_id = :workspace_id"
_BOOLEAN, _INTEGER, _UUID = Boolean(), Integer(), Uuid()

Types = Mapping[str, TypeEngine[Any]]


@dataclass(frozen=True, slots=True)
class Page:
    contacts: Sequence[Contact]
    has_more: bool  # in the direction of travel
    stopped_at: Position | None = None  # where a walk ended before the page was full


@dataclass(frozen=True, slots=True)
class Count:
    total: int
    is_exact: bool


async def read_page(
    database: Database,
    tenant: InWorkspace,
    order: Order,
    window: Window,
    condition: Condition,
    names: frozenset[str],
) -> Page:
    """The page of those that meet the condition. A contact has the attributes `names`, and may
    have others. A page of the whole list takes one statement, without a session."""
    if any(True for _ in conjuncts(condition)):
        async with database.read(tenant) as session:
            return await page(session, order, window, condition, names)
    sql, read = Composition(database.dialect), _read(database.dialect, order.field, names)
    statement = sql.prepared(_walk(sql, read, order, window, condition, WALK), read.types)
    workspace_id = tenant.workspace_id
    rows = await database.fetch(statement, workspace_id=workspace_id, **sql.values)
    return _page_of(order, window, rows)


async def page(
    session: WorkspaceSession,
    order: Order,
    window: Window,
    condition: Condition = EVERY,
    names: frozenset[str] = ALL_NAMES,
) -> Page:
    sql, read = Composition(session.dialect), _read(session.dialect, order.field, names)
    fills = "false"
    if any(map(searches_text, conjuncts(condition))):
        # A text that many have fills the page within the contacts of a few. PostgreSQL would read
        # all that its index has of the text before it counts the first of them.
        start = _walk(sql, read, order, window, condition, 4 * (window.size + 1))
        size = sql.value(window.size)
        fills = f"(SELECT count(*) FROM ({start}) AS start WHERE NOT is_end) > {size}"
    found = await candidates(session, sql, condition, unless=fills)
    if found is None:
        text = _walk(sql, read, order, window, condition, WALK)
    elif found.most == 0:
        return Page([], has_more=False)
    else:
        text = _among(sql, read, found.ids, order, window, condition)
    rows = await session.fetch(sql.prepared(text, read.types), **sql.values)
    return _page_of(order, window, rows)


async def full_page(
    session: WorkspaceSession, order: Order, window: Window, condition: Condition
) -> Page:
    """A forward page that does not end early, however many contacts it examines. The contacts have
    no other attributes than _SELECTED."""
    contacts: list[Contact] = []
    while True:
        found = await page(session, order, window, condition, _SELECTED)
        contacts += found.contacts
        size = window.size - len(found.contacts)
        if found.stopped_at is None or not size:
            return Page(contacts, found.has_more)
        window = replace(window, size=size, after=found.stopped_at)


def _page_of(order: Order, window: Window, rows: Iterable[dict[str, Any]]) -> Page:
    """Each row has columns of a contact, and `is_end`, which stays beside them."""
    contacts: list[Contact] = []
    stopped_at = None
    for row in rows:
        contact = Contact.of(row)
        if row["is_end"]:
            stopped_at = Position.of(contact, order)
            break
        contacts.append(contact)
    has_more = len(contacts) > window.size or stopped_at is not None
    del contacts[window.size :]
    if window.backward:
        contacts.reverse()
    return Page(contacts, has_more, stopped_at)


class _Read(NamedTuple):
    """What a page reads of each contact: the types by name, with `is_end`, and the SQL of all but
    that, on the rows of `held` with the columns `used`."""

    types: Types
    text: str
    used: Mapping[str, str]


@lru_cache(maxsize=STATEMENTS)
def _read(dialect: Dialect, ordered_by: OrderField, names: frozenset[str]) -> _Read:
    """The cursors of the page need what it is ordered by."""
    field = "name" if ordered_by is OrderField.NAME else ordered_by.value
    types = read_types(names_to_read({names | {field}}), for_answer=True)
    columns = RowColumns()
    read = {name: columns[name] for name in types}
    for name, kind in types.items():
        if isinstance(kind, JsonBytes):
            read[name] = dialect.word(words.JSON_BYTES, read[name])
    return _Read({**types, "is_end": _BOOLEAN}, words.named(read), columns.used)


def _contacts(sql: Composition, wanted: str, contact_id: str, columns: RowColumns) -> str:
    """A SELECT of the contacts with the ids that are wanted, each read by its id."""
    on = f"{_OF_WORKSPACE} AND contact.id = {contact_id}"
    return sql.dialect.look_up(wanted, "contact", columns.used, on, 1)


def _among(
    sql: Composition, read: _Read, ids: str, order: Order, window: Window, condition: Condition
) -> str:
    columns = RowColumns(read.used)
    met = f"{within(sql, order, window, columns)} AND {predicate(sql, condition, columns)}"
    sorted_by = across(order, window, columns)
    contacts = _contacts(sql, f"({ids}) AS wanted", "wanted.id", columns)
    size = sql.value(window.size + 1)
    return (
        f"SELECT {read.text}, false AS is_end FROM ({contacts}) AS held WHERE {met} "
        f"ORDER BY {sorted_by} LIMIT {size}"
    )


def _walk(
    sql: Composition,
    read: _Read,
    order: Order,
    window: Window,
    condition: Condition,
    length: int,
) -> str:
    """Walks along the index of the order.

    Each stretch returns the contacts that meet the condition and, if it is longer than the walk,
    the contact at which the walk ends. The database stops when it has found enough.
    """
    conditions = list(conjuncts(condition))
    compared = [one for one in conditions if compares_values(one, order)]
    others = [one for one in conditions if one not in compared]
    columns = RowColumns(read.used)
    met = " AND ".join(predicate(sql, one, columns) for one in others)
    size = sql.value(window.size + 1)
    contacts = f"SELECT {words.named(columns.used)} FROM contact WHERE "
    sorted_by = along(order, window, OF_TABLE)
    parts = []
    for bounds in stretches(sql, order, window, compared, OF_TABLE):
        ordered = f"{contacts}{' AND '.join([_OF_WORKSPACE, *bounds])} ORDER BY {sorted_by}"
        if not others:
            parts.append(f"{read.text}, false AS is_end FROM ({ordered} LIMIT {size}) AS held")
            continue
        walked, last = f"{ordered} LIMIT {length}", f"{ordered} LIMIT 1 OFFSET {length - 1}"
        parts.append(f"{read.text}, false AS is_end FROM ({walked}) AS held WHERE {met}")
        parts.append(f"{read.text}, true AS is_end FROM ({last}) AS held")
    if not parts:
        parts = [f"{read.text}, false AS is_end FROM ({contacts}{_OF_WORKSPACE} LIMIT 0) AS held"]
    return f"SELECT {' UNION ALL SELECT '.join(parts)} LIMIT {size}"


async def count(session: WorkspaceSession, condition: Condition = EVERY) -> Count:
    """Counts among the oldest COUNT_LIMIT contacts, unless an index leads to few candidates."""
    sql, columns = Composition(session.dialect), RowColumns()
    met = predicate(sql, condition, columns)
    found = await candidates(session, sql, condition)
    if found is not None:
        contacts = _contacts(sql, f"({found.ids}) AS wanted", "wanted.id", columns)
        text = f"SELECT count(*) AS total FROM ({contacts}) AS held WHERE {met}"
        [row] = await session.fetch(sql.prepared(text, {"total": _INTEGER}), **sql.values)
        return Count(row["total"], is_exact=True)
    sorted_by = along(OLDEST_FIRST, Window(size=0), OF_TABLE)
    walked = f"SELECT {words.named(columns.used)} FROM contact WHERE {_OF_WORKSPACE}"
    walked += f" ORDER BY {sorted_by} LIMIT {COUNT_LIMIT + 1}"
    total = f"coalesce(sum(CASE WHEN {met} THEN 1 ELSE 0 END), 0)"
    text = f"SELECT count(*) AS looked_at, {total} AS total FROM ({walked}) AS held"
    counted = sql.prepared(text, {"looked_at": _INTEGER, "total": _INTEGER})
    [row] = await session.fetch(counted, **sql.values)
    return Count(min(row["total"], COUNT_LIMIT), is_exact=row["looked_at"] <= COUNT_LIMIT)


async def meeting(
    session: WorkspaceSession, ids: Sequence[UUID], condition: Condition
) -> set[UUID]:
    """Those of the given contacts that meet the condition."""
    if not ids:
        return set()
    sql, columns = Composition(session.dialect), RowColumns()
    met = predicate(sql, condition, columns)
    contacts = _contacts(sql, sql.table(ids), "given.value", columns)
    text = f"SELECT held.id AS id FROM ({contacts}) AS held WHERE {met}"
    found = await session.fetch(sql.prepared(text, {"id": _UUID}), **sql.values)
    return {row["id"] for row in found}
