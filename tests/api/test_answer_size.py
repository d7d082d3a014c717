"""Answers are limited in bytes, and one that is too long is replaced by a typed error."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.http.answer_bytes import dumps, dumps_within
from app.errors import LimitExceeded
from tests.api.test_document_limits import RESPONSE_JSON, serving
from tests.support.client import Client

UPSERT = """
mutation ($inputs: [ContactInput!]!) {
    upsertContacts(inputs: $inputs) {
        created rows { result { ... on ContactCreated { contact { customFields } } } }
    }
}
"""
KEYS = """
query ($keys: [ContactKey!]!) {
    a: contactsByKey(keys: $keys) { customFields } b: contactsByKey(keys: $keys) { customFields }
}
"""
LARGE = 60_000


async def ask(client: Client, document: str, **variables: Any) -> httpx.Response:
    return await client.http.post(
        "/graphql",
        json={"query": document, "variables": variables},
        headers={"x-api-key": client.key, "accept": RESPONSE_JSON},
    )


def large(count: int) -> list[dict[str, Any]]:
    custom = {"text": "x" * LARGE}
    return [{"email": f"p{index}@example.com", "customFields": custom} for index in range(count)]


async def test_answer_over_the_limit_is_replaced_by_an_error(
    database_url: str, api: Client
) -> None:
    assert (await api(UPSERT, inputs=large(30)))["created"] == 30
    keys = [{"email": f"p{index}@example.com"} for index in range(30)]
    limit = 2 * 30 * LARGE
    async with serving(database_url, api, max_answer_bytes=limit) as client:
        response = await ask(client, KEYS, keys=keys)
        assert response.status_code == 400
        answer = response.json()
        assert "data" not in answer
        assert answer["extensions"]["cost"] > 0
        [error] = answer["errors"]
        assert error["extensions"] == {
            "code": "LIMIT_EXCEEDED",
            "limit": "MAX_ANSWER_BYTES",
            "allowed": limit,
        }
        assert f"at most {limit:,} bytes" in error["message"]
        response = await ask(client, KEYS, keys=keys[:29])
        assert response.status_code == 200
        assert 29 * 2 * LARGE < len(response.content) <= limit
        assert response.json()["data"]["a"] == response.json()["data"]["b"]
        assert len(response.json()["data"]["a"]) == 29


async def test_mutation_whose_answer_is_too_long_says_that_it_was_executed(
    database_url: str, api: Client
) -> None:
    async with serving(database_url, api, max_answer_bytes=100_000) as client:
        [error] = (await ask(client, UPSERT, inputs=large(30))).json()["errors"]
        assert error["extensions"]["limit"] == "MAX_ANSWER_BYTES"
        assert error["message"].startswith("The operation was executed, ")
    assert (await api("{ contacts { totalCount } }"))["totalCount"] == 30


def lengthened(items: list[Any], by: int) -> list[Any]:
    """Half of the lists have more items than are written at once."""
    return [*range(by), *items]


plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=3)
values = st.recursive(
    plain,
    lambda inner: (
        st.builds(lengthened, st.lists(inner, max_size=5), st.integers(0, 40))
        | st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=20,
)


@given(answer=st.dictionaries(st.text(max_size=3), values))
def test_answer_in_pieces_is_the_whole_answer(answer: dict[str, Any]) -> None:
    whole = dumps(answer)
    assert json.loads(whole) == answer
    assert dumps_within(answer, len(whole)) == whole
    with pytest.raises(LimitExceeded):
        dumps_within(answer, len(whole) - 1)
