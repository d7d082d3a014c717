"""Unexpected errors are masked, and logged with the request id that every answer has."""

import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app import logs
from app.api.graphql import read
from app.database.sessions import Database
from tests.support.client import Client
from tests.support.databases import alter, on_sqlite
from tests.support.requests import COUNT, CREATE, VIEWER, post, post_json


@on_sqlite
async def test_every_answer_has_a_unique_request_id(api: Client) -> None:
    responses = [
        await post_json(api, {"query": VIEWER}),
        await post(api, b"{"),
        await api.http.post("/graphql"),
        await api.http.get("/nowhere"),
        await api.http.get("/healthz"),
    ]
    assert [response.status_code for response in responses] == [200, 400, 401, 404, 200]
    identities = {UUID(response.headers["x-request-id"]) for response in responses}
    assert len(identities) == len(responses)


@pytest.fixture
def lines(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """The log as the server writes it."""
    monkeypatch.setattr(caplog.handler, "formatter", logs.JsonFormatter())
    return caplog


def masked_in(response: httpx.Response, log: str) -> None:
    """The answer tells the request id and nothing else; the log has the id on the error's line."""
    identity = response.headers["x-request-id"]
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "requestId": identity}
    assert error["message"].endswith(f"{identity}.")
    for word in ("secret", "Error", "SELECT", "table", ".py", "Traceback"):
        assert word not in response.text
    [line] = [one for one in map(json.loads, log.splitlines()) if one["level"] == "ERROR"]
    assert (line["requestId"], line["message"]) == (identity, "unexpected error")
    assert line["error"].startswith('  File "')


@on_sqlite
async def test_unexpected_error_in_a_resolver_is_masked_and_logged_with_its_request_id(
    api: Client, lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = uuid4().hex

    async def fail(*_: Any) -> None:
        raise RuntimeError(value)

    monkeypatch.setattr(read, "find_each", fail)
    query = '{ contact(by: {email: "a@example.com"}) { id } viewer { workspace { name } } }'
    response = await post_json(api, {"query": query})
    assert response.status_code == 200
    assert response.json()["data"] == {"contact": None, "viewer": {"workspace": {"name": "ours"}}}
    masked_in(response, lines.text)
    assert "builtins.RuntimeError" in lines.text
    assert value not in lines.text


@pytest.mark.own_database
@pytest.mark.parametrize("query", [COUNT, CREATE])
async def test_unexpected_error_of_the_database_is_masked_and_logged_with_its_request_id(
    api: Client, database: Database, lines: pytest.LogCaptureFixture, query: str
) -> None:
    await alter(database, "ALTER TABLE contact RENAME TO secret")
    response = await post_json(api, {"query": query})
    assert response.status_code == 200
    masked_in(response, lines.text)


@pytest.mark.own_database
async def test_unexpected_error_outside_graphql_is_a_500_and_masked_too(
    api: Client, database: Database, lines: pytest.LogCaptureFixture
) -> None:
    await alter(database, "ALTER TABLE api_key RENAME TO secret")
    response = await post_json(api, {"query": VIEWER})
    assert response.status_code == 500
    masked_in(response, lines.text)


@pytest.mark.own_database
async def test_personal_data_is_not_logged_with_an_unexpected_error(
    api: Client, database: Database, lines: pytest.LogCaptureFixture
) -> None:
    await alter(database, "ALTER TABLE contact RENAME TO secret")
    query = 'mutation { createContact(input: {email: "ada@example.com"}) { __typename } }'
    await post_json(api, {"query": query})
    assert "unexpected error" in lines.text
    assert "ada@example.com" not in lines.text
    assert api.key not in lines.text
