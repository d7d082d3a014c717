"""What a stranger may send, and what the log says about it."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import psutil
import pytest

from tests.support.commands import Rollcall, refused
from tests.support.forking import COUNTED
from tests.support.server import HTTP, Server
from tests.support.waiting import BOUND_SECONDS, until

QUERY = b'{"query": "{ __typename }"}'
HEAD = b"POST /graphql HTTP/1.1\r\nhost: rollcall.test\r\ncontent-type: application/json\r\n"
MIB = 1024 * 1024


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), BOUND_SECONDS)


def answer_to(one: socket.socket) -> tuple[HTTPResponse, bytes]:
    response = HTTPResponse(one)
    response.begin()
    return response, response.read()


# --- Bodies ---


@pytest.mark.parametrize("length", [4 * MIB + 1, 10_000_000_000])
def test_body_that_says_to_be_too_long_is_refused_before_it_is_sent(
    live_server: Server, length: int
) -> None:
    with connect(live_server) as one:
        one.sendall(
            HEAD + f"x-api-key: {live_server.key}\r\ncontent-length: {length}\r\n\r\n".encode()
        )
        response, content = answer_to(one)
        assert response.status == 413
        assert response.headers["connection"] == "close"
        assert b"4,194,304 bytes" in content
        assert one.recv(1) == b""


def test_body_that_says_to_be_too_long_is_refused_for_its_key_first(live_server: Server) -> None:
    with connect(live_server) as one:
        one.sendall(HEAD + b"content-length: 10000000000\r\n\r\n")
        assert answer_to(one)[0].status == 401


@pytest.mark.parametrize("chunked", [False, True])
def test_client_that_sends_its_whole_body_first_sees_the_refusal(
    live_server: Server, chunked: bool
) -> None:
    body = b" " * (6 * MIB)
    with closing(HTTPConnection("127.0.0.1", live_server.port, timeout=BOUND_SECONDS)) as client:
        headers = {"x-api-key": live_server.key, "content-type": "application/json"}
        given = (body[start : start + MIB] for start in range(0, len(body), MIB))
        if chunked:
            client.request("POST", "/graphql", given, headers, encode_chunked=True)
        else:
            client.request("POST", "/graphql", body, headers)
        assert client.getresponse().status == 413


def test_heads_that_do_not_end_take_no_memory(live_server: Server) -> None:
    assert live_server.process is not None
    process = psutil.Process(live_server.process.pid)
    before = process.memory_info().rss
    opened = [connect(live_server) for _ in range(16)]
    try:
        for one in opened:
            one.sendall(HEAD + b"x-long: " + b"a" * MIB)
        for one in opened:
            assert answer_to(one)[0].status == 431
        assert process.memory_info().rss - before < 16 * MIB
    finally:
        for one in opened:
            one.close()


# --- Other protocols, other paths ---


def test_request_that_asks_for_another_protocol_is_answered_in_this_one(
    live_server: Server,
) -> None:
    asked = {
        "connection": "Upgrade, HTTP2-Settings",
        "upgrade": "h2c",
        "http2-settings": "AAMAAABk",
    }
    headers = asked | {"x-api-key": live_server.key, "content-type": "application/json"}
    response = HTTP.post(f"{live_server.url}/graphql", content=QUERY, headers=headers)
    assert response.json()["data"] == {"__typename": "Query"}


def test_websocket_handshake_is_refused(live_server: Server) -> None:
    with connect(live_server) as one:
        one.sendall(
            b"GET /graphql HTTP/1.1\r\nhost: rollcall.test\r\nconnection: Upgrade\r\n"
            b"upgrade: websocket\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        )
        assert answer_to(one)[0].status == 401
    assert '"ERROR"' not in live_server.log
    assert "WebSocket library" not in live_server.log


@pytest.mark.parametrize("path", ["/graphql/", "/graphql//", "/healthz/", "//graphql"])
def test_path_with_another_slash_is_not_found(live_server: Server, path: str) -> None:
    for method in ("GET", "POST"):
        response = HTTP.request(method, live_server.url + path, headers={"host": "evil.test"})
        assert response.status_code == 404
        assert "location" not in response.headers


# --- Addresses in the log ---


@pytest.fixture
def behind_proxy(tmp_path: Path) -> Iterator[Server]:
    server = Server(
        tmp_path, ENVIRONMENT="development", TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8", **COUNTED
    )
    server.start()
    yield server
    server.stop()


def logged(server: Server, path: str) -> list[str]:
    """The addresses of the requests of a path. The line may come after the answer."""
    line = rf'"client":"([^"]+)","method":"GET","path":"{path}"'
    until(lambda: re.search(line, server.log))
    return re.findall(line, server.log)


def test_forwarded_address_is_not_believed(live_server: Server) -> None:
    HTTP.get(f"{live_server.url}/forged", headers={"x-forwarded-for": "198.51.100.7"})
    [address] = logged(live_server, "/forged")
    assert address.startswith("127.0.0.1:")
    assert "198.51.100.7" not in live_server.log


def test_forwarded_address_of_a_trusted_proxy_is_the_last_that_is_not_a_proxy(
    behind_proxy: Server,
) -> None:
    forwarded = {"x-forwarded-for": "198.51.100.7, 203.0.113.9, 10.1.2.3"}
    HTTP.get(f"{behind_proxy.url}/forwarded", headers=forwarded)
    assert logged(behind_proxy, "/forwarded") == ["203.0.113.9:0"]


def test_proxy_that_is_not_an_address_is_refused(rollcall: Rollcall) -> None:
    line = refused(rollcall("serve", PORT="0", TRUSTED_PROXIES="127.0.0.1, proxy"))
    assert line.startswith("rollcall: TRUSTED_PROXIES: ")
