"""How connections are set up: their timeouts, isolation and number, and the types of the driver."""

from contextlib import AsyncExitStack
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no types
import pytest
from sqlalchemy import Connection, func, text
from sqlmodel import select

from app.database.migrate import migrate
from app.database.sessions import Database
from app.errors import TimedOut, Unavailable
from app.tables import Workspace
from app.workspaces import workspaces
from tests.support.client import Client
from tests.support.connections import ENDLESS, UPSERT, ask, connected, serving
from tests.support.databases import on_postgresql

COUNT = "query ($filter: ContactFilter!) { contacts(filter: $filter) { totalCount } }"
DELETE = """
mutation ($selection: ContactSelection!) { deleteContacts(selection: $selection) { deleted } }
"""


@on_postgresql
async def test_timeouts_hold_in_every_transaction_and_nowhere_else(database_url: str) -> None:
    settings = {"statement": 7.0, "lock": 3.5}
    given = {f"database_{name}_timeout_seconds": value for name, value in settings.items()}
    shown = (
        "SELECT current_setting('statement_timeout') || ' ' || current_setting('lock_timeout')"
        " || ' ' || current_setting('idle_in_transaction_session_timeout')"
    )
    async with connected(database_url, database_pool_size=1, **given) as database:
        for _ in range(2):
            assert await ask(database, shown) == "7s 3500ms 7s"
        async with database.dialect.reader.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            assert await driver.fetchval(shown) == "0 0 0"


async def test_what_one_transaction_reads_is_one_state_of_the_database(database: Database) -> None:
    async with database.read_directory() as session:
        before = (await session.exec(select(func.count()).select_from(Workspace))).one()
        async with database.write_directory() as other:
            await workspaces.create_workspace(other, "meanwhile")
        assert (await session.exec(select(func.count()).select_from(Workspace))).one() == before
    async with database.read_directory() as session:
        assert (await session.exec(select(func.count()).select_from(Workspace))).one() == before + 1


async def test_migrations_may_take_longer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second or so, of a time limit of a tenth; statements have it again afterwards."""

    def upgrade(connection: Connection) -> None:
        connection.execute(text(ENDLESS.replace("FROM n)", "FROM n WHERE i < 2000000)")))

    monkeypatch.setattr("app.database.migrate._upgrade", upgrade)
    sizes = {"database_pool_size": 1, "database_pool_overflow": 0}
    async with connected(database_url, database_statement_timeout_seconds=0.1, **sizes) as database:
        await migrate(database)
        with pytest.raises(TimedOut):
            async with database.write_directory() as session:
                await (await session.connection()).execute(text(ENDLESS))


async def test_pool_is_as_large_as_set(database_url: str) -> None:
    sizes = {"database_pool_size": 2, "database_pool_overflow": 1}
    async with (
        connected(database_url, database_pool_timeout_seconds=1, **sizes) as database,
        AsyncExitStack() as held,
    ):
        for _ in range(3):
            session = await held.enter_async_context(database.read_directory())
            await session.connection()
        with pytest.raises(Unavailable, match="too busy"):
            await ask(database)
        await held.aclose()
        assert await ask(database) == 1


@on_postgresql
async def test_driver_reads_no_catalog_for_the_types_of_parameters(
    database_url: str, database: Database, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []
    introspect = asyncpg.Connection._introspect_types

    async def noted(connection: Any, kinds: Any, *arguments: Any) -> Any:
        read.append(kinds)
        return await introspect(connection, kinds, *arguments)

    monkeypatch.setattr(asyncpg.Connection, "_introspect_types", noted)
    await api(UPSERT)
    async with serving(database_url) as client:
        for kind, value in ("number", 0.1), ("string", "Acme"):
            await client(COUNT, filter={"customFields": [{"key": "k", kind: {"in": [value]}}]})
        ada = {"email": {"eq": "ada@example.com"}}
        deleted = await client(DELETE, selection={"filter": ada})
    assert deleted == {"deleted": 1}
    assert read == []
