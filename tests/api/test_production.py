"""Introspection, suggestions, GET and GraphiQL are off in production unless turned on."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.databases import on_sqlite
from tests.support.requests import CREATE, VIEWER, get
from tests.support.serving import serving


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
