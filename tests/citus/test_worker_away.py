"""A worker that is away: 503 for the workspaces that it has, and for no others."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

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


def test_worker_that_is_away_is_unavailable_for_its_workspaces_alone(nodes: list[Cluster]) -> None:
    url = Citus.of(nodes).create_distributed()
    asyncio.run(_go_away_and_come_back(nodes, url))


async def _go_away_and_come_back(nodes: list[Cluster], url: str) -> None:
    _, worker, other = nodes
    limit = 1_000_000  # leases are of the workspace too
    app = create_app(Settings(_env_file=None, database_url=url, rate_limit_points_per_second=limit))
    database = Database(url)
    async with app.router.lifespan_context(app), InProcess(app) as http:
        ours, theirs = [
            await client_of(http, database, await workspace_on(database, node), is_new=False)
            for node in (worker, other)
        ]
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
    await database.close()
