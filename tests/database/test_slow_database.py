"""A database that is slow or busy: which error, and that all is well again afterwards."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from app.contacts.decision.decide import Request
from app.contacts.decision.outcome import Created, Updated
from app.contacts.upsert import upsert
from app.database.errors import LostRace
from app.database.sessions import Database
from app.errors import TimedOut, Unavailable
from app.workspaces import workspaces
from app.workspaces.keys import Scope, authenticate
from tests.support.blocked import until_blocked
from tests.support.connections import (
    BACK_SECONDS,
    ENDLESS,
    FIND,
    JSON,
    PARTLY,
    RESPONSE_JSON,
    ask,
    assert_unavailable,
    code,
    connect,
    connected,
    post,
    serving,
)
from tests.support.connections import moody as moody
from tests.support.databases import on_postgresql
from tests.support.postgres import Cluster
from tests.support.stored import new_workspace
from tests.support.waiting import until_awaited


async def test_statement_that_takes_too_long_is_timed_out(database_url: str) -> None:
    async with connected(database_url, database_statement_timeout_seconds=0.1) as database:
        with pytest.raises(TimedOut, match="DATABASE_STATEMENT_TIMEOUT_SECONDS"):
            await ask(database, ENDLESS)
        assert await ask(database) == 1


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
async def test_request_that_takes_too_long_is_timed_out(moody: Cluster, accept: str) -> None:
    async with serving(moody.url("postgres"), database_statement_timeout_seconds=0.5) as api:
        holder = await connect(moody)
        async with holder.transaction():
            await holder.execute("LOCK TABLE contact")
            assert_unavailable(await post(api, FIND, accept), "TIMEOUT")
            answer = await post(api, PARTLY, accept)
        await holder.close()
        assert (await post(api, FIND, accept)).json()["data"] == {"contact": None}
    assert answer.status_code == 200
    assert answer.json()["data"] == {"__typename": "Query", "contact": None}
    assert code(answer) == "TIMEOUT"


@on_postgresql
async def test_lock_that_is_held_too_long_is_unavailable(
    database_url: str, database: Database
) -> None:
    async with database.write_directory() as session:
        await workspaces.create_workspace(session, "ours")
        key = await workspaces.create_key(session, "ours", "test", list(Scope))
    async with connected(database_url, database_lock_timeout_seconds=0.02) as database:
        caller = await authenticate(database, key)
        request = [Request({"email": "ada@example.com"})]
        await upsert(database, caller, request)
        async with database.write_directory() as session:
            locked = "SELECT id FROM contact WHERE workspace_id = :workspace FOR UPDATE"
            workspace = {"workspace": caller.workspace_id}
            await (await session.connection()).execute(text(locked), workspace)
            with pytest.raises(LostRace, match="Try again"):
                await upsert(database, caller, request)
        assert len(await upsert(database, caller, request)) == 1


@on_postgresql
async def test_writers_that_wait_in_one_workspace_leave_connections_to_another(
    database_url: str, database: Database
) -> None:
    ours, theirs = await new_workspace(database), await new_workspace(database)
    request = [Request({"email": "ada@example.com"})]
    await upsert(database, ours, request)
    settings = {
        "database_pool_size": 2,
        "database_pool_overflow": 0,
        "database_pool_timeout_seconds": 5,
        "database_lock_timeout_seconds": 60,
        "database_statement_timeout_seconds": 60,
    }
    async with connected(database_url, **settings) as busy, database.write_directory() as session:
        locked = "SELECT id FROM contact WHERE workspace_id = :workspace FOR UPDATE"
        connection = await session.connection()
        await connection.execute(text(locked), {"workspace": ours.workspace_id})
        changed = [Request({"email": "ada@example.com", "company": "Acme"})]
        waiting = [asyncio.create_task(upsert(busy, ours, changed)) for _ in range(5)]
        await until_blocked(database)
        [created] = await upsert(busy, theirs, request)
        assert isinstance(created, Created)
        assert not any(task.done() for task in waiting)
        await session.rollback()
        [updated, *_], *others = await asyncio.gather(*waiting)
        assert isinstance(updated, Updated)
        assert len(others) == 4


@on_postgresql
async def test_writers_that_wait_too_long_for_their_turn_are_unavailable(
    database_url: str, database: Database
) -> None:
    settings = {"database_pool_size": 2, "database_pool_overflow": 0}
    async with connected(database_url, database_pool_timeout_seconds=1, **settings) as busy:
        ours = await new_workspace(database)
        async with busy.write(ours):
            with pytest.raises(Unavailable, match="too busy"):
                await upsert(busy, ours, [Request({"email": "ada@example.com"})])
        await upsert(busy, ours, [Request({"email": "ada@example.com"})])


async def test_cancelled_statement_leaves_its_connection_free(database_url: str) -> None:
    async def write(database: Database, statement: str) -> Any:
        async with database.write_directory() as session:
            return await (await session.connection()).scalar(text(statement))

    sizes = {"database_pool_size": 1, "database_pool_overflow": 0}
    limits = {"database_statement_timeout_seconds": 3600}
    async with connected(database_url, **sizes, **limits) as database:
        await write(database, "SELECT 1")
        for _ in range(3):
            running = asyncio.create_task(write(database, ENDLESS))
            await asyncio.sleep(0.05)
            running.cancel()
            await asyncio.wait([running])
            assert await write(database, "SELECT 1") == 1
        if "postgresql" in database_url:
            others = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE "
            others += (
                "'%WITH RECURSIVE n%' AND pid <> pg_backend_pid() AND datname = current_database()"
            )

            async def is_stopped() -> bool:
                return bool(await ask(database, others) == 0)

            await until_awaited(is_stopped, BACK_SECONDS)
