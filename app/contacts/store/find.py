"""Contacts by their keys: one statement however many keys, up to three where some are aliases."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, union_all
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.decision.working_set import WorkingSet
from app.contacts.keys import ContactKey, MatchedBy
from app.contacts.store import aliases
from app.contacts.store.duplicate_keys import email_alike, name_company_key
from app.tables import Contact, ContactTable
from app.text import fold
from app.workspaces.keys import Caller

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
) -> WorkingSet:
    """The contacts that the keys lead to; locked, in one order, where they are to change.

    Aliases are looked up after the locked read: whoever waited there for a contact that was
    merged away finds it gone, and then its key among the aliases.
    """
    wanted = set(keys)
    known = WorkingSet(await _holders(session, caller, wanted, lock=lock))
    missing = [key for key in wanted if known.get(key) is None]
    leads = await aliases.leads(session, caller, missing)
    targets = {ContactKey(MatchedBy.ID, contact_id) for contact_id in leads.values()}
    further = {key for key in targets if known.get(key) is None}
    # Who holds locks does not wait for more out of order, but lets go of all and tries again.
    nowait = bool(known.contacts())
    for contact in await _holders(session, caller, further, lock=lock, nowait=nowait):
        known.put(contact)
    if any(known.get(key) is None for key in targets):
        return await find(session, caller, wanted, lock=lock)  # it was merged on just now
    for key, contact_id in leads.items():
        known.lead(key, contact_id)
    return known


async def _holders(
    session: AsyncSession,
    caller: Caller,
    keys: Iterable[ContactKey],
    *,
    lock: bool,
    nowait: bool = False,
) -> list[Contact]:
    """The contacts whose own keys these are."""
    values: dict[MatchedBy, set[str | UUID]] = {}
    for key in keys:
        values.setdefault(key.kind, set()).add(key.value)
    if not values:
        return []
    # Each kind by its own index: for an OR of them SQLite would rather walk the whole workspace.
    held = union_all(
        *(
            select(col(ContactTable.id)).where(of_workspace(caller), _KEY_COLUMNS[kind].in_(wanted))
            for kind, wanted in values.items()
        )
    )
    statement = select(*COLUMNS).where(of_workspace(caller), col(ContactTable.id).in_(held))
    if lock:
        statement = statement.order_by(col(ContactTable.id)).with_for_update(nowait=nowait)
    return [record(row) for row in await session.exec(statement)]


def record(row: Any) -> Contact:
    return Contact.model_construct(**row._mapping)


def row(caller: Caller, contact: Contact) -> dict[str, Any]:
    """The contact as its table holds it, with the columns that only serve to find and order it."""
    searched = (
        contact.external_id,
        contact.email,
        contact.name,
        " ".join(part for part in (contact.first_name, contact.last_name) if part),
        contact.company,
        contact.phone,
        contact.phone_e164,
    )
    return dict(contact) | {
        "workspace_id": caller.workspace_id,
        "name_key": fold(contact.name) if contact.name else None,
        "search_text": "\n".join(fold(text) for text in searched if text),
        "name_company_key": name_company_key(contact),
        "email_alike": email_alike(contact.email_key),
    }
