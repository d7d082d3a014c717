"""The headers that tell browsers what they must not do with an answer."""

import httpx
import pytest

from tests.support.client import Client
from tests.support.databases import on_sqlite

JSON = "application/json"
NOTHING = "default-src 'none'; frame-ancestors 'none'"


async def answers(api: Client) -> list[httpx.Response]:
    """One of each part of the server that can answer, with all kinds of statuses."""
    http, key = api.http, {"x-api-key": api.key}
    long = {"x-padding": "a" * 20_000}
    query = {"query": "{ viewer { scopes } }"}
    return [
        await http.post("/graphql", json=query, headers=key),
        await http.get("/graphql", params=query, headers=key),
        await http.post("/graphql", json=query),
        await http.post("/graphql", json=[], headers=key),
        await http.post("/graphql", content=b"x", headers=key),
        await http.post("/graphql", json=query, headers=key | {"accept": "text/html"}),
        await http.post("/graphql", content=b" " * 5_000_000, headers=key | {"content-type": JSON}),
        await http.post("/graphql", json=query, headers=key | long),
        await http.delete("/graphql", headers=key),
        await http.get("/schema.graphql", headers=key),
        await http.get("/schema.graphql"),
        await http.get("/healthz"),
        await http.get("/readyz"),
        await http.get("/readyz", headers=long),
        await http.get("/nowhere"),
        await http.get("/"),
    ]


@on_sqlite
async def test_every_answer_has_them(api: Client) -> None:
    responses = await answers(api)
    statuses = {response.status_code for response in responses}
    assert statuses >= {200, 307, 400, 401, 404, 405, 406, 413, 415, 431}
    for response in responses:
        assert response.headers.get_list("x-content-type-options") == ["nosniff"]
        assert response.headers.get_list("referrer-policy") == ["no-referrer"]
        assert response.headers.get_list("content-security-policy") == [NOTHING]
        assert "server" not in response.headers


@on_sqlite
async def test_unexpected_error_has_them(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("app.workspaces.keys.Authenticator.caller", fail)
    for method, path in (("POST", "/graphql"), ("GET", "/schema.graphql")):
        response = await api.http.request(method, path, headers={"x-api-key": api.key})
        assert response.status_code == 500
        assert response.headers["content-security-policy"] == NOTHING
        assert response.headers["x-content-type-options"] == "nosniff"


@on_sqlite
async def test_page_has_a_policy_of_its_own(api: Client) -> None:
    """That the policy admits all of the page's assets is seen in test_graphiql.py."""
    response = await api.http.get("/graphiql/")
    [policy] = response.headers.get_list("content-security-policy")
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy or response.status_code == 503
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]
    assert response.headers.get_list("referrer-policy") == ["no-referrer"]
