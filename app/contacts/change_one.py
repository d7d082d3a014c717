"""Finds one contact by a key, locks it, changes it and saves it."""

from collections.abc import Callable

from app.contacts.change import Cause, Change
from app.contacts.decision.outcome import NOT_FOUND, Outcome, Updated
from app.contacts.keys import ContactKey
from app.contacts.store.find import find
from app.contacts.store.save import save
from app.database.dialect import RowLock
from app.database.errors import try_again
from app.database.sessions import Database
from app.tables import Contact
from app.workspaces.keys import Caller


@try_again
async def change_one(
    database: Database,
    caller: Caller,
    key: ContactKey,
    cause: Cause,
    decide: Callable[[Contact], Outcome],
) -> Outcome:
    """Returns the outcome of `decide` for the contact, or a Conflict if there is no contact."""
    async with database.write(caller) as session:
        contact = (await find(session, [key], RowLock.WAIT)).get(key)
        if contact is None:
            return NOT_FOUND
        outcome = decide(contact)
        if isinstance(outcome, Updated) and outcome.changes:
            change = Change(contact, outcome.contact, cause, caller.key_id, outcome.changes)
            await save(session, [change])
    return outcome
