"""Which operation of a document is executed."""

import pytest

from tests.support.client import Client
from tests.support.databases import on_sqlite
from tests.support.requests import COUNT, CREATE, VIEWER, code, post_json


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
