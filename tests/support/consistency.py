"""Whether the look-up tables agree with the contacts."""

from typing import Any

from sqlalchemy import Table
from sqlmodel import select

from app.contacts.decision.working_set import keys_of
from app.contacts.keys import MatchedBy
from app.contacts.store.columns import COLUMNS
from app.contacts.store.terms import terms
from app.database.sessions import Database
from app.tables import CONTACT, IDENTIFIER, TERM, Contact

ALL = {"any_workspace": True}


async def contacts(database: Database) -> dict[Any, Contact]:
    """The contacts of all workspaces, by workspace and id."""
    columns = [column.label(name) for name, column in COLUMNS.items()]
    async with database.read_directory() as session:
        statement: Any = select(CONTACT.c.workspace_id, *columns)
        rows: Any = (await session.exec(statement, execution_options=ALL)).mappings()
        found = {}
        for row in rows:
            values = dict(row)
            workspace_id = values.pop("workspace_id")
            found[workspace_id, values["id"]] = Contact.of(values)
        return found


async def look_up_faults(database: Database) -> dict[str, set[Any]]:
    """The missing and the extra rows of each table."""
    wanted: dict[Table, set[Any]] = {IDENTIFIER: set(), TERM: set()}
    for (workspace_id, contact_id), contact in (await contacts(database)).items():
        for key in keys_of(contact):
            if key.kind is not MatchedBy.ID or key.value != str(contact_id):
                row = (workspace_id, key.kind.value, key.source, key.value, contact_id)
                wanted[IDENTIFIER].add(row)
        wanted[TERM] |= {(workspace_id, *term, contact_id) for term in terms(contact)}
    faults = {}
    async with database.read_directory() as session:
        for table, rows in wanted.items():
            statement: Any = select(*table.columns)
            held = {tuple(row) for row in await session.exec(statement, execution_options=ALL)}
            if held != rows:
                faults[table.name] = held ^ rows
    return faults
