"""`rollcall distribute` and `rollcall migrate` on Citus."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, make_url, text
from sqlmodel import SQLModel

from app.database.citus import distribute_new_tables, placements
from app.database.migrate import distribute, migrate
from app.database.sessions import Database
from app.tables import CONTACT
from tests.support.blocked import until_blocked
from tests.support.citus import PORT, Citus
from tests.support.commands import Rollcall, refused
from tests.support.postgres import outside_transaction
from tests.support.stored import add, contact_of, new_workspace

CONTACTS = 100

_TYPES = text("SELECT table_name::text AS table, citus_table_type AS kind FROM citus_tables")


@pytest.fixture
def citus(cluster: Citus) -> Citus:
    return cluster


async def rows(url: str, statement: str) -> Sequence[Any]:
    database = Database(url)
    async with database.read_directory() as session:
        found = (await (await session.connection()).execute(text(statement))).all()
    await database.close()
    return found


async def fill(url: str) -> None:
    database = Database(url)
    await migrate(database)
    for _ in range(2):
        tenant = await new_workspace(database)
        await add(database, tenant, map(contact_of, range(CONTACTS)))
    await database.close()


def test_full_database_is_distributed_once_and_keeps_its_rows(
    citus: Citus, rollcall: Rollcall
) -> None:
    url = citus.create_database()
    asyncio.run(fill(url))
    done = rollcall("distribute", DATABASE_URL=url)
    assert done.code == 0
    lines = {
        f"{one.table}: {'distributed by workspace' if one.by_workspace else 'a copy on each node'}"
        for one in placements()
    }
    assert set(done.out.splitlines()) == lines
    waited, distributed = done.err.splitlines()
    assert re.fullmatch(r"Writes waited for at most \d+\.\d s\.", waited)
    [[contacts]] = asyncio.run(rows(url, "SELECT count(*) FROM contact"))
    assert contacts == 2 * CONTACTS
    # What the table itself still has: its rows are in the shards.
    [[left]] = asyncio.run(rows(url, "SELECT pg_relation_size('contact')"))
    assert left == 0
    again = rollcall("distribute", DATABASE_URL=url)
    assert (again.code, again.out, again.err) == (0, "", f"{distributed}\n")
    assert rollcall("migrate", DATABASE_URL=url).code == 0


def test_interrupted_command_is_repeated_and_frees_the_space(
    citus: Citus, rollcall: Rollcall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Connection) -> None:
        raise KeyboardInterrupt

    url = citus.create_database()
    asyncio.run(fill(url))
    with monkeypatch.context() as patch:
        patch.setattr("app.database.migrate.free_local_rows", interrupted)
        assert refused(rollcall("distribute", DATABASE_URL=url), 130) == "rollcall: interrupted."
    again = rollcall("distribute", DATABASE_URL=url)
    assert (again.code, again.out) == (0, "")
    assert asyncio.run(rows(url, "SELECT pg_relation_size('contact')")) == [(0,)]


async def test_command_waits_for_writers_and_never_deadlocks_with_them(cluster: Citus) -> None:
    database = Database(await asyncio.to_thread(cluster.create_database))
    await migrate(database)
    async with database.write_directory() as session:
        connection = await session.connection()
        await connection.execute(text("SET LOCAL deadlock_timeout = '1h'"))  # the other one loses
        await connection.execute(text("LOCK TABLE contact IN ROW EXCLUSIVE MODE"))
        distributing = asyncio.create_task(distribute(database))
        await until_blocked(database)
        await connection.execute(text("LOCK TABLE workspace IN ROW SHARE MODE"))
    assert set((await distributing).new) == set(placements())
    await database.close()


MOVE = """
    SELECT citus_move_shard_placement(shardid, nodename, nodeport, '{target}', {port})
    FROM pg_dist_shard JOIN pg_dist_shard_placement USING (shardid)
    WHERE logicalrelid = CAST('contact' AS regclass) AND nodename = '{source}' LIMIT 1
"""
PLACED = "SELECT count(*) FROM pg_dist_shard_placement WHERE nodename = '{node}'"


async def test_shards_move_without_blocking_writes(cluster: Citus) -> None:
    url = await asyncio.to_thread(cluster.create_distributed)
    _, source, target = cluster.folders
    [[before]] = await rows(url, PLACED.format(node=source))
    await outside_transaction(url, MOVE.format(source=source, target=target, port=PORT))
    await outside_transaction(url, "CALL citus_cleanup_orphaned_resources()")
    [[after]] = await rows(url, PLACED.format(node=source))
    of_workspaces = [one for one in placements() if one.by_workspace]
    assert before - after == len(of_workspaces)


@pytest.mark.parametrize("command", ["migrate", "distribute"])
def test_worker_refuses_and_names_the_coordinator(
    citus: Citus, rollcall: Rollcall, command: str
) -> None:
    name = make_url(citus.create_distributed()).database
    assert name is not None
    line = refused(rollcall(command, DATABASE_URL=citus.url(name, 1)))
    assert f"the coordinator, {citus.folders[0]}:5432." in line


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_table_that_a_migration_creates_is_distributed_with_it(
    cluster: Citus, database_url: str
) -> None:
    field = SQLModel.metadata.tables["custom_field"]

    def create_again(connection: Connection) -> dict[str, str]:
        connection.execute(text("DROP TABLE custom_field"))
        field.create(connection)
        distribute_new_tables(connection)
        types = {row.table: row.kind for row in connection.execute(_TYPES)}
        connection.rollback()
        return types

    database = Database(database_url)
    async with database.migrating() as connection:
        types = await connection.run_sync(create_again)
    await database.close()
    assert types[field.name] == types[CONTACT.name] == "distributed"
