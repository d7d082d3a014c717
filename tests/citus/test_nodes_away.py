"""A node that is away: 503 for what needs it, and for nothing else."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import make_url, text

from app.database.sessions import Database
from app.server.asgi import create_app
from app.settings import Settings
from app.workspaces import workspaces
from tests.conftest import client_of
from tests.support.citus import Citus, running
from tests.support.client import Client, InProcess
from tests.support.postgres import Cluster

UPSERT = "mutation ($email: String!) { upsertContact(input: {email: $email}) { __typename } }"
FIND = '{ contact(by: {email: "first@example.com"}) { email } }'
CREATE_KEY = """
mutation { createKey(input: {name: "x", scopes: [CONTACTS_READ]}) { apiKey { name } } }
"""
FOUND = {"contact": {"email": "first@example.com"}}
CREATED = {"upsertContact": {"__typename": "ContactCreated"}}

_NODE = text("""
    SELECT nodename FROM pg_dist_shard_placement
    WHERE shardid = get_shard_id_for_distribution_column('contact', CAST(:workspace_id AS uuid))
""")


@pytest.fixture
def nodes() -> Iterator[list[Cluster]]:
    with running() as nodes:
        yield nodes


async def workspace_on(database: Database, node: Cluster) -> str:
    """The name of a new workspace whose shards the node has."""
    number = 0
    while True:
        name, number = f"{node.folder.name} {number}", number + 1
        async with database.write_directory() as session:
            workspace_id: UUID = (await workspaces.create_workspace(session, name)).id
            connection = await session.connection()
            found = await connection.scalar(_NODE, {"workspace_id": str(workspace_id)})
        if found == str(node.folder):
            return name


async def answer(client: Client, document: str, **variables: Any) -> tuple[int, Any]:
    body = {"query": document, "variables": variables}
    response = await client.http.post("/graphql", json=body, headers={"x-api-key": client.key})
    told = response.json()
    return response.status_code, told.get("data") or told["errors"][0]["extensions"]["code"]


@asynccontextmanager
async def clients(nodes: list[Cluster], server: int) -> AsyncIterator[list[Client]]:
    """Of a workspace on each worker, by a server that is connected to the node of this number."""
    url = await asyncio.to_thread(Citus.of(nodes).create_distributed)
    name = make_url(url).database
    assert name is not None
    limit = 1_000_000  # leases are of the workspace too
    settings = Settings(
        _env_file=None,
        database_url=Citus.of(nodes).url(name, server),
        rate_limit_points_per_second=limit,
    )
    app = create_app(settings)
    database = Database(url)
    async with app.router.lifespan_context(app), InProcess(app) as http:
        yield [
            await client_of(http, database, await workspace_on(database, node), is_new=False)
            for node in nodes[1:]
        ]
    await database.close()


async def test_worker_that_is_away_is_unavailable_for_its_workspaces_alone(
    nodes: list[Cluster],
) -> None:
    worker = nodes[1]
    async with clients(nodes, server=0) as [ours, theirs]:
        for client in (ours, theirs):
            assert await answer(client, UPSERT, email="first@example.com") == (200, CREATED)
        worker.kill()
        assert await answer(ours, FIND) == (503, "UNAVAILABLE")
        assert await answer(ours, UPSERT, email="second@example.com") == (503, "UNAVAILABLE")
        assert await answer(theirs, FIND) == (200, FOUND)
        assert await answer(theirs, UPSERT, email="second@example.com") == (200, CREATED)
        worker.start()
        assert await answer(ours, FIND) == (200, FOUND)
        assert await answer(ours, UPSERT, email="second@example.com") == (200, CREATED)


async def test_server_on_a_worker_serves_all_workspaces_without_the_coordinator(
    nodes: list[Cluster],
) -> None:
    async with clients(nodes, server=1) as both:
        nodes[0].kill()
        for client in both:
            assert await answer(client, UPSERT, email="first@example.com") == (200, CREATED)
            assert await answer(client, FIND) == (200, FOUND)
        nodes[0].start()
        assert await answer(both[0], CREATE_KEY) == (200, {"createKey": {"apiKey": {"name": "x"}}})
