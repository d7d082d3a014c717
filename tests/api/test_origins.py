"""Pages of other origins (CORS): what a browser asks, and what it needs to be told."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from app.settings import Settings
from tests.support.client import Client
from tests.support.databases import on_sqlite
from tests.support.serving import serving

PAGE = "https://app.example.com"
LOCAL_PAGE = "http://localhost:3000"
OTHER = "https://app.example.com.evil.example"
QUERY = {"query": "{ viewer { workspace { name } } }"}
EXPOSED = {
    "x-request-id",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
}


@pytest.fixture
async def open_to_page(database_url: str, api: Client) -> AsyncIterator[Client]:
    async with serving(database_url, allowed_origins=f"{PAGE}, {LOCAL_PAGE}") as http:
        yield Client(http, api.key)


async def preflight(http: httpx.AsyncClient, origin: str, method: str = "POST") -> httpx.Response:
    headers = {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "content-type,x-api-key,traceparent",
    }
    return await http.options("/graphql", headers=headers)


async def call(client: Client, content: Any = None, **headers: str) -> httpx.Response:
    sent = {"x-api-key": client.key, "content-type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    body: dict[str, Any] = {"json": QUERY} if content is None else {"content": content}
    return await client.http.post("/graphql", headers=sent, **body)


def allowed_by(response: httpx.Response) -> list[str]:
    return response.headers.get_list("access-control-allow-origin")


@on_sqlite
async def test_preflight_is_answered_without_a_key(open_to_page: Client) -> None:
    for origin in (PAGE, LOCAL_PAGE):
        response = await preflight(open_to_page.http, origin)
        assert response.status_code == 200
        assert allowed_by(response) == [origin]
        assert response.headers["access-control-allow-methods"] == "GET, POST"
        allowed = response.headers["access-control-allow-headers"]
        assert allowed == "content-type,x-api-key,traceparent"
        assert "access-control-allow-credentials" not in response.headers
        assert "Origin" in response.headers["vary"]
        assert response.headers["x-request-id"]


@on_sqlite
@pytest.mark.parametrize("origin", [OTHER, "http://app.example.com", f"{PAGE}:444", "null", "*"])
async def test_other_origins_are_not_allowed(open_to_page: Client, origin: str) -> None:
    answered = [
        await preflight(open_to_page.http, origin),
        await call(open_to_page, origin=origin),
        await call(open_to_page),
    ]
    assert answered[0].status_code == 400
    for response in answered:
        assert allowed_by(response) == []


@on_sqlite
async def test_preflight_allows_only_the_methods_that_are_served(database_url: str) -> None:
    production = {"environment": "production", "allowed_origins": PAGE}
    async with serving(database_url, **production) as http:
        response = await preflight(http, PAGE)
        assert response.headers["access-control-allow-methods"] == "POST"
        for method in ("GET", "DELETE"):
            assert (await preflight(http, PAGE, method)).status_code == 400


@on_sqlite
async def test_page_can_read_every_answer_and_its_headers(
    open_to_page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("secret")

    responses = [
        await call(open_to_page, origin=PAGE),
        await call(open_to_page, "[]", origin=PAGE),
        await call(open_to_page, origin=PAGE, x_api_key="nonsense"),
        await call(open_to_page, origin=PAGE, accept="text/html"),
        await call(open_to_page, b" " * 5_000_000, origin=PAGE),
        await call(open_to_page, origin=PAGE, content_type="text/plain"),
        await call(open_to_page, origin=PAGE, x_padding="a" * 20_000),
    ]
    monkeypatch.setattr("app.workspaces.keys.Authenticator.caller", fail)
    responses.append(await call(open_to_page, origin=PAGE))
    statuses = [response.status_code for response in responses]
    assert statuses == [200, 400, 401, 406, 413, 415, 431, 500]
    for response in responses:
        assert allowed_by(response) == [PAGE]
        assert set(response.headers["access-control-expose-headers"].split(", ")) == EXPOSED
        assert "Origin" in response.headers["vary"]


@on_sqlite
async def test_page_can_read_that_the_database_is_away(api: Client) -> None:
    away = "postgresql+asyncpg://postgres@127.0.0.1:1/rollcall"
    async with serving(away, allowed_origins=PAGE) as http:
        response = await call(Client(http, api.key), origin=PAGE)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert allowed_by(response) == [PAGE]
    assert "retry-after" in response.headers["access-control-expose-headers"]


@on_sqlite
async def test_no_origin_is_allowed_by_default(database_url: str, api: Client) -> None:
    async with serving(database_url, environment="production") as http:
        for client in (api, Client(http, api.key)):
            answered = [await preflight(client.http, PAGE), await call(client, origin=PAGE)]
            assert [response.status_code for response in answered] == [405, 200]
            for response in answered:
                found = [name for name in response.headers if name.startswith("access-control")]
                assert found == []


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com/",
        "https://app.example.com/page",
        "https://App.example.com",
        "https://app.example.com:443",
        "http://localhost:80",
        "https://bücher.example",
        "app.example.com",
        "https://",
        "https://*.example.com",
        "null",
    ],
)
def test_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError, match="must be an origin as browsers send it"):
        Settings(_env_file=None, allowed_origins=f"{PAGE}, {origin}")


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        PAGE,
        "http://localhost",
        "http://localhost:8080",
        "https://xn--bcher-kva.example",
        "https://10.0.0.7:8443",
        "http://[::1]:3000",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnop",
    ],
)
def test_origin_that_a_browser_sends_is_taken(origin: str) -> None:
    assert Settings(_env_file=None, allowed_origins=origin).allowed_origins == (origin,)
