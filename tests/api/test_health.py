"""What the server answers about its health, and to requests when its database is away."""

import threading

import httpx
import pytest

from app.database.sessions import Database
from tests.support.client import Client
from tests.support.databases import alter
from tests.support.requests import VIEWER, code, post_json
from tests.support.serving import serving


async def test_server_on_a_migrated_database_is_ready(http: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/readyz"):
        assert (await http.get(path)).status_code == 200


@pytest.mark.own_database
async def test_server_on_a_database_that_needs_migration_is_healthy_and_not_ready(
    http: httpx.AsyncClient, database: Database
) -> None:
    for statement in ("DELETE FROM alembic_version", "DROP TABLE alembic_version"):
        await alter(database, statement)
        response = await http.get("/readyz")
        assert response.status_code == 503
        assert "rollcall migrate" in response.text
        assert (await http.get("/healthz")).status_code == 200


AWAY = [
    "sqlite+aiosqlite:////nowhere/rollcall.db",
    "postgresql+asyncpg://postgres@127.0.0.1:1/rollcall",
    "postgresql+asyncpg://postgres@/rollcall?host=/nowhere",
]


@pytest.mark.parametrize("url", AWAY)
async def test_server_without_its_database_is_healthy_and_not_ready(url: str) -> None:
    others = set(threading.enumerate())
    async with serving(url) as http:
        assert (await http.get("/healthz")).status_code == 200
        response = await http.get("/readyz")
        for thread in set(threading.enumerate()) - others:
            if "_connection_worker_thread" in thread.name:
                thread.join()  # aiosqlite's, which without a connection ends when it will
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.text.startswith("not ready: ")
    assert "nowhere" not in response.text


@pytest.mark.parametrize("url", AWAY[1:])
async def test_request_without_the_database_is_503_and_may_be_tried_again(
    url: str, api: Client
) -> None:
    async with serving(url) as http:
        response = await post_json(Client(http, api.key), {"query": VIEWER})
    assert (response.status_code, code(response)) == (503, "UNAVAILABLE")
    assert response.headers["retry-after"] == "1"
