"""Contacts written many at once.

PostgreSQL is given them as one document, so that it plans and runs one statement. SQLite prepares
one, and runs it for each row within this process.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    Text,
    cast,
    column,
    func,
    insert,
    inspect,
    literal,
    select,
    update,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.store.find import of_workspace
from app.database.sessions import is_sqlite
from app.tables import ContactTable
from app.workspaces.keys import Caller

Row = Mapping[str, Any]
Columns = ReadOnlyColumnCollection[str, Any]  # by the names that rows have for them


async def insert_contacts(session: AsyncSession, rows: Sequence[Row]) -> None:
    """In their order."""
    if is_sqlite(session):
        # Otherwise rows that leave different fields empty would take a statement each.
        one_statement = insert(ContactTable).execution_options(render_nulls=True)
        await session.exec(one_statement, params=rows)
    else:
        columns = inspect(ContactTable).columns
        await insert_given(session, columns.id.table, columns, rows)


async def update_contacts(session: AsyncSession, caller: Caller, rows: Sequence[Row]) -> None:
    """Each row names the workspace and the id, and what is to be there."""
    if is_sqlite(session):
        await session.exec(update(ContactTable), params=rows)
        return
    columns = inspect(ContactTable).columns
    new = _given(columns, rows)
    named = (name for name in rows[0] if name not in ("workspace_id", "id"))
    values = {columns[name]: new.c[name] for name in named}
    changed = update(columns.id.table).where(of_workspace(caller), columns.id == new.c.id)
    await session.exec(changed.values(values))


async def insert_given(
    session: AsyncSession, table: Any, columns: Columns, rows: Sequence[Row]
) -> None:
    """All rows have the same of the table's columns. PostgreSQL alone."""
    new = _given(columns, rows)
    inserted = insert(table).from_select([columns[name] for name in rows[0]], select(*new.c))
    await session.exec(inserted)


def _given(columns: Columns, rows: Sequence[Row]) -> Any:
    # asyncpg's UUIDs are of a class of their own, which is told as text.
    document = cast(literal(orjson.dumps(rows, default=str).decode(), Text), JSON)
    named = (column(name, columns[name].type) for name in rows[0])
    recordset = func.json_to_recordset(document).table_valued(*named, name="given")
    return recordset.render_derived(with_types=True)
