"""Databases for one test: empty, or copied from a migrated one."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiosqlite
import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from app.database.postgresql import PostgreSQL
from app.database.sessions import Database
from tests.support.citus import Citus
from tests.support.postgres import Cluster, outside_transaction
from tests.support.programs import leave_out

_TABLES = reversed(SQLModel.metadata.sorted_tables)
_DELETE_ALL = "".join(f"DELETE FROM {table.name};" for table in _TABLES)  # noqa: S608  # of names

# For tests of what has nothing to do with the database.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

# For those of what PostgreSQL alone has.
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def empty(database: Database) -> None:
    """By one message to the driver: this runs before most tests."""
    async with database.write_directory() as session:
        connection = await (await session.connection()).get_raw_connection()
        driver: Any = connection.driver_connection
        if isinstance(driver, aiosqlite.Connection):
            # A script ends the transaction that it finds.
            await driver.executescript("BEGIN IMMEDIATE;" + _DELETE_ALL)
        else:
            # Statements on all shards must take turns on Citus. Workspaces are locked before keys,
            # because the application may still record that keys were used.
            sequential = "SET LOCAL citus.multi_shard_modify_mode = sequential;"
            await driver.execute(f"{sequential}SELECT FROM workspace FOR UPDATE;{_DELETE_ALL}")


async def alter(database: Database, statement: str) -> None:
    async with database.write_directory() as session:
        await (await session.connection()).execute(text(statement))


async def need_text_indexes(database: Database) -> None:
    """Without them, PostgreSQL reads contact after contact for a text."""
    available = """
        SELECT count(*) FROM pg_available_extensions WHERE name IN ('pg_trgm', 'btree_gin')
    """
    if isinstance(database.dialect, PostgreSQL):
        async with database.read_directory() as session:
            if await (await session.connection()).scalar(text(available)) != 2:
                leave_out("PostgreSQL has no pg_trgm and btree_gin")


def empty_sqlite(folder: Path, name: str = "rollcall.db") -> str:
    return f"sqlite+aiosqlite:///{folder / name}"


def copied_sqlite(template: Path, folder: Path) -> str:
    shutil.copy(template, folder / "rollcall.db")
    return empty_sqlite(folder)


def empty_postgresql(cluster: Cluster | Citus) -> str:
    if isinstance(cluster, Citus):
        return cluster.create_database()
    return copied_postgresql(cluster, "template1")


def copied_postgresql(cluster: Cluster | Citus, template: str | None) -> str:
    if isinstance(cluster, Citus):
        return cluster.create_distributed()
    name = f"test_{uuid4().hex}"
    create = f"CREATE DATABASE {name} TEMPLATE {template}"
    asyncio.run(outside_transaction(cluster.url("postgres"), create))
    return cluster.url(name)


def in_database(url: str, work: Callable[[Database], Any]) -> Any:
    async def run() -> Any:
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())
