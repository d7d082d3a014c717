"""Databases and applications with settings of a test's own, and a PostgreSQL that tests stop."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no types
import httpx
import pytest
from sqlalchemy import text

from app.database.migrate import migrate
from app.database.sessions import Database
from app.server.asgi import create_app
from app.settings import DatabaseSettings, Settings
from app.workspaces import workspaces
from tests.conftest import client_of
from tests.support.client import Client, InProcess
from tests.support.postgres import Cluster

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
BACK_SECONDS = 20
CONNECTIONS = 10

FIND = '{ contact(by: {email: "ada@example.com"}) { id } }'
PARTLY = '{ __typename contact(by: {email: "ada@example.com"}) { id } }'
UPSERT = 'mutation { upsertContact(input: {email: "ada@example.com"}) { __typename } }'

ENDLESS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n
"""


@pytest.fixture(scope="module")
def moody() -> Iterator[Cluster]:
    """A cluster that the tests may stop and start, with few connections to be had."""
    cluster = Cluster("-F", "-c", f"max_connections={CONNECTIONS}")
    cluster.start()
    asyncio.run(_migrate(cluster.url("postgres")))
    yield cluster
    cluster.stop()
    cluster.remove()


async def _migrate(url: str) -> None:
    database = Database(url)
    await migrate(database)
    async with database.write_directory() as session:
        await workspaces.create_workspace(session, "ours")
    await database.close()


@asynccontextmanager
async def connected(url: str, **settings: Any) -> AsyncIterator[Database]:
    database = Database(url, DatabaseSettings(**settings))
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def serving(url: str, **settings: Any) -> AsyncIterator[Client]:
    app = create_app(Settings(_env_file=None, database_url=url, **settings))
    async with (
        connected(url) as database,
        app.router.lifespan_context(app),
        InProcess(app) as client,
    ):
        yield await client_of(client, database, "ours", is_new=False)


async def ask(database: Database, statement: str = "SELECT 1") -> Any:
    async with database.read_directory() as session:
        return await (await session.connection()).scalar(text(statement))


async def post(api: Client, document: str, accept: str = JSON) -> httpx.Response:
    headers = {"x-api-key": api.key, "accept": accept}
    return await api.http.post("/graphql", json={"query": document}, headers=headers)


def code(response: httpx.Response) -> str:
    [error] = response.json()["errors"]
    return str(error["extensions"]["code"])


def assert_unavailable(response: httpx.Response, expected: str = "UNAVAILABLE") -> None:
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert code(response) == expected
    assert "data" not in response.json()


def connect(cluster: Cluster, database: str = "postgres") -> Any:
    return asyncpg.connect(user="postgres", host=str(cluster.folder), database=database)
