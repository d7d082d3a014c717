"""An operation ends when its time is up, and leaves no statement behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no types
import httpx
import pytest
from sqlalchemy import make_url, text

from app.database.sessions import Database
from tests.api.test_document_limits import serving
from tests.support.client import Client
from tests.support.memory import leaving_no_contact

SECONDS = 0.2
UPSERT = "mutation ($input: ContactInput!) { upsertContact(input: $input) { __typename } }"
BULK = "mutation ($input: ContactInput!) { upsertContacts(inputs: [$input]) { created } }"
COUNT = "{ contacts { totalCount } }"
FOREVER = {"email": "endless@example.com", "name": "Endless"}
QUICK = {"email": "ada@example.com", "name": "Ada"}

# A contact of a certain name is written for ever.
SQLITE = [
    """CREATE VIEW endless AS
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS i FROM n""",
    """CREATE TRIGGER count_for_ever AFTER INSERT ON contact WHEN new.name = 'Endless' BEGIN
    SELECT i FROM endless; END""",
]
POSTGRESQL = [
    """CREATE FUNCTION sleep_for_ever() RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(3600); RETURN true; END $$""",
    """ALTER TABLE contact ADD CONSTRAINT endless
    CHECK (name IS DISTINCT FROM 'Endless' OR sleep_for_ever())""",
]
WORKING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()
"""


async def ask(client: Client, document: str, **variables: Any) -> httpx.Response:
    return await client.http.post(
        "/graphql",
        json={"query": document, "variables": variables},
        headers={"x-api-key": client.key},
    )


def assert_timed_out(response: httpx.Response) -> None:
    assert response.status_code == 503
    assert response.headers["retry-after"]
    answer = response.json()
    assert "data" not in answer
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "TIMEOUT"
    assert "longer than 0.2 seconds" in error["message"]
    assert "OPERATION_TIMEOUT_SECONDS" in error["message"]
    assert "docs/api.md" in error["message"]


async def make_endless(database: Database, database_url: str) -> None:
    async with database.write_directory() as session:
        for statement in SQLITE if database_url.startswith("sqlite") else POSTGRESQL:
            await (await session.connection()).execute(text(statement))


@pytest.mark.own_database
@pytest.mark.parametrize("document", [UPSERT, BULK], ids=["upsert", "bulk"])
async def test_write_ends_when_its_time_is_up(
    database_url: str, database: Database, api: Client, document: str
) -> None:
    await make_endless(database, database_url)
    async with serving(database_url, api, operation_timeout_seconds=SECONDS) as client:
        for _ in range(2):
            assert_timed_out(await ask(client, document, input=FOREVER))
        if not database_url.startswith("sqlite"):
            await until_nothing_works(database_url)
    # The writer is free, and nothing is left behind.
    assert (await api(UPSERT, input=QUICK))["__typename"] == "ContactCreated"
    assert (await api(COUNT))["totalCount"] == 1


@pytest.mark.own_database
async def test_bulk_whose_time_is_up_leaves_nothing_in_memory(
    database_url: str, database: Database, api: Client
) -> None:
    await make_endless(database, database_url)
    async with serving(database_url, api, operation_timeout_seconds=SECONDS) as client:
        with leaving_no_contact():
            response = await ask(client, BULK, input=FOREVER)
        assert_timed_out(response)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_read_ends_when_its_time_is_up(
    database_url: str, database: Database, api: Client
) -> None:
    async with (
        serving(database_url, api, operation_timeout_seconds=SECONDS) as client,
        locked_contacts(database_url),
    ):
        assert_timed_out(await ask(client, COUNT))
        assert_timed_out(await ask(client, '{ contact(by: {email: "a@example.com"}) { id } }'))
    assert (await api(COUNT))["totalCount"] == 0


async def test_operation_in_time_is_answered(database_url: str, api: Client) -> None:
    async with serving(database_url, api, operation_timeout_seconds=30) as client:
        assert (await client(UPSERT, input=QUICK))["__typename"] == "ContactCreated"


async def connected(database_url: str) -> Any:
    url = make_url(database_url)
    return await asyncpg.connect(user="postgres", host=url.query["host"], database=url.database)


@asynccontextmanager
async def locked_contacts(database_url: str) -> AsyncIterator[None]:
    connection = await connected(database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE contact")
            yield
    finally:
        await connection.close()


async def until_nothing_works(database_url: str) -> None:
    """A server that would leave a statement behind makes the test end by its timeout."""
    connection = await connected(database_url)
    try:
        while await connection.fetchval(WORKING):
            await connection.execute("SELECT pg_sleep(0.02)")
    finally:
        await connection.close()
