"""The media type of an answer is the one that Accept asks for, and its status follows from it."""

from typing import Any

import httpx
import pytest

from tests.support.client import Client
from tests.support.databases import on_sqlite
from tests.support.requests import COUNT, CREATE, FIND, JSON, RESPONSE_JSON, VIEWER, code, post_json


@on_sqlite
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("APPLICATION/JSON", JSON),
        ("application/graphql-response+json", RESPONSE_JSON),
        ("application/graphql-response+json, application/json;q=0.9", RESPONSE_JSON),
        ("application/json, application/graphql-response+json", JSON),
        ("text/html, application/graphql-response+json;q=0.5", RESPONSE_JSON),
        ("text/html,*/*;q=0.1", JSON),
        ("application/json;q=0.5, application/graphql-response+json", RESPONSE_JSON),
        ("application/json;q=0.5, application/graphql-response+json; Q=0.25", JSON),
        ("application/graphql-response+json;q=0, application/json;q=0.001", JSON),
    ],
)
async def test_answer_has_the_media_type_that_accept_asks_for(
    api: Client, accept: str, media_type: str
) -> None:
    headers = {"x-api-key": api.key} | ({"accept": accept} if accept else {})
    request = api.http.build_request("POST", "/graphql", json={"query": VIEWER}, headers=headers)
    if not accept:
        del request.headers["accept"]
    response = await api.http.send(request)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.headers["vary"] == "accept"


@on_sqlite
async def test_several_accept_headers_are_read_as_one(api: Client) -> None:
    headers = [("x-api-key", api.key), ("accept", "text/html"), ("accept", RESPONSE_JSON)]
    request = httpx.Request(
        "POST", "http://rollcall.test/graphql", json={"query": VIEWER}, headers=headers
    )
    response = await api.http.send(request)
    assert response.headers["content-type"] == f"{RESPONSE_JSON}; charset=utf-8"


@on_sqlite
@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "text/*", "image/png;q=1", f"{JSON};q=0.0"]
)
async def test_accept_without_json_is_refused(api: Client, accept: str) -> None:
    response = await post_json(api, {"query": CREATE}, accept=accept)
    assert (response.status_code, code(response)) == (406, "BAD_REQUEST")
    assert (await api(COUNT))["totalCount"] == 0


@on_sqlite
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"query": "{ viewer { "}, "GRAPHQL_PARSE_FAILED"),
        ({"query": ""}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{" * 500}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ viewer " * 300}, "GRAPHQL_PARSE_FAILED"),
        ({"query": f"{{ contacts(first: {'[' * 450}{']' * 450}) {{ totalCount }} }}"}, "GRAPHQL_"),
        ({"query": "{a " * 300 + "}" * 300}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{a " * 16 + "}" * 16}, "LIMIT_EXCEEDED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ viewer }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "fragment F on Query { viewer { scopes } }"}, ""),
        ({"query": "subscription { viewer { scopes } }"}, ""),
        ({"query": "type Query { a: Int }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": FIND}, "BAD_USER_INPUT"),
        ({"query": FIND, "variables": {"email": None}}, "BAD_USER_INPUT"),
        ({"query": FIND, "variables": {"email": 5}}, "BAD_USER_INPUT"),
        ({"query": FIND, "variables": {"email": ["a@example.com"]}}, "BAD_USER_INPUT"),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_request_that_is_not_executed_is_400_or_200_by_its_media_type(
    api: Client, body: dict[str, Any], expected: str
) -> None:
    for media_type, status in ((RESPONSE_JSON, 400), (JSON, 200)):
        response = await post_json(api, body, accept=media_type)
        assert code(response).startswith(expected)
        assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
        assert response.status_code in ({status} if expected else {status, 400})


@on_sqlite
async def test_error_of_a_field_is_200_with_data(api: Client) -> None:
    for media_type in (RESPONSE_JSON, JSON):
        query = '{ contact(by: {id: "x"}) { id } viewer { workspace { name } } }'
        response = await post_json(api, {"query": query}, accept=media_type)
        assert response.status_code == 200
        answer = response.json()
        assert answer["data"] == {"contact": None, "viewer": {"workspace": {"name": "ours"}}}
        assert answer["errors"][0]["path"] == ["contact"]
