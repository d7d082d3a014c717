"""Deleting contacts: one, or many by their keys or by a filter."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy import delete as delete_statement
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.decision.decide import stale
from app.contacts.decision.outcome import NOT_FOUND, Conflict
from app.contacts.keys import ContactKey, MatchedBy
from app.contacts.listing.conditions import Condition
from app.contacts.listing.order import OLDEST_FIRST, Window
from app.contacts.listing.page import page
from app.contacts.listing.predicates import predicate
from app.contacts.store.change import locked
from app.contacts.store.find import find, of_workspace
from app.database.sessions import Database, is_sqlite, try_again
from app.tables import Contact, ContactTable
from app.workspaces.keys import Caller


@dataclass(frozen=True, slots=True)
class Deleted:
    """The contacts that are gone, as they were last, and whether more meet the filter."""

    contacts: Sequence[Contact]
    has_more: bool


@try_again
async def delete(
    database: Database, caller: Caller, key: ContactKey, if_version: int | None
) -> Contact | Conflict:
    """The contact that was deleted, as it was last."""
    async with database.write(caller.workspace_id) as session:
        contact = await locked(session, caller, key)
        if contact is None:
            return NOT_FOUND
        if reasons := stale(contact, if_version):
            return Conflict(tuple(reasons))
        await _delete(session, caller, [contact.id])
    return contact


@try_again
async def delete_by_keys(
    database: Database, caller: Caller, keys: Sequence[ContactKey], *, dry_run: bool
) -> list[Contact | Conflict]:
    """An outcome for each key, in order; a second key of the same contact finds it gone."""
    async with database.read() if dry_run else database.write(caller.workspace_id) as session:
        known = await find(session, caller, keys, lock=not dry_run)
        gone: set[UUID] = set()
        outcomes: list[Contact | Conflict] = []
        for key in keys:
            contact = known.get(key)
            if contact is None or contact.id in gone:
                outcomes.append(NOT_FOUND)
            else:
                gone.add(contact.id)
                outcomes.append(contact)
        if not dry_run:
            await _delete(session, caller, gone)
    return outcomes


@try_again
async def delete_by_filter(
    database: Database, caller: Caller, condition: Condition, limit: int, *, dry_run: bool
) -> Deleted:
    """The oldest `limit` contacts that meet the condition."""
    async with database.read() if dry_run else database.write(caller.workspace_id) as session:
        window = Window(size=limit)
        found = await page(session, caller, OLDEST_FIRST, window, condition, whole=True)
        contacts = found.contacts
        if not dry_run:
            # Locked in the order that all keep to, and asked again: it may have changed meanwhile.
            ids = [one.id for one in contacts]
            keys = [ContactKey(MatchedBy.ID, one) for one in ids]
            held = (await find(session, caller, keys, lock=True)).contacts()
            still = predicate(condition, sqlite=is_sqlite(session))
            gone = await _delete(session, caller, ids, still)
            contacts = [held[one] for one in ids if one in gone]
    return Deleted(contacts, found.has_more)


async def _delete(
    session: AsyncSession,
    caller: Caller,
    contact_ids: Iterable[UUID],
    *conditions: ColumnElement[bool],
) -> set[UUID]:
    """The ids of the contacts that are gone."""
    contact_id = col(ContactTable.id)
    statement = (
        delete_statement(ContactTable)
        .where(of_workspace(caller), contact_id.in_(contact_ids), *conditions)
        .returning(contact_id)
        .execution_options(synchronize_session=False)
    )
    return set((await session.exec(statement)).scalars())
