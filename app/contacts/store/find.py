"""Finds contacts by their keys, in one statement for any number of keys.

The plan does not depend on statistics: each key is looked up by the primary key of
`contact_identifier`, and each contact by that of `contact`.
"""

from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, column, text
from sqlalchemy.sql.expression import TextualSelect

from app.contacts.decision.working_set import WorkingSet
from app.contacts.keys import ContactKey, MatchedBy
from app.contacts.store.columns import COLUMNS, record
from app.database.dialect import Dialect
from app.database.errors import LostRace
from app.database.sessions import WorkspaceSession
from app.tables import Contact

_BY_KEY = """
SELECT found.is_identifier, {columns}
FROM (
    SELECT coalesce(contact_identifier.contact_id, wanted.id) AS id,
        max(CASE WHEN contact_identifier.contact_id IS NULL THEN 0 ELSE 1 END) AS is_identifier
    FROM {wanted} {identifier}
    GROUP BY 1 ORDER BY 1
) AS found {contact}
"""
_WANTED = {"kind": "text", "source": "text", "value": "text", "id": "uuid"}
_IS_IDENTIFIER = " AND ".join(
    ["contact_identifier.workspace_id = :workspace_id"]
    + [f"contact_identifier.{name} = wanted.{name}" for name in ("kind", "source", "value")]
)
_IS_CONTACT = "contact.workspace_id = :workspace_id AND contact.id = found.id"


@lru_cache(maxsize=8)
def _by_key(dialect: Dialect, *, lock: bool) -> TextualSelect:
    names = [f"contact.{one.name}" for one in COLUMNS.values()]
    sql = _BY_KEY.format(
        columns=", ".join(f"contact.{one.name} AS {name}" for name, one in COLUMNS.items()),
        wanted=dialect.given("wanted", _WANTED),
        identifier=dialect.each("contact_identifier", ["contact_id"], _IS_IDENTIFIER),
        contact=dialect.each("contact", names, _IS_CONTACT, lock=lock),
    )
    workspace_id = bindparam("workspace_id", type_=Uuid)
    columns = (column(name, one.type) for name, one in COLUMNS.items())
    return text(sql).bindparams(workspace_id).columns(column("is_identifier", Integer), *columns)


async def find(
    session: WorkspaceSession, keys: Iterable[ContactKey], *, lock: bool = False
) -> WorkingSet:
    """Returns the contacts of the keys; with `lock`, locked in the order of their ids.

    Raises LostRace if a contact was merged away while this call waited for its row lock.
    """
    wanted = set(keys)
    working_set = WorkingSet(await _find(session, wanted, lock=lock))
    missing = {key for key in wanted if key.kind is MatchedBy.ID and not working_set.get(key)}
    if lock and missing and await _find(session, missing, lock=False):
        raise LostRace
    return working_set


async def _find(
    session: WorkspaceSession, keys: Iterable[ContactKey], *, lock: bool
) -> list[Contact]:
    rows = [
        {
            "kind": key.kind.value,
            "source": key.source,
            "value": key.value,
            "id": UUID(key.value) if key.kind is MatchedBy.ID else None,
        }
        for key in keys
    ]
    if not rows:
        return []
    statement = _by_key(session.dialect, lock=lock)
    found = await session.run(statement, wanted=session.dialect.parameter(rows))
    contacts = []
    for row in found.mappings():
        values = dict(row)
        is_identifier = values.pop("is_identifier")
        if values["id"] is not None:
            contacts.append(record(values))
        elif is_identifier and lock:
            raise LostRace
    return contacts
