"""How many operations run at once, and whose turn it is, depends on the workspace."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.api.http.admission import Admission
from app.database.sessions import Database
from tests.support.client import Client

OURS, THEIRS = UUID(int=1), UUID(int=2)


async def admitted(operations: list[tuple[UUID, int]]) -> list[tuple[UUID, int]]:
    """Those that run at once."""
    admission = Admission(receive_wait_seconds=10)
    running: list[tuple[UUID, int]] = []

    async def run(workspace_id: UUID, cost: int) -> None:
        async with admission.place(workspace_id, cost):
            running.append((workspace_id, cost))
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(run(*operation)) for operation in operations]
    for _ in range(10):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    return running


@pytest.mark.parametrize(("cost", "of_one"), [(5_000, 100), (5_001, 2)])
async def test_large_operations_of_a_workspace_run_a_few_at_a_time(cost: int, of_one: int) -> None:
    assert await admitted([(OURS, cost)] * 110) == [(OURS, cost)] * of_one


async def test_operations_of_another_workspace_and_small_ones_run_beside_them() -> None:
    running = await admitted([(OURS, 8_000)] * 5 + [(THEIRS, 8_000), (OURS, 4)])
    assert running == [(OURS, 8_000)] * 2 + [(THEIRS, 8_000), (OURS, 4)]
    running = await admitted([(OURS, 4)] * 200 + [(THEIRS, 4)])
    assert running == [(OURS, 4)] * 100 + [(THEIRS, 4)]


async def test_long_body_of_another_workspace_is_parsed_after_the_first_of_many(
    api: Client, stranger: Client, http: httpx.AsyncClient
) -> None:
    parsed: list[str] = []

    async def send(client: Client) -> None:
        headers = {"x-api-key": client.key, "content-type": "application/json"}
        response = await http.post("/graphql", content=b"x" * 40_000, headers=headers)
        assert response.status_code == 400  # nothing else happens to it
        parsed.append(client.key)

    for client in (api, stranger):
        await client("{ viewer { scopes } }")  # the keys are known
    await asyncio.gather(*(send(api) for _ in range(9)), send(stranger))
    assert parsed.index(stranger.key) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_long_bodies_are_received_a_few_at_a_time(
    api: Client, stranger: Client, http: httpx.AsyncClient
) -> None:
    document = b'{"query": "{ viewer { scopes } }", "variables": {"unused": "%b'
    receiving: list[Client] = []
    go_on = asyncio.Event()

    async def body(client: Client, size: int) -> AsyncIterator[bytes]:
        yield document % (b"x" * size)
        receiving.append(client)
        await go_on.wait()
        yield b'"}}'

    async def send(client: Client, size: int) -> int:
        headers = {"x-api-key": client.key, "content-type": "application/json"}
        answer = await http.post("/graphql", content=body(client, size), headers=headers)
        return answer.status_code

    for client in (api, stranger):
        await client("{ viewer { scopes } }")  # the keys are known
    sent = [(api, 70_000)] * 9 + [(api, 10), (stranger, 70_000)]
    tasks = [asyncio.create_task(send(*one)) for one in sent]
    for _ in range(20):
        await asyncio.sleep(0)
    assert receiving.count(api) == 6 + 1  # the short body needs no place
    assert receiving.count(stranger) == 1
    go_on.set()
    assert await asyncio.gather(*tasks) == [200] * len(sent)


@pytest.mark.own_database
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_short_bodies_of_many_values_wait_as_long_ones_do(
    database: Database, api: Client
) -> None:
    """Their objects take much more memory than their JSON."""
    upsert = "mutation ($input: ContactInput!) { upsertContact(input: $input) { __typename } }"
    custom_fields = {"values": [{"a": 1} for _ in range(1_000)]}
    contact = {"email": "ada@example.com", "customFields": custom_fields}
    body = json.dumps({"query": upsert, "variables": {"input": contact}}).encode()

    async def send() -> int:
        return (await api.http.post_graphql(api.key, body))[0]

    await api("{ viewer { scopes } }")  # the key is known
    places = 2 + 6 + 64  # parsed, which wait for the writer; received; not received
    async with database.write_directory() as session:
        await (await session.connection()).execute(text("UPDATE workspace SET name = name"))
        tasks = [asyncio.create_task(send()) for _ in range(places + 8)]
        done = asyncio.as_completed(tasks)
        assert [await next(done) for _ in range(8)] == [503] * 8
    assert [await one for one in done] == [200] * places
