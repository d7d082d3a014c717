"""Finds contacts by their keys, in one statement for any number of keys.

The plan does not depend on statistics: each key is looked up by the primary key of
`contact_identifier`, and each contact by that of `contact`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Integer, Uuid, bindparam, column, text
from sqlalchemy.types import TypeEngine

from app.contacts.decision.working_set import WorkingSet
from app.contacts.keys import ContactKey, MatchedBy
from app.contacts.store.columns import (
    ALL_NAMES,
    COLUMNS,
    NAMES,
    STATEMENTS,
    names_to_read,
    read_types,
)
from app.database import words
from app.database.dialect import Dialect, RowLock
from app.database.errors import LostRace
from app.database.json_bytes import JsonBytes
from app.database.prepared import Prepared
from app.database.sessions import Database, InWorkspace, WorkspaceSession
from app.database.writes import Row
from app.errors import LimitExceeded
from app.tables import Contact

# Of JSON and notes, in all contacts that one statement finds for a change. No contact has 1 MiB.
STORED_LIMIT = 8 * 1024 * 1024
_LONGEST = 1024 * 1024
_RULE = (
    f"The stored contacts that one mutation changes must have at most {STORED_LIMIT:,} characters "
    "of JSON and notes: send fewer rows"
)

_BY_KEY = """
SELECT * FROM (
    SELECT found.is_identifier, sum({characters}) OVER (ROWS UNBOUNDED PRECEDING) AS total,
        {columns}
    FROM (
        SELECT coalesce(contact_identifier.contact_id, wanted.id) AS id,
            max(CASE WHEN contact_identifier.contact_id IS NULL THEN 0 ELSE 1 END) AS is_identifier
        FROM {wanted} {identifier}
        GROUP BY 1 ORDER BY 1
    ) AS found {contact}
) AS held WHERE total <= :limit
"""
_EACH_KEY = """
SELECT found.position, {columns}
FROM (
    SELECT wanted.position, coalesce(contact_identifier.contact_id, wanted.id) AS id
    FROM {wanted} {identifier}
) AS found {contact}
"""
_WANTED = {"kind": "text", "source": "text", "value": "text", "id": "uuid"}
_IS_IDENTIFIER = " AND ".join(
    ["contact_identifier.workspace_id = :workspace_id"]
    + [f"contact_identifier.{name} = wanted.{name}" for name in ("kind", "source", "value")]
)
_IS_CONTACT = "contact.workspace_id = :workspace_id AND contact.id = found.id"


@lru_cache(maxsize=8)
def _by_key(dialect: Dialect, lock: RowLock) -> Prepared:
    """One row for each contact, and one for each identifier without a contact. `total` has the
    characters of the long columns up to this row; rows behind `:limit` of them are left out."""
    columns = read_types(COLUMNS, for_answer=False)
    return _prepared(dialect, _BY_KEY, ["is_identifier", "total"], _WANTED, lock, columns)


@lru_cache(maxsize=STATEMENTS)
def _each_key(dialect: Dialect, names: tuple[str, ...]) -> Prepared:
    """One row for each key, in no order: its `position`, and those columns of its contact."""
    wanted = {"position": "integer", **_WANTED}
    columns = read_types(names, for_answer=True)
    return _prepared(dialect, _EACH_KEY, ["position"], wanted, RowLock.NONE, columns)


def _prepared(
    dialect: Dialect,
    sql: str,
    first: Sequence[str],
    wanted: dict[str, str],
    lock: RowLock,
    columns: Mapping[str, TypeEngine[Any]],
) -> Prepared:
    sql = sql.format(
        columns=", ".join(
            f"{_selected(dialect, name, kind)} AS {name}" for name, kind in columns.items()
        ),
        characters=f"coalesce({' + '.join(_lengths(columns))}, 0)",
        wanted=dialect.given("wanted", wanted),
        identifier=dialect.each("contact_identifier", ["contact_id"], _IS_IDENTIFIER),
        contact=dialect.each(
            "contact", [f"contact.{NAMES[name]}" for name in columns], _IS_CONTACT, lock
        ),
    )
    statement = text(sql).bindparams(bindparam("workspace_id", type_=Uuid))
    named = (column(name, kind) for name, kind in columns.items())
    return dialect.prepare(statement.columns(*(column(name, Integer) for name in first), *named))


def _lengths(columns: Mapping[str, TypeEngine[Any]]) -> Iterator[str]:
    """Of what may be long: JSON and notes."""
    for name, kind in columns.items():
        if isinstance(kind, JsonBytes):
            yield f"length(CAST(contact.{NAMES[name]} AS TEXT))"
    yield "coalesce(length(contact.notes), 0)"


def _selected(dialect: Dialect, name: str, kind: TypeEngine[Any]) -> str:
    selected = f"contact.{NAMES[name]}"
    return dialect.word(words.JSON_BYTES, selected) if isinstance(kind, JsonBytes) else selected


async def find(
    session: WorkspaceSession, keys: Iterable[ContactKey], lock: RowLock = RowLock.NONE
) -> WorkingSet:
    """Returns the contacts of the keys. Locks are taken in the order of the contacts' ids.

    Raises LostRace if a contact was merged away while this call waited for its row lock.
    """
    wanted = set(keys)
    working_set = WorkingSet(await _find(session, wanted, lock))
    if lock is not RowLock.NONE:
        missing = {key for key in wanted if key.kind is MatchedBy.ID and not working_set.get(key)}
        if missing and await _find(session, missing, RowLock.NONE):
            raise LostRace
    return working_set


async def _find(
    session: WorkspaceSession, keys: Iterable[ContactKey], lock: RowLock
) -> list[Contact]:
    rows = [_wanted(key) for key in keys]
    if not rows:
        return []
    parameter = session.dialect.parameter(rows)
    contacts = []
    statement, limit = _by_key(session.dialect, lock), STORED_LIMIT + _LONGEST
    for row in await session.fetch(statement, wanted=parameter, limit=limit):
        if row.pop("total") > STORED_LIMIT:
            raise LimitExceeded(_RULE, "STORED_CHARACTERS", STORED_LIMIT)
        is_identifier = row.pop("is_identifier")
        if row["id"] is not None:
            contacts.append(Contact.of(row))
        elif is_identifier and lock is not RowLock.NONE:
            raise LostRace
    return contacts


class _LookUp(NamedTuple):
    tenant: InWorkspace
    keys: Sequence[ContactKey]
    names: frozenset[str]


async def find_each(
    database: Database,
    tenant: InWorkspace,
    keys: Sequence[ContactKey],
    names: frozenset[str] = ALL_NAMES,
) -> list[Contact | None]:
    """Returns the contact of each key. Concurrent calls of a workspace share one statement.

    They are for answers: a contact has the attributes `names`, and may have others, and its JSON
    may be an `orjson.Fragment`.
    """
    if not keys:
        return []
    return await database.share(_find_for_all, tenant, _LookUp(tenant, keys, names))


async def _find_for_all(database: Database, calls: Sequence[_LookUp]) -> list[list[Contact | None]]:
    positions: dict[ContactKey, int] = {}
    for call in calls:
        for key in call.keys:
            positions.setdefault(key, len(positions))
    names = names_to_read({call.names for call in calls})
    rows = [{"position": position, **_wanted(key)} for key, position in positions.items()]
    contacts: list[Contact | None] = [None] * len(rows)
    for row in await database.fetch(
        _each_key(database.dialect, names),
        workspace_id=calls[0].tenant.workspace_id,
        wanted=database.dialect.parameter(rows),
    ):
        position = row.pop("position")
        if row["id"] is not None:
            contacts[position] = Contact.of(row)
    return [[contacts[positions[key]] for key in call.keys] for call in calls]


def _wanted(key: ContactKey) -> Row:
    return {
        "kind": key.kind.value,
        "source": key.source,
        "value": key.value,
        "id": key.value if key.kind is MatchedBy.ID else None,
    }
