"""The numbers and moments of custom fields, in a table that PostgreSQL finds ranges of them by.

SQLite has triggers for the like. A value is a double here, which may be off in its last digits:
what a range leads to is looked at once more.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from pydantic_core import PydanticCustomError
from sqlalchemy import Boolean, Double, Text, Uuid, column, delete, table
from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.store.rows import insert_given
from app.database.sessions import is_sqlite
from app.fields.contact import parse_timestamp
from app.tables import Contact
from app.workspaces.keys import Caller

RANGE_KEY_LENGTH = 255

CUSTOM_RANGE = table(
    "contact_custom_range",
    column("workspace_id", Uuid),
    column("contact_id", Uuid),
    column("key", Text),
    column("is_moment", Boolean),
    column("value", Double),
)


async def keep(
    session: AsyncSession, caller: Caller, before: Mapping[UUID, Contact], after: Sequence[Contact]
) -> None:
    """Brings the table in step with contacts that were written."""
    if is_sqlite(session):
        return
    gone: list[UUID] = []
    new: list[dict[str, Any]] = []
    for contact in after:
        old = before.get(contact.id)
        was, now = set(_values(old)) if old else set(), set(_values(contact))
        if was - now:
            gone.append(contact.id)
            was = set()
        for key, is_moment, value in now - was:
            place = {"workspace_id": caller.workspace_id, "contact_id": contact.id, "key": key}
            new.append(place | {"is_moment": is_moment, "value": value})
    if gone:
        of_workspace = CUSTOM_RANGE.c.workspace_id == caller.workspace_id
        await session.exec(
            delete(CUSTOM_RANGE).where(of_workspace, CUSTOM_RANGE.c.contact_id.in_(gone))
        )
    if new:
        await insert_given(session, CUSTOM_RANGE, CUSTOM_RANGE.c, new)


def _values(contact: Contact) -> Iterator[tuple[str, bool, float]]:
    """Key, whether it is a moment, and the number or the seconds since 1970."""
    for key, value in contact.custom_fields.items():
        match value:
            case _ if len(key) > RANGE_KEY_LENGTH:
                pass
            case bool():
                pass
            case int() | float():
                yield key, False, float(value)
            case str():
                with suppress(PydanticCustomError):
                    yield key, True, parse_timestamp(value).timestamp()
