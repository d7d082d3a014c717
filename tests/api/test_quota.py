"""Each key has a bucket of points, which the costs of its operations empty and time fills."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import text

from app.database.sessions import Database
from app.server.asgi import create_app
from app.settings import RateLimit, Settings
from tests.conftest import client_of
from tests.support.client import Client, InProcess
from tests.support.databases import on_postgresql
from tests.support.statements import statements

BURST = 1_000  # and a point a second: a test takes too little time for more than a few
REFUSED = 100
SECONDS = 60  # more than a test takes
LIMITED = {
    "rate_limit_points_per_second": 1,
    "rate_limit_burst_points": BURST,
    "max_operation_cost": BURST,
}
SMALL = '{ contact(by: {email: "ada@example.com"}) { id } }'
PAGE = "{ contacts(first: 60) { edges { node { id } } } }"
CREATE = 'mutation { createContact(input: {email: "ada@example.com"}) { __typename } }'
VIEWER = "{ viewer { rateLimit { limit pointsPerSecond remaining resetAt } } }"
HEADERS = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]


@asynccontextmanager
async def serving(url: str, **settings: Any) -> AsyncIterator[InProcess]:
    """A server of its own, as another process would be."""
    app = create_app(Settings(_env_file=None, database_url=url, **LIMITED | settings))
    async with app.router.lifespan_context(app), InProcess(app) as client:
        yield client


@pytest.fixture
async def limited(database_url: str, database: Database) -> AsyncIterator[Client]:
    async with serving(database_url) as http:
        yield await client_of(http, database, "ours")


async def post(client: Client, query: str = SMALL, **options: Any) -> httpx.Response:
    content = options or {"json": {"query": query}}
    return await client.http.post("/graphql", headers={"x-api-key": client.key}, **content)


def cost(response: httpx.Response) -> int:
    points: int = response.json()["extensions"]["cost"]
    return points


def remaining(response: httpx.Response) -> int:
    return int(response.headers["x-ratelimit-remaining"])


def code(response: httpx.Response) -> str:
    [error] = response.json()["errors"]
    return str(error["extensions"]["code"])


async def spend_all(client: Client) -> None:
    """Leaves less than a page costs, and more than no point."""
    while remaining(response := await post(client, PAGE)) >= cost(response):
        assert response.status_code == 200


async def test_keys_are_not_limited_unless_that_is_set(api: Client) -> None:
    response = await post(api)
    assert not any(name in response.headers for name in HEADERS)
    assert (await api("{ viewer { rateLimit { limit } } }"))["rateLimit"] is None


async def test_answer_tells_the_points_that_remain(limited: Client) -> None:
    response = await post(limited, PAGE)
    assert response.headers["x-ratelimit-limit"] == str(BURST)
    left = BURST - cost(response)
    assert left <= remaining(response) <= left + SECONDS
    assert 0 < int(response.headers["x-ratelimit-reset"]) <= cost(response)


async def test_viewer_tells_the_points_that_remain(limited: Client) -> None:
    told = (await limited(VIEWER))["rateLimit"]
    assert (told["limit"], told["pointsPerSecond"]) == (BURST, 1)
    assert BURST - REFUSED < told["remaining"] < BURST
    assert told["resetAt"].endswith("Z")


async def test_operation_that_costs_more_than_remains_is_refused(limited: Client) -> None:
    await spend_all(limited)
    response = await post(limited, PAGE)
    assert response.status_code == 429
    assert code(response) == "RATE_LIMITED"
    assert "data" not in response.json()
    [error] = response.json()["errors"]
    for named in ("RATE_LIMIT_POINTS_PER_SECOND", "RATE_LIMIT_BURST_POINTS", "docs/api.md"):
        assert named in error["message"]
    seconds = int(response.headers["retry-after"])
    assert seconds == error["extensions"]["retryAfter"]
    assert error["extensions"]["cost"] - remaining(response) - 2 <= seconds <= BURST


async def test_mutation_that_is_refused_writes_nothing(limited: Client, database: Database) -> None:
    await spend_all(limited)
    created = 0
    while (await post(limited, CREATE.replace("ada", f"c{created}"))).status_code == 200:
        created += 1
    reader = await client_of(limited.http, database, "ours", is_new=False)
    assert 0 < len((await reader(PAGE))["edges"]) == created


async def test_another_key_of_the_workspace_has_points_of_its_own(
    limited: Client, database: Database
) -> None:
    other = await client_of(limited.http, database, "ours", is_new=False)
    await spend_all(limited)
    assert (await post(limited, PAGE)).status_code == 429
    assert (await post(other, PAGE)).status_code == 200


async def test_key_that_was_made_over_the_api_spends_the_points_of_its_maker(
    limited: Client,
) -> None:
    created = await limited(
        """mutation { createKey(input: {
          name: "page", scopes: [CONTACTS_READ], lifetimeSeconds: 60
        }) { key } }"""
    )
    await spend_all(Client(limited.http, created["key"]))
    assert (await post(limited, PAGE)).status_code == 429


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, {"json": {"query": "{ nonsense }"}}),
        (200, {"json": {"query": "{"}}),
        (200, {"json": {"query": "{ contacts(first: 100) { edges { node { metadata } } } }"}}),
        (400, {"json": ["a batch"]}),
        (400, {"content": b"{", "headers": {"content-type": "application/json"}}),
        (415, {"content": b"{}"}),
    ],
)
async def test_request_that_is_not_executed_costs_points_too(
    limited: Client, status: int, content: dict[str, Any]
) -> None:
    headers = {"x-api-key": limited.key} | content.get("headers", {})
    content = {name: value for name, value in content.items() if name != "headers"}
    responses = [
        await limited.http.post("/graphql", headers=headers, **content)
        for _ in range(BURST // REFUSED)
    ]
    assert [response.status_code for response in responses] == [status] * len(responses)
    left = [remaining(response) for response in responses]
    assert left == sorted(left, reverse=True)
    assert left[0] - left[-1] >= BURST - REFUSED - 50
    refused = [await limited.http.post("/graphql", headers=headers, **content) for _ in range(3)]
    assert refused[-1].status_code == 429


async def test_request_that_the_server_is_too_busy_for_costs_no_points(
    database_url: str, database: Database
) -> None:
    async with serving(database_url, max_concurrent_requests=1) as http:
        client = await client_of(http, database, "ours")
        [refused] = [
            one
            for one in await asyncio.gather(post(client), post(client))
            if one.status_code == 503
        ]
    assert remaining(refused) > BURST - REFUSED


async def test_operations_at_once_spend_no_more_than_the_bucket_has(limited: Client) -> None:
    responses = await asyncio.gather(*(post(limited, PAGE) for _ in range(40)))
    served = [response for response in responses if response.status_code == 200]
    assert len(served) == BURST // cost(served[0])
    assert {response.status_code for response in responses} == {200, 429}


@on_postgresql
async def test_processes_together_spend_no_more_than_the_bucket_has(
    database_url: str, database: Database
) -> None:
    async with serving(database_url) as one, serving(database_url) as another:
        client = await client_of(one, database, "ours")
        clients = [client, Client(another, client.key)]
        calls = [post(each, query) for each in clients for query in [SMALL, PAGE] * 20]
        responses = await asyncio.gather(*calls)
    spent = [cost(response) for response in responses if response.status_code == 200]
    assert BURST / 2 < sum(spent) <= BURST + SECONDS


@on_postgresql
async def test_points_of_a_lease_need_no_statement(database_url: str, database: Database) -> None:
    large = {"rate_limit_points_per_second": 1_000_000, "rate_limit_burst_points": 1_000_000}
    async with serving(database_url, **large) as http:
        client = await client_of(http, database, "ours")
        with statements() as seen:
            for _ in range(50):
                assert (await post(client)).status_code == 200
    assert len([one for one in seen if "key_quota" in one]) == 1


@on_postgresql
async def test_process_that_starts_finds_the_points_that_others_have_spent(
    database_url: str, database: Database
) -> None:
    async with serving(database_url) as http:
        client = await client_of(http, database, "ours")
        await spend_all(client)
    async with serving(database_url) as http:
        assert (await post(Client(http, client.key), PAGE)).status_code == 429


@on_postgresql
async def test_lease_that_takes_too_long_is_no_unexpected_error(
    database_url: str, database: Database
) -> None:
    async with serving(database_url, database_statement_timeout_seconds=0.1) as http:
        client = await client_of(http, database, "ours")
        async with database.write_directory() as session:
            await (await session.connection()).execute(text("LOCK TABLE key_quota"))
            response = await post(client)
        assert (response.status_code, code(response)) == (503, "TIMEOUT")
        assert (await post(client)).status_code == 200


def test_production_on_postgresql_limits_keys_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    postgresql = "postgresql+asyncpg://rollcall@/rollcall"

    def limit(**settings: Any) -> RateLimit | None:
        return Settings(_env_file=None, **settings).rate_limit

    by_default = RateLimit(2_000_000, 20_000_000)
    assert limit(environment="production", database_url=postgresql) == by_default
    assert limit(environment="production") is None
    assert limit(database_url=postgresql) is None
    off = {"rate_limit_points_per_second": 0}
    assert limit(environment="production", database_url=postgresql, **off) is None
    assert limit(rate_limit_points_per_second=20_000) == RateLimit(20_000, 200_000)


def test_default_bucket_fits_into_an_int_of_graphql() -> None:
    largest = Settings(_env_file=None, rate_limit_points_per_second=2_000_000_000)
    assert largest.rate_limit == RateLimit(2_000_000_000, 2_000_000_000)
    with pytest.raises(ValidationError, match="max_operation_cost"):
        Settings(_env_file=None, max_operation_cost=2_000_000_001)


def test_bucket_has_room_for_every_operation_that_is_allowed() -> None:
    small = Settings(_env_file=None, rate_limit_points_per_second=1, max_operation_cost=70_000)
    assert small.rate_limit == RateLimit(1, 70_000)
    with pytest.raises(ValidationError, match=r"\n  must be at least MAX_OPERATION_COST"):
        Settings(_env_file=None, rate_limit_burst_points=49_999)
