"""A seeded workspace once more, by one statement: what PostgreSQL needs to have a million soon."""

from uuid import UUID

from sqlalchemy import CHAR, Uuid, cast, func, insert, literal
from sqlmodel import select

from app.contacts.store.ranges import CUSTOM_RANGE
from app.database.sessions import Database
from app.tables import ContactTable


async def copy_contacts(database: Database, source: UUID, target: UUID, number: int) -> None:
    """The same contacts under ids of their own: the last two digits are `number`'s."""
    contact = ContactTable.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
    async with database.write() as session:
        for table, identity in ((contact, contact.c.id), (CUSTOM_RANGE, CUSTOM_RANGE.c.contact_id)):
            changed = func.overlay(cast(identity, CHAR(36)), literal(f"{number:02x}"), 35)
            values = {column: column for column in table.c} | {
                table.c.workspace_id: literal(target, Uuid),
                identity: cast(changed, Uuid),
            }
            rows = select(*values.values()).where(table.c.workspace_id == source)
            await session.exec(insert(table).from_select(list(values), rows))
