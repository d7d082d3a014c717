"""Answers are compressed for clients that ask for it, unless a secret is in them."""

import gzip
import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.http.compression import BYTES_ON_THE_LOOP, MINIMUM_BYTES
from app.api.http.negotiation import accepts_gzip
from tests.support.client import Client
from tests.support.databases import on_sqlite

UPSERT = """
mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created } }
"""
PAGE = "{ contacts(first: 100) { nodes { email notes } } }"


async def settle(api: Client, contacts: int, notes: str) -> None:
    inputs = [{"email": f"a{number}@example.com", "notes": notes} for number in range(contacts)]
    assert (await api(UPSERT, inputs=inputs))["created"] == contacts


async def raw(
    api: Client, query: str, accept_encoding: str | None = None
) -> tuple[httpx.Response, bytes]:
    """The answer, and its body as it was sent."""
    request = api.http.build_request(
        "POST", "/graphql", json={"query": query}, headers={"x-api-key": api.key}
    )
    del request.headers["accept-encoding"]
    if accept_encoding is not None:
        request.headers["accept-encoding"] = accept_encoding
    response = await api.http.send(request, stream=True)
    body = b"".join([chunk async for chunk in response.aiter_raw()])
    assert response.headers["content-length"] == str(len(body))
    return response, body


@on_sqlite
@pytest.mark.parametrize("length", [MINIMUM_BYTES, BYTES_ON_THE_LOOP + 1])
async def test_answer_is_compressed_for_clients_that_ask(api: Client, length: int) -> None:
    await settle(api, 20, "x" * (length // 20 + 1))
    plain, body = await raw(api, PAGE)
    assert "content-encoding" not in plain.headers
    for coding in ("gzip", "gzip, deflate, br", "br;q=1, GZIP;q=0.5", "*"):
        response, compressed = await raw(api, PAGE, coding)
        assert response.headers["content-encoding"] == "gzip"
        assert len(compressed) < len(body) / 2
        assert gzip.decompress(compressed) == body
        assert response.headers["vary"] == plain.headers["vary"] == "accept, accept-encoding"


@on_sqlite
async def test_answer_is_sent_as_it_is_to_clients_that_do_not_ask(api: Client) -> None:
    await settle(api, 20, "x" * 1000)
    for coding in ("", "identity", "br", "gzip;q=0", "gzip;q=0, *", "*;q=0"):
        response, body = await raw(api, PAGE, coding)
        assert "content-encoding" not in response.headers, coding
        assert len(json.loads(body)["data"]["contacts"]["nodes"]) == 20


@on_sqlite
async def test_short_answer_is_not_compressed(api: Client) -> None:
    await settle(api, 1, "x" * (MINIMUM_BYTES // 2))
    response, _ = await raw(api, PAGE, "gzip")
    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "accept"


@on_sqlite
async def test_answer_with_a_key_is_not_compressed(api: Client) -> None:
    call = 'createKey(input: {name: "a", scopes: [CONTACTS_READ]})'
    shown = " ".join(f"k{number}: {call} {{ key apiKey {{ id }} }}" for number in range(20))
    hidden = " ".join(
        f"k{number}: {call} {{ apiKey {{ id name scopes source createdAt expiresAt }} }}"
        for number in range(20)
    )
    for selected, coding in ((shown, None), (hidden, "gzip")):
        response, body = await raw(api, f"mutation {{ {selected} }}", "gzip")
        assert response.headers.get("content-encoding") == coding
        text = gzip.decompress(body) if coding else body
        assert len(text) > MINIMUM_BYTES
        assert "errors" not in json.loads(text)


@on_sqlite
async def test_one_long_answer_is_compressed_at_a_time(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await settle(api, 20, "x" * (BYTES_ON_THE_LOOP // 20))
    others: list[httpx.Response] = []

    async def meanwhile(compress: Any, body: bytes) -> Any:
        if not others:
            others.append((await raw(api, PAGE, "gzip"))[0])
        return compress(body)

    monkeypatch.setattr("app.api.http.compression.asyncio.to_thread", meanwhile)
    response, _ = await raw(api, PAGE, "gzip")
    assert response.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in others[0].headers
    later, _ = await raw(api, PAGE, "gzip")
    assert later.headers["content-encoding"] == "gzip"


@on_sqlite
async def test_schema_is_compressed_too(api: Client) -> None:
    response = await api.http.get("/schema.graphql", headers={"x-api-key": api.key})
    assert response.headers["content-encoding"] == "gzip"
    assert "type Query" in response.text


QUALITIES = st.sampled_from(["", ";q=0", ";q=0.0", ";q=0.001", "; Q=1", ";q=1.000"])


@given(st.dictionaries(st.sampled_from(["gzip", "br", "deflate", "identity", "*"]), QUALITIES))
def test_gzip_is_accepted_if_its_own_quality_or_that_of_the_rest_is_above_0(
    qualities: dict[str, str],
) -> None:
    quality = qualities.get("gzip", qualities.get("*", ";q=0"))
    header = ", ".join(f"{coding}{quality}" for coding, quality in qualities.items())
    assert accepts_gzip([header]) == (quality not in (";q=0", ";q=0.0"))
