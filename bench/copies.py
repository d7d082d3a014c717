"""A seeded workspace once more, by one statement: what PostgreSQL needs to have a million soon."""

from uuid import UUID

from sqlalchemy import CHAR, Uuid, cast, func, insert, literal
from sqlmodel import col, select

from app.database import Database
from app.tables import ContactTable


async def copy_contacts(database: Database, source: UUID, target: UUID, number: int) -> None:
    """The same contacts under ids of their own: the last two digits are `number`'s."""
    contact = ContactTable.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
    identity = func.overlay(cast(contact.c.id, CHAR(36)), literal(f"{number:02x}"), 35)
    values = {column: column for column in contact.c} | {
        contact.c.workspace_id: literal(target, Uuid),
        contact.c.id: cast(identity, Uuid),
    }
    rows = select(*values.values()).where(col(ContactTable.workspace_id) == source)
    async with database.write() as session:
        await session.exec(insert(contact).from_select(list(values), rows))
