"""Which bodies are read as a GraphQL request, and how the others are refused."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.databases import on_sqlite
from tests.support.requests import COUNT, CREATE, JSON, RESPONSE_JSON, VIEWER, code, post, post_json
from tests.support.serving import serving


@on_sqlite
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
    ],
)
async def test_content_type_other_than_utf8_json_is_refused(api: Client, content_type: str) -> None:
    response = await post(api, json.dumps({"query": CREATE}), content_type)
    assert (response.status_code, code(response)) == (415, "BAD_REQUEST")
    assert (await api(COUNT))["totalCount"] == 0


@on_sqlite
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", 'application/json; charset="UTF-8"'],
)
async def test_content_type_of_json_is_taken(api: Client, content_type: str) -> None:
    response = await post(api, json.dumps({"query": VIEWER}), content_type)
    assert response.status_code == 200


@on_sqlite
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity"])
async def test_compressed_body_is_refused(api: Client, encoding: str) -> None:
    response = await post(api, json.dumps({"query": VIEWER}), content_encoding=encoding)
    assert (response.status_code, code(response)) == (415, "BAD_REQUEST")


@on_sqlite
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "must be JSON"),
        (b"{", "must be JSON"),
        (b"null", "must be a JSON object"),
        (b'"{ viewer { scopes } }"', "must be a JSON object"),
        (b"1", "must be a JSON object"),
        (b"NaN", "must be a JSON object"),
        (b"1e400", "must be a JSON object"),
        (b"[]", "Batches are not supported"),
        (b'[{"query": "{ viewer { scopes } }"}]', "Batches are not supported"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"query": ' * 100_000, "nested too deeply"),
        (b'{"query": "{ viewer { scopes } }", "variables": ' + b"[" * 100_000, "nested too deeply"),
        (b"\xff\xfe", "must be UTF-8"),
        (b'{"query": "\xff"}', "must be UTF-8"),
        (b'{"query": "\xed\xa0\x80"}', "must be UTF-8"),
        (json.dumps({"query": VIEWER}).encode("utf-16"), "must be UTF-8"),
        (json.dumps({"query": VIEWER}).encode("utf-32-be"), ""),
        (b'{"query": "{ viewer { scopes } }", "variables": {"a": ' + b"9" * 5000 + b"}}", ""),
        (b"{}", "query must be a string"),
        (b'{"query": null}', "query must be a string"),
        (b'{"query": {"a": 1}}', "query must be a string"),
        (b'{"query": "{ viewer { scopes } }", "variables": []}', "variables must be an object"),
        (b'{"query": "{ viewer { scopes } }", "variables": "{}"}', "variables must be an object"),
        (b'{"query": "{ viewer { scopes } }", "extensions": 1}', "extensions must be an object"),
        (b'{"query": "{ viewer { scopes } }", "operationName": 1}', "operationName must be"),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_body_that_is_no_graphql_request_is_400(
    api: Client, body: bytes, message: str
) -> None:
    for media_type in (RESPONSE_JSON, JSON):
        response = await post(api, body, accept=media_type)
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
        assert message in response.json()["errors"][0]["message"]
        assert response.headers["content-type"] == f"{media_type}; charset=utf-8"


@on_sqlite
async def test_lone_surrogates_in_a_document_are_a_client_error(api: Client) -> None:
    for query in ('{ contact(by: {email: "\ud800"}) { id } }', "{ \ud800 }", "{ viewer } # \ud800"):
        response = await post_json(api, {"query": query})
        assert response.status_code == 200
        codes = {error["extensions"]["code"] for error in response.json()["errors"]}
        assert "INTERNAL_SERVER_ERROR" not in codes


@on_sqlite
async def test_body_over_the_limit_is_413(database_url: str, api: Client) -> None:
    limit = 1024
    fitting = json.dumps({"query": VIEWER}).ljust(limit)
    async with serving(database_url, max_body_bytes=limit) as http:
        limited = Client(http, api.key)
        assert (await post(limited, fitting)).status_code == 200
        for content in (fitting + " ", in_chunks((fitting + " ").encode())):
            response = await post(limited, content)
            assert (response.status_code, code(response)) == (413, "BAD_REQUEST")
            assert f"{limit:,}" in response.json()["errors"][0]["message"]


async def test_length_of_a_body_may_have_thousands_of_leading_zeros(api: Client) -> None:
    content = json.dumps({"query": VIEWER})
    headers = {
        "x-api-key": api.key,
        "content-type": "application/json",
        "content-length": str(len(content)).zfill(5_000),
    }
    response = await api.http.post("/graphql", content=content, headers=headers)
    assert response.status_code == 200


async def in_chunks(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), 100):
        yield body[at : at + 100]


@on_sqlite
async def test_client_disconnect_is_not_logged_as_an_error(
    api: Client, caplog: pytest.LogCaptureFixture
) -> None:
    app = api.http.app
    messages = [
        {"type": "http.request", "body": b'{"query":', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"x-api-key", api.key.encode()), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "headers": headers,
        "query_string": b"",
        "app": app,
    }
    await app(scope, receive, send)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@on_sqlite
async def test_a_document_that_is_too_long_is_refused_unread(api: Client) -> None:
    response = await post_json(api, {"query": f"{VIEWER} #{'x' * 250_000}"})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert "250,000 characters" in response.text


@on_sqlite
async def test_headers_of_the_body_follow_http(api: Client) -> None:
    for headers in (
        {"content-type": "application/json; charset=UTF-8; a=b"},
        {"content-type": "application/json; charset=utf-8;"},
        {"content-type": "application/json; profile=x"},
        {"content-type": JSON, "content-encoding": "Identity"},
    ):
        response = await api.http.post(
            "/graphql",
            content=json.dumps({"query": VIEWER}),
            headers={"x-api-key": api.key} | headers,
        )
        assert response.status_code == 200, headers
