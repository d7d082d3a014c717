"""How many operations run at once, and whose turn it is, depends on the workspace."""

import asyncio
from uuid import UUID

import httpx
import pytest

from app.api.http.admission import Admission
from tests.support.client import Client

OURS, THEIRS = UUID(int=1), UUID(int=2)


async def admitted(operations: list[tuple[UUID, int]]) -> list[tuple[UUID, int]]:
    """Those that run at once."""
    admission = Admission()
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


@pytest.mark.parametrize(("cost", "of_one"), [(5_000, 20), (5_001, 2)])
async def test_large_operations_of_a_workspace_run_a_few_at_a_time(cost: int, of_one: int) -> None:
    assert await admitted([(OURS, cost)] * 20) == [(OURS, cost)] * of_one


async def test_operations_of_another_workspace_and_small_ones_run_beside_them() -> None:
    running = await admitted([(OURS, 8_000)] * 5 + [(THEIRS, 8_000), (OURS, 4)])
    assert running == [(OURS, 8_000)] * 2 + [(THEIRS, 8_000), (OURS, 4)]


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
async def test_long_bodies_of_a_workspace_wait_up_to_a_number_of_bytes(
    api: Client, stranger: Client, http: httpx.AsyncClient
) -> None:
    async def send(client: Client, size: int) -> httpx.Response:
        body = {"query": "{ viewer { scopes } }", "variables": {"unused": "x" * size}}
        return await http.post("/graphql", json=body, headers={"x-api-key": client.key})

    for client in (api, stranger):
        assert (await send(client, 10)).status_code == 200  # the keys are known
    ours = [send(api, 1_200_000) for _ in range(8)]
    answers = await asyncio.gather(*ours, send(api, 60_000), send(stranger, 1_200_000))
    # Two are parsed, one waits; small bodies and another workspace are served beside them.
    assert [one.status_code for one in answers] == [200] * 3 + [503] * 5 + [200] * 2
    assert answers[3].headers["retry-after"] == "1"
    assert "wait" in answers[3].json()["errors"][0]["message"]
