"""GraphQL over HTTP beyond the public audits: what is refused, with which status, and how."""

import json
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from app import logs
from app.api.graphql import read
from app.database.sessions import Database
from tests.support.client import Client
from tests.support.serving import serving

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"

VIEWER = "{ viewer { workspace { name } } }"
FIND = "query ($email: String!) { contact(by: {email: $email}) { id } }"
CREATE = 'mutation Create { createContact(input: {email: "a@example.com"}) { __typename } }'
COUNT = "{ contacts { totalCount } }"

# What is tested here has nothing to do with the database.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def post(
    client: Client, content: Any, content_type: str = JSON, **headers: str
) -> httpx.Response:
    sent = {"x-api-key": client.key, "content-type": content_type}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.http.post("/graphql", content=content, headers=sent)


async def post_json(client: Client, body: Any, **headers: str) -> httpx.Response:
    return await post(client, json.dumps(body), **headers)


async def get(client: Client, **parameters: str) -> httpx.Response:
    return await client.http.get("/graphql", params=parameters, headers={"x-api-key": client.key})


def code(response: httpx.Response) -> str:
    """The code of an answer that has one error and no data."""
    answer = response.json()
    assert "data" not in answer
    [error] = answer["errors"]
    found: str = error["extensions"]["code"]
    return found


# --- Accept and the statuses that follow from it


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
async def test_variable_that_is_refused_is_named(api: Client) -> None:
    response = await post_json(api, {"query": FIND, "variables": {"email": 5}})
    [error] = response.json()["errors"]
    [broken] = error["extensions"]["errors"]
    assert (broken["code"], broken["field"]) == ("INVALID_FORMAT", "email")


@on_sqlite
async def test_error_of_a_field_is_200_with_data(api: Client) -> None:
    for media_type in (RESPONSE_JSON, JSON):
        query = '{ contact(by: {id: "x"}) { id } viewer { workspace { name } } }'
        response = await post_json(api, {"query": query}, accept=media_type)
        assert response.status_code == 200
        answer = response.json()
        assert answer["data"] == {"contact": None, "viewer": {"workspace": {"name": "ours"}}}
        assert answer["errors"][0]["path"] == ["contact"]


# --- The body


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
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
async def test_number_that_is_not_finite_is_refused_as_a_variable(api: Client, number: str) -> None:
    query = "query ($size: Int) { contacts(first: $size) { totalCount } }"
    body = json.dumps({"query": query, "variables": {"size": "#"}}).replace('"#"', number)
    response = await post(api, body)
    assert code(response) == "BAD_USER_INPUT"
    assert response.json()["errors"][0]["extensions"]["errors"][0]["field"] == "size"


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


# --- GET, and which operation of a document is meant


@on_sqlite
async def test_query_may_be_sent_by_get(api: Client) -> None:
    response = await get(api, query=FIND, variables='{"email": "a@example.com"}')
    assert response.status_code == 200
    assert response.json() == {"data": {"contact": None}, "extensions": {"cost": 4}}


@on_sqlite
@pytest.mark.parametrize("variables", ["{", "[]", '"x"', "NaN", "[" * 3000])
async def test_get_with_broken_variables_is_400(api: Client, variables: str) -> None:
    response = await get(api, query=VIEWER, variables=variables)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert "variables" in response.json()["errors"][0]["message"]


@on_sqlite
async def test_get_without_a_query_is_400(api: Client) -> None:
    assert (await get(api)).status_code == 400


@on_sqlite
async def test_mutation_by_get_is_405_and_changes_nothing(api: Client) -> None:
    for parameters in (
        {"query": CREATE},
        {"query": f"query Read {VIEWER} {CREATE}", "operationName": "Create"},
    ):
        response = await get(api, **parameters)
        assert (response.status_code, code(response)) == (405, "BAD_REQUEST")
        assert response.headers["allow"] == "POST"
    assert (await api(COUNT))["totalCount"] == 0


@on_sqlite
@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_no_other_method_executes_anything(api: Client, method: str) -> None:
    for where in ({"json": {"query": CREATE}}, {"params": {"query": CREATE}}):
        await api.http.request(method, "/graphql", headers={"x-api-key": api.key}, **where)  # type: ignore[arg-type]  # either
    assert (await api(COUNT))["totalCount"] == 0


@on_sqlite
async def test_head_is_answered_as_get_is(api: Client) -> None:
    headers = {"x-api-key": api.key}
    response = await api.http.head("/graphql", params={"query": VIEWER}, headers=headers)
    assert response.status_code == 200


@on_sqlite
@pytest.mark.parametrize(
    ("query", "name"),
    [
        (f"query A {VIEWER}", "B"),
        (VIEWER, "A"),
        (f"query A {VIEWER} query B {VIEWER}", None),
        (f"query A {VIEWER} query B {VIEWER}", ""),
        (f"query A {VIEWER} query B {VIEWER}", "C"),
        (f"query A {VIEWER} {CREATE}", None),
    ],
)
async def test_ambiguous_operation_is_400_and_runs_none(
    api: Client, query: str, name: str | None
) -> None:
    response = await post_json(api, {"query": query, "operationName": name})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert "operationName" in response.json()["errors"][0]["message"]
    assert (await api(COUNT))["totalCount"] == 0


@on_sqlite
async def test_operation_is_chosen_by_its_name(api: Client) -> None:
    query = f"query A {VIEWER} query B {COUNT} {CREATE}"
    response = await post_json(api, {"query": query, "operationName": "B"})
    assert response.json()["data"] == {"contacts": {"totalCount": 0}}
    response = await post_json(api, {"query": query, "operationName": "Create"})
    assert response.json()["data"] == {"createContact": {"__typename": "ContactCreated"}}


# --- Request ids, and what is not expected


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


async def alter(database: Database, statement: str) -> None:
    async with database.write_directory() as session:
        await (await session.connection()).execute(text(statement))


# --- Health


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


# --- Production


@pytest.fixture
async def production(database_url: str, api: Client) -> AsyncIterator[Client]:
    async with serving(database_url, environment="production") as http:
        yield Client(http, api.key)


@on_sqlite
@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Contact") { name } }',
        "{ ...F } fragment F on Query { __schema { queryType { name } } }",
    ],
)
async def test_introspection_is_for_development_unless_turned_on(
    database_url: str, api: Client, production: Client, query: str
) -> None:
    assert "errors" not in await api.execute(query)
    answer = await production.execute(query)
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    async with serving(database_url, environment="production", introspection=True) as http:
        assert "errors" not in await Client(http, api.key).execute(query)


@on_sqlite
async def test_suggestions_are_for_development_unless_introspection_is_turned_on(
    database_url: str, api: Client, production: Client
) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("{ viewe { scopes } }", {}),
        ("{ contacts(firs: 1) { totalCount } }", {}),
        ("{ contacts(orderBy: {field: CREATED_A}) { totalCount } }", {}),
        ("{ viewer { scopes } ... on Quer { viewer { scopes } } }", {}),
        ("query ($o: ContactOrder) { contacts(orderBy: $o) { totalCount } }", {"o": {"fiel": 1}}),
        (
            "query ($o: ContactOrder) { contacts(orderBy: $o) { totalCount } }",
            {"o": {"field": "CREATED_A"}},
        ),
    ]
    async with serving(database_url, environment="production", introspection=True) as http:
        for query, variables in calls:
            for client in (api, Client(http, api.key)):
                answer = await client.execute(query, **variables)
                assert "Did you mean" in json.dumps(answer), query
            refused = await production.execute(query, **variables)
            assert refused["errors"]
            assert "Did you mean" not in json.dumps(refused)


@on_sqlite
async def test_get_and_graphiql_are_for_development_unless_turned_on(
    database_url: str, api: Client, production: Client
) -> None:
    opened = {"introspection": True, "graphiql": True, "get_requests": True}
    async with serving(database_url, environment="production", **opened) as http:
        for client in (api, Client(http, api.key)):
            assert (await get(client, query=VIEWER)).status_code == 200
            assert (await client.http.get("/")).headers["location"] == "/graphiql/"
            assert (await client.http.get("/graphiql/")).status_code in (200, 503)
    response = await get(production, query=VIEWER)
    assert response.status_code == 405
    assert "data" not in response.text
    assert (await production.http.get("/graphiql/index.html")).status_code == 404
    for path in ("/", "/graphiql", "/graphiql/"):
        response = await production.http.get(path)
        assert response.status_code == 404
        [line] = response.text.splitlines()
        assert "GraphiQL is off" in line
        assert "docs/api.md" in line


@on_sqlite
async def test_development_can_be_closed_as_production_is(database_url: str, api: Client) -> None:
    closed = {"introspection": False, "graphiql": False, "get_requests": False}
    async with serving(database_url, **closed) as http:
        client = Client(http, api.key)
        assert "data" not in await client.execute("{ __schema { queryType { name } } }")
        assert (await get(client, query=VIEWER)).status_code == 405
        assert (await http.get("/graphiql/")).status_code == 404


@on_sqlite
async def test_production_serves_queries_and_mutations(production: Client) -> None:
    assert (await production(CREATE))["__typename"] == "ContactCreated"
    assert (await production("{ contacts { __typename totalCount } }"))["totalCount"] == 1


def test_graphiql_that_is_not_built_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from app.api import graphiql

    monkeypatch.setattr(graphiql, "BUILT", tmp_path)
    response = graphiql.graphiql()
    assert getattr(response, "status_code", None) == 503
    assert b"scripts/graphiql" in getattr(response, "body", b"")


@on_sqlite
async def test_a_document_that_is_too_long_is_refused_unread(api: Client) -> None:
    response = await post_json(api, {"query": f"{VIEWER} #{'x' * 250_000}"})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert "250,000 characters" in response.text


@on_sqlite
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("query ($n: Int = 5) { tags(first: $n) { tag } }", "first"),
        (
            "query ($n: OrderDirection = ASC) "
            "{ contacts(orderBy: {field: EMAIL, direction: $n}) { totalCount } }",
            "orderBy.direction",
        ),
        (
            "mutation ($n: Boolean = true) "
            '{ upsertContact(input: {email: "ada@example.com"}, dryRun: $n) { __typename } }',
            "dryRun",
        ),
    ],
)
async def test_null_for_a_non_null_argument_with_a_default_is_bad_input(
    api: Client, query: str, field: str
) -> None:
    assert await api.errors(query, n=None) == [("INVALID_FORMAT", field)]


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
