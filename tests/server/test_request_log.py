"""The log of requests: what a line tells, and what no line has."""

import asyncio
import json
import logging
import signal
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.logs import TEXT_LIMIT
from tests.support.client import Client
from tests.support.server import Server

UPSERT_MANY = """
mutation Push($inputs: [ContactInput!]!) {
  upsertContacts(inputs: $inputs) { rows { result { __typename } } }
}
"""
PAGE = 'query Page { contacts(first: 2) { nodes { id } } contact(by: {email: "a@b.com"}) { id } }'


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Any:
    """Reads the lines since the last call."""
    caplog.set_level(logging.INFO, "rollcall.requests")

    async def read() -> list[dict[str, Any]]:
        await asyncio.sleep(0)
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    return read


async def test_line_tells_of_the_operation_and_its_caller(api: Client, told: Any) -> None:
    inputs = [{"email": f"{name}@example.com"} for name in "abc"]
    await api(UPSERT_MANY, inputs=inputs)
    viewer = await api("{ viewer { workspace { id } apiKey { id } } }")
    for _ in range(2):  # by graphql-core, and compiled
        await api.execute(PAGE)
    await api.http.get("/healthz?api_key=secret")
    await api.http.get("/schema.graphql", headers={"x-api-key": api.key})
    push, _, *pages, health, schema = await told()
    assert datetime.now(UTC) - datetime.fromisoformat(push.pop("time")) < timedelta(minutes=1)
    assert (push["operation"], push["kind"], push["rows"]) == ("Push", "mutation", 3)
    assert push["cost"] > 0
    assert push["milliseconds"] > 0
    for line in (push, schema):
        assert line["workspace"] == viewer["workspace"]["id"]
        assert line["key"] == viewer["apiKey"]["id"]
        assert line["status"] == 200
    assert (push["method"], push["path"]) == ("POST", "/graphql")
    for page in pages:
        assert (page["operation"], page["kind"], page["rows"]) == ("Page", "query", 2)
    assert (health["path"], health["status"], health["operation"]) == ("/healthz", 200, None)


async def test_line_has_the_request_id_of_its_answer(http: httpx.AsyncClient, told: Any) -> None:
    response = await http.get("/a%0Ab")
    [line] = await told()
    assert (line["requestId"], line["path"]) == (response.headers["x-request-id"], "/a\nb")


async def test_texts_that_a_client_chose_are_cut_in_the_line(api: Client, told: Any) -> None:
    await api(f"query {'q' * 1_000} {{ viewer {{ scopes }} }}")
    await api.http.get("/" + "p" * 1_000)
    query, path = await told()
    assert (query["operation"], path["path"]) == ("q" * TEXT_LIMIT, "/" + "p" * (TEXT_LIMIT - 1))


class FullDisk(StringIO):
    def flush(self) -> None:
        raise OSError("No space left on device")


async def test_log_goes_on_after_lines_that_could_not_be_written(
    http: httpx.AsyncClient, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, failed = asyncio.get_running_loop(), []
    usual = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: failed.append(context["exception"]))
    with monkeypatch.context() as full:
        full.setattr("sys.stderr", FullDisk())
        await http.get("/healthz")
        await asyncio.sleep(0)
    loop.set_exception_handler(usual)
    assert [str(error) for error in failed] == ["No space left on device"]
    await http.get("/readyz")
    [line] = await told()
    assert line["path"] == "/readyz"


@pytest.mark.parametrize("level", ["debug", "info"])
def test_no_line_has_a_value_a_key_a_variable_or_a_query_string(
    level: str, tmp_path: Path, empty_url: str
) -> None:
    value = uuid4().hex
    contact = {"email": f"{value}@example.com", "notes": value, "tags": [value]}
    server = Server(tmp_path, LOG_LEVEL=level, DATABASE_URL=empty_url)
    server.start()
    start = len(server.log)
    server.post(UPSERT_MANY, inputs=[contact, contact | {"country": value}])
    server.post(f'{{ contacts(search: "{value[:20]}") {{ nodes {{ notes }} }} }}')
    server.post(f'{{ contact(by: {{email: "{value}"}}) {{ notes }} }}')
    server.post("query ($first: Int) { contacts(first: $first) { nodes { id } } }", first=value)
    httpx.get(f"{server.url}/graphql?api_key={value}", headers={"x-api-key": value})
    assert server.signal(signal.SIGTERM) == 0  # which writes the last line
    log = server.log[start:]
    lines = [json.loads(line) for line in log.splitlines()]
    assert sum(line["path"] == "/graphql" for line in lines if "path" in line) == 5
    assert value[:20] not in log
    assert server.key not in log
