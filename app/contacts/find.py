"""Contacts by their keys, in one statement however many keys."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth import Caller
from app.contacts.known import ContactKey, Known
from app.contacts.outcome import MatchedBy
from app.tables import Contact, ContactTable

COLUMNS = [getattr(ContactTable, name).label(name) for name in Contact.model_fields]

_KEY_COLUMNS: dict[MatchedBy, Mapped[Any]] = {
    MatchedBy.ID: col(ContactTable.id),
    MatchedBy.EXTERNAL_ID: col(ContactTable.external_id),
    MatchedBy.EMAIL: col(ContactTable.email_key),
}


def of_workspace(caller: Caller) -> ColumnElement[bool]:
    """The first condition of every statement on contacts."""
    return col(ContactTable.workspace_id) == caller.workspace_id


async def find(
    session: AsyncSession, caller: Caller, keys: Iterable[ContactKey], *, lock: bool = False
) -> Known:
    """The contacts that the keys lead to; locked, in one order, where they are to change."""
    values: dict[MatchedBy, set[str | UUID]] = {}
    for key in keys:
        values.setdefault(key.kind, set()).add(key.value)
    if not values:
        return Known()
    held = or_(*(_KEY_COLUMNS[kind].in_(wanted) for kind, wanted in values.items()))
    statement = select(*COLUMNS).where(of_workspace(caller), held)
    if lock:
        statement = statement.order_by(col(ContactTable.id)).with_for_update()
    rows = await session.exec(statement)
    return Known(record(row) for row in rows)


def record(row: Any) -> Contact:
    return Contact.model_construct(**row._mapping)
