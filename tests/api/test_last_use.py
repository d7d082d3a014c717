"""When a key was last used is written at most once a minute, while no request waits for it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from app.database.sessions import Database
from app.tables import ApiKey
from app.workspaces.keys import HELD_SECONDS
from tests.support.client import Client
from tests.support.serving import serving
from tests.support.statements import every_statement
from tests.support.waiting import BOUND_SECONDS

VIEWER = "{ viewer { apiKey { lastUsedAt } } }"
KEYS = "{ keys { lastUsedAt } }"

REFUSE = {
    "sqlite": """
        CREATE TRIGGER refuse BEFORE UPDATE ON api_key BEGIN SELECT RAISE(ABORT, 'refused'); END
    """,
    "postgresql": "ALTER TABLE api_key ADD CONSTRAINT refused CHECK (last_used_at IS NULL)",
}


async def recorded(database: Database, key: str) -> datetime | None:
    async with database.read_directory() as session:
        found = select(ApiKey.last_used_at).where(col(ApiKey.prefix) == key[:17])
        return (await session.exec(found)).one()


async def first_use(database: Database, key: str) -> datetime:
    async with asyncio.timeout(BOUND_SECONDS):
        while (used := await recorded(database, key)) is None:
            pass
    return used


async def test_use_is_recorded_and_told(api: Client, database: Database) -> None:
    assert await recorded(database, api.key) is None
    before = datetime.now(UTC)
    await api(VIEWER)
    used = await first_use(database, api.key)
    assert before <= used <= datetime.now(UTC)
    [listed] = await api(KEYS)
    assert datetime.fromisoformat(listed["lastUsedAt"]) == used
    await asyncio.sleep(HELD_SECONDS)
    viewer = await api(VIEWER)
    assert datetime.fromisoformat(viewer["apiKey"]["lastUsedAt"]) == used


async def test_many_requests_are_one_write(api: Client, database: Database) -> None:
    written: list[str] = []

    def note(statement: str, _: object) -> None:
        if statement.startswith("UPDATE api_key"):
            written.append(statement)

    with every_statement(note):
        for _ in range(2):
            await asyncio.gather(*(api(VIEWER) for _ in range(20)))
            await asyncio.sleep(HELD_SECONDS)  # after which the key is looked up again
        await first_use(database, api.key)
    assert len(written) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_use_is_recorded_after_a_lost_race(
    api: Client, database: Database, database_url: str
) -> None:
    tried: list[str] = []
    is_tried_again = asyncio.Event()

    def note(statement: str, _: object) -> None:
        if "FOR NO KEY UPDATE" in statement:
            tried.append(statement)
            if len(tried) > 1:
                is_tried_again.set()

    async with serving(database_url, database_lock_timeout_seconds=0.1) as http:
        async with database.write_directory() as session:
            locked = text("SELECT id FROM api_key FOR UPDATE")
            await (await session.connection()).execute(locked)
            with every_statement(note):
                await Client(http, api.key)(VIEWER)
                async with asyncio.timeout(BOUND_SECONDS):
                    await is_tried_again.wait()
        await first_use(database, api.key)


@pytest.mark.own_database
async def test_failure_to_record_fails_no_request(
    api: Client, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    refuse = text(REFUSE[database.dialect.reader.dialect.name])
    async with database.write_directory() as session:
        await session.exec(refuse)  # type: ignore[call-overload]  # plain SQL
    end = datetime.now(UTC) + timedelta(seconds=BOUND_SECONDS)
    while "was not written" not in caplog.text:
        assert await api(VIEWER) == {"apiKey": {"lastUsedAt": None}}
        assert datetime.now(UTC) < end
        await asyncio.sleep(0)  # the request waits for nothing
    assert await recorded(database, api.key) is None
    assert api.key not in caplog.text
