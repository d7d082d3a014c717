"""Behind PgBouncer in transaction mode, where each transaction may run on another connection."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import make_url, text

from app.database.migrate import is_current, migrate
from app.database.sessions import Database
from app.errors import TimedOut
from app.server.asgi import create_app
from app.settings import DatabaseSettings, Settings
from tests.conftest import client_of
from tests.support.client import Client, InProcess
from tests.support.databases import empty_postgresql
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Cluster

CALLERS = 32
ROUNDS = 5
PROCESSES = 2
CONNECTIONS = 3
BACK_SECONDS = 30

UPSERT = """
mutation ($input: ContactInput!) {
  upsertContact(input: $input) {
    __typename
    ... on ContactCreated { contact { version } }
    ... on ContactUpdated { contact { version } }
  }
}
"""
BULK = """
mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created updated } }
"""
PAGE = "{ contacts(first: 100) { totalCount nodes { email tags customFields } } }"


@pytest.fixture(scope="module")
def bouncer() -> Iterator[PgBouncer]:
    cluster = Cluster("-F")
    cluster.start()
    bouncer = PgBouncer(cluster, CONNECTIONS)
    try:
        bouncer.start()
        yield bouncer
    finally:
        bouncer.stop()
        cluster.stop()
        cluster.remove()


@pytest.fixture
def url(bouncer: PgBouncer) -> str:
    """An empty database of the test's own."""
    name = str(make_url(empty_postgresql(bouncer.cluster)).database)
    return bouncer.url(name)


@pytest.fixture
async def apis(url: str) -> AsyncIterator[list[Client]]:
    """Clients of the same workspace, each of a server of its own, as if of several processes."""
    settings = Settings(
        _env_file=None,
        database_url=url,
        database_prepared_statements=False,
        database_pool_timeout_seconds=2,
        operation_timeout_seconds=60,
    )
    database = Database(url, settings)
    await asyncio.gather(*(migrate(database) for _ in range(PROCESSES)))
    assert await is_current(database)
    async with AsyncExitStack() as opened:
        opened.push_async_callback(database.close)
        found = []
        for number in range(PROCESSES):
            app = create_app(settings)
            await opened.enter_async_context(app.router.lifespan_context(app))
            http = await opened.enter_async_context(InProcess(app))
            found.append(await client_of(http, database, "ours", is_new=number == 0))
        yield found


async def test_racing_upserts_create_one_contact_and_count_its_versions(apis: list[Client]) -> None:
    for number in range(ROUNDS):
        calls = [
            apis[caller % PROCESSES](
                UPSERT, input={"email": f"a{number}@example.com", "company": str(caller)}
            )
            for caller in range(CALLERS)
        ]
        answers = await asyncio.gather(*calls)
        assert Counter(answer["__typename"] for answer in answers) == {
            "ContactCreated": 1,
            "ContactUpdated": CALLERS - 1,
        }
        versions = sorted(answer["contact"]["version"] for answer in answers)
        assert versions == list(range(1, CALLERS + 1))


async def test_bulks_and_pages_at_once(apis: list[Client]) -> None:
    inputs = [
        {"email": f"a{number}@example.com", "tags": ["a"], "customFields": {"plan": "pro"}}
        for number in range(50)
    ]
    bulks = [apis[caller % PROCESSES](BULK, inputs=inputs) for caller in range(8)]
    pages = [apis[caller % PROCESSES](PAGE) for caller in range(8)]
    answers = await asyncio.gather(*bulks, *pages)
    assert sum(answer["created"] for answer in answers[: len(bulks)]) == len(inputs)
    page = await apis[0](PAGE)
    assert page["totalCount"] == len(inputs)
    assert all(node["customFields"] == {"plan": "pro"} for node in page["nodes"])


async def test_timeouts_hold_though_connections_are_shared(url: str) -> None:
    shown = text("SELECT current_setting('statement_timeout'), pg_sleep(0.01)")

    async def asked(database: Database) -> str:
        async with database.read_directory() as session:
            return str((await session.exec(shown)).scalar())  # type: ignore[call-overload]  # exec knows no text()

    async with AsyncExitStack() as opened:
        databases = []
        for seconds in (7, 8):
            settings = DatabaseSettings(
                database_prepared_statements=False, database_statement_timeout_seconds=seconds
            )
            databases.append(Database(url, settings))
            opened.push_async_callback(databases[-1].close)
        answers = await asyncio.gather(*(asked(databases[call % 2]) for call in range(40)))
    assert answers == ["7s", "8s"] * 20


async def test_statement_that_takes_too_long_is_timed_out(url: str) -> None:
    settings = DatabaseSettings(
        database_prepared_statements=False, database_statement_timeout_seconds=0.1
    )
    database = Database(url, settings)

    async def sleep() -> None:
        async with database.read_directory() as session:
            await session.exec(text("SELECT pg_sleep(60)"))  # type: ignore[call-overload]  # exec knows no text()

    with pytest.raises(TimedOut):
        await sleep()
    await database.close()


async def test_database_that_goes_away_and_comes_back(
    apis: list[Client], bouncer: PgBouncer
) -> None:
    for away in (bouncer, bouncer.cluster):
        away.stop()
        try:
            answer = await apis[0].execute(PAGE)
            assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
            assert (await apis[0].http.get("/readyz")).status_code == 503
        finally:
            away.start()
        end = time.monotonic() + BACK_SECONDS
        while (await apis[0].http.get("/readyz")).status_code != 200:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        assert (await apis[0](PAGE))["totalCount"] == 0
