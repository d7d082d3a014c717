"""The headers of a request: how many and how long they may be, and how they are read."""

import json
from email.message import Message

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.http.body import charset
from app.api.http.negotiation import JSON, RESPONSE_JSON, negotiated
from app.errors import BadRequest
from tests.support.client import Client
from tests.support.databases import on_sqlite

QUERY = json.dumps({"query": "{ viewer { workspace { name } } }"})


def refused(response: httpx.Response, limit: str) -> None:
    assert response.status_code == 431
    assert response.headers["content-type"] == JSON
    assert response.headers["x-request-id"]
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert limit in error["message"]


@on_sqlite
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content-type", 'application/json;"' + ";" * 60_000),
        ("accept", "," * 4_000_000),
        ("authorization", "Bearer " + "a" * 16_384),
        ("x-api-key", "a" * 16_384),
        ("a" * 16_384, "1"),
    ],
    ids=lambda value: value[:20],
)
async def test_headers_that_are_too_long_are_refused_unread(
    api: Client, name: str, value: str
) -> None:
    response = await api.http.post("/graphql", content=QUERY, headers={name: value})
    refused(response, "16,384 bytes")


@on_sqlite
async def test_headers_up_to_the_limit_are_taken(api: Client) -> None:
    request = api.http.build_request(
        "POST",
        "/graphql",
        content=QUERY,
        headers={"x-api-key": api.key, "content-type": JSON, "x-padding": ""},
    )
    size = sum(len(name) + len(value) for name, value in request.headers.raw)
    for padding, status in ((16_384 - size, 200), (16_385 - size, 431)):
        request.headers["x-padding"] = "a" * padding
        response = await api.http.send(
            httpx.Request("POST", request.url, content=QUERY, headers=request.headers)
        )
        assert response.status_code == status


@on_sqlite
async def test_more_than_100_headers_are_refused(api: Client) -> None:
    url = "http://rollcall.test/healthz"
    for count, status in ((100, 200), (101, 431)):
        headers = [("host", "rollcall.test"), *[("a", "1")] * (count - 1)]
        response = await api.http.send(httpx.Request("GET", url, headers=headers))
        assert response.status_code == status
    refused(response, "100 headers")


@on_sqlite
@pytest.mark.parametrize("path", ["/", "/graphql", "/graphiql/", "/healthz", "/readyz", "/nowhere"])
async def test_headers_are_bounded_on_every_route(api: Client, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        response = await api.http.request(method, path, headers={"x-padding": "a" * 16_384})
        refused(response, "16,384 bytes")


def by_email_package(content_type: str) -> str:
    message = Message()
    message["content-type"] = content_type
    return str(message.get_content_charset("utf-8"))


TOKENS = st.sampled_from(["a", "charset", "Charset", "profile", "utf-8", "UTF-8", "latin-1"])
VALUES = TOKENS | st.sampled_from(['"utf-8"', '"latin-1"', '"a;b"', r'"\"; charset=a"', '""'])
SPACES = st.sampled_from(["", " ", "\t "])
PARAMETERS = st.builds(
    "{2};{2}{0}={1}".format,
    TOKENS,
    VALUES,
    SPACES,
)


@given(st.lists(PARAMETERS, max_size=4, unique_by=lambda text: text.strip("; \t").split("=")[0]))
def test_charset_of_a_content_type_is_the_one_that_the_email_package_reads(
    parameters: list[str],
) -> None:
    content_type = JSON + "".join(parameters)
    assert charset(content_type).lower() == by_email_package(content_type)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (JSON, "utf-8"),
        (f"{JSON}; charset", "utf-8"),
        (f"{JSON}; charset=", ""),
        (f'{JSON}; charset="latin-1', '"latin-1'),
        (f'{JSON}; profile="; charset=latin-1"', "utf-8"),
        (f'{JSON}; profile="; charset=latin-1', "latin-1"),
        (f'{JSON};"' + ";" * 10_000 + "charset=latin-1", "latin-1"),
    ],
    ids=lambda text: text[:40],
)
def test_charset_of_a_content_type_that_is_malformed(content_type: str, expected: str) -> None:
    assert charset(content_type) == expected


@given(st.lists(st.sampled_from([0, 1, 250, 500, 1000]), min_size=1, max_size=6))
def test_media_range_of_the_highest_quality_decides_and_the_first_of_equals(
    qualities: list[int],
) -> None:
    ranges = [(RESPONSE_JSON if at % 2 else JSON, quality) for at, quality in enumerate(qualities)]
    accept = [f"{media_type};q={quality / 1000:.3f}" for media_type, quality in ranges]
    if not any(qualities):
        with pytest.raises(BadRequest, match="Accept must admit"):
            negotiated(accept)
        return
    best = max(qualities)
    expected = next(media_type for media_type, quality in ranges if quality == best)
    assert negotiated(accept) == negotiated([", ".join(accept)]) == expected
