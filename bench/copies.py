"""A seeded workspace once more, by one statement a table: what PostgreSQL needs to have a million
soon."""

from uuid import UUID

from sqlalchemy import CHAR, Uuid, cast, func, insert, literal, select

from app.database.sessions import Database
from app.tables import CONTACT, IDENTIFIER, TERM


async def copy_contacts(database: Database, source: UUID, target: UUID, number: int) -> None:
    """The same contacts under ids of their own: the last two digits are `number`'s."""
    async with database.write_directory() as session:
        connection = await session.connection()
        for table, identity in (
            (CONTACT, CONTACT.c.id),
            (IDENTIFIER, IDENTIFIER.c.contact_id),
            (TERM, TERM.c.contact_id),
        ):
            changed = func.overlay(cast(identity, CHAR(36)), literal(f"{number:02x}"), 35)
            values = {column: column for column in table.c} | {
                table.c.workspace_id: literal(target, Uuid),
                identity: cast(changed, Uuid),
            }
            rows = select(*values.values()).where(table.c.workspace_id == source)
            await connection.execute(insert(table).from_select(list(values), rows))
