"""In production the database is migrated by `rollcall migrate` alone."""

import asyncio

import pytest
from sqlalchemy import Connection, inspect

from app.database.sessions import Database, sqlite_path
from tests.support.commands import Rollcall, refused

COMMANDS = [
    ["serve"],
    ["workspace", "create", "ours"],
    ["key", "create", "--workspace", "ours", "--name", "sync", "--scope", "contacts:read"],
    ["key", "list"],
    ["key", "revoke", "01a1fcf8-b51f-70af-8d67-2f54093498f0"],
    ["custom-field", "load", "notifuse", "--workspace", "ours"],
]


def tables(url: str) -> list[str]:
    def names(connection: Connection) -> list[str]:
        return inspect(connection).get_table_names()

    async def read() -> list[str]:
        database = Database(url)
        async with database.dialect.reader.connect() as connection:
            found = await connection.run_sync(names)
        await database.close()
        return found

    return asyncio.run(read())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_command_in_production_leaves_the_schema_as_it_is_and_says_what_to_run(
    rollcall: Rollcall, empty_url: str, command: list[str]
) -> None:
    production = {"DATABASE_URL": empty_url, "ENVIRONMENT": "production", "PORT": "0"}
    assert "run rollcall migrate" in refused(rollcall(*command, **production))
    assert tables(empty_url) == []


def test_command_in_production_runs_once_the_database_is_migrated(
    rollcall: Rollcall, empty_url: str
) -> None:
    production = {"DATABASE_URL": empty_url, "ENVIRONMENT": "production"}
    assert rollcall("migrate", **production).code == 0
    assert rollcall("workspace", "create", "ours", **production).code == 0


def test_command_in_development_migrates_the_database(rollcall: Rollcall, empty_url: str) -> None:
    if file := sqlite_path(empty_url):
        file.touch()
    assert rollcall("workspace", "create", "ours", DATABASE_URL=empty_url).code == 0
