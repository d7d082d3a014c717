"""Deleting contacts: one, or many by their keys or by a filter."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from app.contacts.change import Cause, Change
from app.contacts.decision.decide import version_conflicts
from app.contacts.decision.outcome import NOT_FOUND, Conflict
from app.contacts.keys import ContactKey
from app.contacts.listing.conditions import Condition
from app.contacts.listing.page import meeting
from app.contacts.selection import change_together, check_keys, oldest
from app.contacts.store.find import find
from app.contacts.store.save import check_changes, save
from app.database.dialect import RowLock
from app.database.errors import try_again
from app.database.sessions import Database
from app.tables import Contact
from app.workspaces.keys import Caller


@dataclass(frozen=True, slots=True)
class Deleted:
    """The deleted contacts in their last state, and whether more may meet the filter."""

    contacts: Sequence[Contact]
    has_more: bool


@try_again
async def delete(
    database: Database, caller: Caller, key: ContactKey, if_version: int | None
) -> Contact | Conflict:
    """Returns the deleted contact in its last state."""
    async with database.write(caller) as session:
        contact = (await find(session, [key], RowLock.WAIT)).get(key)
        if contact is None:
            return NOT_FOUND
        if reasons := version_conflicts(contact, if_version):
            return Conflict(tuple(reasons))
        await save(session, _deletions(caller, [contact]))
    return contact


@try_again
async def delete_by_keys(
    database: Database, caller: Caller, keys: Sequence[ContactKey], *, dry_run: bool
) -> list[Contact | Conflict]:
    """Returns an outcome for each key, in order; a second key of the same contact finds none."""
    check_keys(keys)
    async with database.read(caller) if dry_run else database.write(caller) as session:
        working_set = await find(session, keys, RowLock.NONE if dry_run else RowLock.WAIT)
        outcomes: list[Contact | Conflict] = []
        for key in keys:
            contact = working_set.get(key)
            if contact is not None:
                working_set.remove(contact.id)
            outcomes.append(contact or NOT_FOUND)
        deletions = _deletions(caller, (one for one in outcomes if isinstance(one, Contact)))
        if dry_run:
            await check_changes(deletions)
        else:
            await save(session, deletions)
    return outcomes


async def delete_by_filter(
    database: Database, caller: Caller, condition: Condition, *, dry_run: bool
) -> Deleted:
    """Deletes the oldest contacts that meet the condition, up to SELECTION_LIMIT, and fewer if they
    are too large together.

    The search runs before the transaction that deletes. Contacts that no longer meet the
    condition once they are locked are kept.
    """
    found = await oldest(database, caller, condition)
    if dry_run or not found.contacts:
        return Deleted(found.contacts, found.has_more)
    found, deleted = await change_together(found, partial(_delete, database, caller, condition))
    return Deleted(deleted, found.has_more)


@try_again
async def _delete(
    database: Database, caller: Caller, condition: Condition, contacts: Sequence[Contact]
) -> list[Contact]:
    async with database.write(caller) as session:
        keys = [ContactKey.of_id(contact.id) for contact in contacts]
        locked = await find(session, keys, RowLock.WAIT)
        still = await meeting(session, [contact.id for contact in contacts], condition)
        held = (locked.by_id(contact.id) for contact in contacts if contact.id in still)
        deleted = [contact for contact in held if contact is not None]
        await save(session, _deletions(caller, deleted))
    return deleted


def _deletions(caller: Caller, contacts: Iterable[Contact]) -> list[Change]:
    return [Change(contact, None, Cause.DELETION, caller.key_id) for contact in contacts]
