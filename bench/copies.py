"""A seeded workspace once more, by one statement a table: what PostgreSQL needs to have a million
soon."""

from uuid import UUID

from sqlalchemy import CHAR, Uuid, cast, func, insert, literal, select

from app.cli.progress import shown_progress
from app.database.sessions import Database
from app.tables import CONTACT, IDENTIFIER, TERM
from app.workspaces.keys import authenticate
from bench.seed import fill, key_of


async def fill_workspaces(
    database: Database, name: str, contacts: int, workspaces: int, seed: int
) -> str:
    """`contacts` in all: a workspace that is seeded, and copies of it; a key of the first."""
    size = contacts // workspaces
    with shown_progress() as report:
        key = await fill(database, name, size, seed, report)
        source = await authenticate(database, key)
        for number in range(1, workspaces):
            copy = await authenticate(database, await key_of(database, f"{name}-{number}"))
            await copy_contacts(database, source.workspace_id, copy.workspace_id, number)
            report("Contacts", (number + 1) * size, contacts)
    return key


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
