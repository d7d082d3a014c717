"""Keyset pages: each starts where the previous one ended, and costs the same anywhere in a list.

If an index leads to few candidates for the condition, the page is made of these. Otherwise one
statement walks along the index of the order, for at most WALK contacts. The page then ends with
the contacts found so far, and the next one continues there.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    case,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import col

from app.contacts.limits import COUNT_LIMIT
from app.contacts.listing.candidates import candidates
from app.contacts.listing.conditions import EVERY, Condition, conjuncts
from app.contacts.listing.order import (
    OLDEST_FIRST,
    Order,
    Position,
    Window,
    across,
    along,
    compares_values,
    stretches,
    within,
)
from app.contacts.listing.predicates import predicate
from app.contacts.listing.row_columns import RowColumns
from app.contacts.store.columns import NAMES, read_types
from app.database import words
from app.database.dialect import Dialect
from app.database.json_bytes import JsonBytes
from app.database.sessions import WorkspaceSession
from app.tables import CONTACT, Contact, ContactTable

# The contacts that one page examines.
WALK = 10_000

# What a selection of many contacts needs of each: for its position and the answer of a deletion.
_SELECTED = ("id", "external_ids", "created_at")


@dataclass(frozen=True, slots=True)
class Page:
    contacts: Sequence[Contact]
    has_more: bool  # in the direction of travel
    stopped_at: Position | None = None  # where a walk ended before the page was full


@dataclass(frozen=True, slots=True)
class Count:
    total: int
    is_exact: bool


async def page(
    session: WorkspaceSession,
    order: Order,
    window: Window,
    condition: Condition = EVERY,
    names: Collection[str] = NAMES,
) -> Page:
    found = await candidates(session, condition)
    statement: Any
    if found is None:
        statement = walk(order, window, condition, names)
    elif found.most == 0:
        return Page([], has_more=False)
    else:
        statement = _among(session.dialect, found.ids, order, window, condition, names)
    rows = await session.exec(statement)
    keys = list(map(str, rows.keys()))  # a subclass of str would slow the attributes of contacts
    return page_of(order, window, (dict(zip(keys, row, strict=True)) for row in rows))


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


def page_of(order: Order, window: Window, rows: Iterable[dict[str, Any]]) -> Page:
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


def _contacts(dialect: Dialect, wanted: FromClause, columns: RowColumns) -> FromClause:
    """Each read by its id."""
    is_wanted = col(ContactTable.id) == wanted.c[0]
    return columns.of(dialect.look_up(wanted, columns.used, [is_wanted], 1))


def _among(
    dialect: Dialect,
    wanted: FromClause,
    order: Order,
    window: Window,
    condition: Condition,
    names: Collection[str],
) -> Select[Any]:
    columns = RowColumns()
    rows = _rows(columns, names, is_end=False)
    met = rows.where(within(order, window, columns), predicate(condition, columns))
    sorted_ = met.order_by(*across(order, window, columns)).limit(window.size + 1)
    return sorted_.select_from(_contacts(dialect, wanted, columns))


def walk(
    order: Order, window: Window, condition: Condition = EVERY, names: Collection[str] = NAMES
) -> CompoundSelect[Any]:
    """Walks along the index of the order.

    Each stretch returns the contacts that meet the condition and, if it is longer than the walk,
    the contact at which the walk ends. The database stops when it has found enough.
    """
    conditions = list(conjuncts(condition))
    compared = [one for one in conditions if compares_values(one, order)]
    others = [one for one in conditions if one not in compared]
    columns = RowColumns()
    rows, end = (_rows(columns, names, is_end=is_end) for is_end in (False, True))
    met = rows.where(*(predicate(one, columns) for one in others))
    parts: list[Select[Any]] = []
    for bounds in stretches(order, window, compared, CONTACT.c):
        ordered = select(*columns.used).where(*bounds).order_by(*along(order, window, CONTACT.c))
        walked = ordered.limit(WALK if others else window.size + 1)
        parts.append(met.select_from(columns.of(walked)))
        if others:
            parts.append(end.select_from(columns.of(ordered.offset(WALK - 1).limit(1))))
    if not parts:
        parts = [rows.select_from(columns.of(select(*columns.used).limit(0)))]
    return union_all(*parts).limit(window.size + 1)


def _rows(columns: RowColumns, names: Collection[str], *, is_end: bool) -> Select[Any]:
    read = (
        _read_as(kind, columns[name]).label(name)
        for name, kind in read_types(names, for_answer=True).items()
    )
    return select(*read, literal(is_end).label("is_end"))


def _read_as(kind: TypeEngine[Any], column: ColumnElement[Any]) -> ColumnElement[Any]:
    return type_coerce(words.json_bytes(column), kind) if isinstance(kind, JsonBytes) else column


async def count(session: WorkspaceSession, condition: Condition = EVERY) -> Count:
    """Counts among the oldest COUNT_LIMIT contacts, unless an index leads to few candidates."""
    columns = RowColumns()
    met = predicate(condition, columns)
    found = await candidates(session, condition)
    if found is not None:
        rows = _contacts(session.dialect, found.ids, columns)
        counted: Any = select(func.count()).select_from(rows)
        return Count((await session.exec(counted.where(met))).scalar_one(), is_exact=True)
    read: Any = select(*columns.used).order_by(*along(OLDEST_FIRST, Window(size=0), CONTACT.c))
    statement: Any = select(func.count(), func.coalesce(func.sum(case((met, 1), else_=0)), 0))
    walked = columns.of(read.limit(COUNT_LIMIT + 1))
    looked_at, total = (await session.exec(statement.select_from(walked))).one()
    return Count(min(total, COUNT_LIMIT), is_exact=looked_at <= COUNT_LIMIT)


async def meeting(
    session: WorkspaceSession, ids: Sequence[UUID], condition: Condition
) -> set[UUID]:
    """Those of the given contacts that meet the condition."""
    if not ids:
        return set()
    columns = RowColumns()
    met: Any = select(columns["id"]).where(predicate(condition, columns))
    wanted = session.dialect.values(ids)
    found = met.select_from(_contacts(session.dialect, wanted, columns))
    return set((await session.exec(found)).scalars())
