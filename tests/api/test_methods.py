"""What GET, HEAD and other methods may do."""

import pytest

from tests.support.client import Client
from tests.support.databases import on_sqlite
from tests.support.requests import COUNT, CREATE, FIND, VIEWER, code, get


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
