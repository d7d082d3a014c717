"""Variables that do not fit are bad input, and the answer names them."""

import json

import pytest

from tests.support.client import Client
from tests.support.databases import on_sqlite
from tests.support.requests import FIND, code, post, post_json


@on_sqlite
async def test_variable_that_is_refused_is_named(api: Client) -> None:
    response = await post_json(api, {"query": FIND, "variables": {"email": 5}})
    [error] = response.json()["errors"]
    [broken] = error["extensions"]["errors"]
    assert (broken["code"], broken["field"]) == ("INVALID_FORMAT", "email")


@on_sqlite
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
async def test_number_that_is_not_finite_is_refused_as_a_variable(api: Client, number: str) -> None:
    query = "query ($size: Int) { contacts(first: $size) { totalCount } }"
    body = json.dumps({"query": query, "variables": {"size": "#"}}).replace('"#"', number)
    response = await post(api, body)
    assert code(response) == "BAD_USER_INPUT"
    assert response.json()["errors"][0]["extensions"]["errors"][0]["field"] == "size"


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
