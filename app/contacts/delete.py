"""Deleting a contact."""

from sqlalchemy import delete as delete_statement
from sqlmodel import col

from app.auth import Caller
from app.contacts.decide import stale
from app.contacts.find import find, of_workspace
from app.contacts.known import ContactKey
from app.contacts.outcome import NOT_FOUND, Conflict
from app.database import Database, try_again
from app.tables import Contact, ContactTable


@try_again
async def delete(
    database: Database, caller: Caller, key: ContactKey, if_version: int | None
) -> Contact | Conflict:
    """The contact that was deleted, as it was last."""
    async with database.write() as session:
        known = await find(session, caller, [key], lock=True)
        contact = known.get(key)
        if contact is None:
            return NOT_FOUND
        if reasons := stale(contact, if_version):
            return Conflict(tuple(reasons))
        statement = delete_statement(ContactTable)
        await session.exec(
            statement.where(of_workspace(caller), col(ContactTable.id) == contact.id)
        )
    return contact
