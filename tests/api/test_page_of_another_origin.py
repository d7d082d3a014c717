"""A page of another origin that calls the API, in headless Chromium."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.browser import opened_browser
from tests.support.server import Server

CALL = """
async ([url, headers, body]) => {
    try {
        const response = await fetch(url, {method: "POST", headers, body});
        const told = {};
        for (const [name, value] of response.headers) told[name] = value;
        return {status: response.status, headers: told, answer: await response.json()};
    } catch (error) {
        return {error: error.name};
    }
}
"""
QUERY = '{"query": "{ viewer { workspace { name } } }"}'
JSON = {"content-type": "application/json"}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def origins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two of them, each with an empty page."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text("<!doctype html><title>A page</title>")
    handler = partial(Quiet, directory=str(folder))
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
    for one in servers:
        Thread(target=one.serve_forever, daemon=True).start()
    yield [f"http://127.0.0.1:{one.server_port}" for one in servers]
    for one in servers:
        one.shutdown()
        one.server_close()


@pytest.fixture(scope="module")
def api_server(tmp_path_factory: pytest.TempPathFactory, origins: list[str]) -> Iterator[Server]:
    """Allows the first origin."""
    server = Server(
        tmp_path_factory.mktemp("server"), ENVIRONMENT="development", ALLOWED_ORIGINS=origins[0]
    )
    server.start()
    yield server
    server.stop()


@dataclass
class Caller:
    page: Page
    server: Server

    def call(self, body: str = QUERY, **headers: str) -> Any:
        sent = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.page.evaluate(CALL, [f"{self.server.url}/graphql", sent, body])


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with opened_browser() as browser:
        page = browser.new_page()
        yield page


def test_page_of_an_allowed_origin_reads_answers_and_their_headers(
    page: Page, origins: list[str], api_server: Server
) -> None:
    page.goto(origins[0])
    caller = Caller(page, api_server)
    for key in ({"x_api_key": api_server.key}, {"authorization": f"Bearer {api_server.key}"}):
        seen = caller.call(
            **key, traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        )
        assert seen["status"] == 200
        assert seen["answer"]["data"] == {"viewer": {"workspace": {"name": "demo"}}}
        assert seen["headers"]["x-request-id"]


def test_page_of_an_allowed_origin_reads_errors(
    page: Page, origins: list[str], api_server: Server
) -> None:
    page.goto(origins[0])
    caller = Caller(page, api_server)
    key = {"x_api_key": api_server.key}
    for seen, status in (
        (caller.call(), 401),
        (caller.call("[]", **key), 400),
        (caller.call(" " * 5_000_000, **key), 413),
        (caller.call(**key, content_type="application/graphql"), 415),
        (caller.call(**key, x_padding="a" * 20_000), 431),
    ):
        assert seen["status"] == status
        assert seen["answer"]["errors"][0]["message"]
        assert seen["headers"]["x-request-id"]


def test_page_of_another_origin_reads_nothing(
    page: Page, origins: list[str], api_server: Server
) -> None:
    page.goto(origins[1])
    caller = Caller(page, api_server)
    assert caller.call(x_api_key=api_server.key) == {"error": "TypeError"}
    assert caller.call(content_type="text/plain") == {"error": "TypeError"}


def test_page_reads_a_compressed_answer(page: Page, origins: list[str], api_server: Server) -> None:
    page.goto(origins[0])
    query = '{"query": "{ __schema { types { name description } } }"}'
    with page.expect_response(lambda response: response.request.method == "POST") as received:
        seen = Caller(page, api_server).call(query, x_api_key=api_server.key)
    assert len(seen["answer"]["data"]["__schema"]["types"]) > 50
    assert received.value.header_value("content-encoding") == "gzip"
