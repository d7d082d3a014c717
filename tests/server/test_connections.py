"""How many connections and requests a server accepts, and what becomes of more."""

import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from app.server.descriptors import OTHER_FILES
from tests.support.forking import COUNTED, limit_open_files, nothing, run_forked
from tests.support.server import HTTP, Server
from tests.support.waiting import BOUND_SECONDS, until

Start = Callable[..., Server]

QUERY = {"query": "{ __typename }"}
UPSERT = {"query": 'mutation { upsertContact(input: {email: "ada@example.com"}) { __typename } }'}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server with settings and, if they are given, limits of open files."""
    started: list[Server] = []

    def start(before: Callable[[], None] = nothing, **settings: str) -> Server:
        server = Server(tmp_path, ENVIRONMENT="development", **settings, **COUNTED)
        server.before = before
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


@contextmanager
def connections(server: Server, count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        yield [
            stack.enter_context(socket.create_connection(address, BOUND_SECONDS))
            for _ in range(count)
        ]


@contextmanager
def no_write(server: Server) -> Iterator[None]:
    """Every write of the server waits while the block runs."""
    with closing(sqlite3.connect(server.folder / "rollcall.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


def post(server: Server, body: object, key: str = "") -> tuple[int, str | None, str]:
    """The status, how long to wait until the next try, and the answer."""
    headers = {"x-api-key": key or server.key}
    response = HTTP.post(f"{server.url}/graphql", json=body, headers=headers)
    return response.status_code, response.headers.get("retry-after"), response.text


def begin(server: Server, one: socket.socket, body: bytes) -> None:
    one.sendall(
        b"POST /graphql HTTP/1.1\r\nhost: rollcall.test\r\ncontent-type: application/json\r\n"
        b"x-api-key: %s\r\ncontent-length: %d\r\n\r\n%s" % (server.key.encode(), len(body), body)
    )


def test_silent_connections_make_room_for_a_client_that_sends_its_request(start: Start) -> None:
    server = start(MAX_CONNECTIONS="20")
    with connections(server, 60) as silent:
        for _ in range(10):
            assert post(server, QUERY)[0] == 200
        closed = 0
        for one in silent:
            one.settimeout(0.01)
            try:
                closed += one.recv(1) == b""
            except ConnectionResetError:
                closed += 1
            except TimeoutError:
                pass
        assert closed >= 40
    until(lambda: "made room for new connections" in server.log)


def test_connection_beside_as_many_busy_ones_as_may_be_gets_503(start: Start) -> None:
    server = start(MAX_CONNECTIONS="2", DATABASE_LOCK_TIMEOUT_SECONDS="60")
    with no_write(server), connections(server, 2) as busy:
        for one in busy:
            begin(server, one, b'{"query": "mutation { upsertContacts(inputs: []) { created } }"}')
        refused = socket.create_connection(("127.0.0.1", server.port), BOUND_SECONDS)
        with refused:
            answer = refused.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nretry-after: 1\r\n" in answer
    assert b'"code":"UNAVAILABLE"' in answer
    until(lambda: "found no room" in server.log)
    assert post(server, QUERY)[0] == 200


def test_connections_stay_below_the_limit_of_open_files(start: Start) -> None:
    server = start(partial(limit_open_files, OTHER_FILES + 100))
    assert "open files allows 37 connections" in server.log
    with connections(server, 400):
        for _ in range(10):
            assert post(server, UPSERT)[0] == 200
    until(lambda: "made room for new connections" in server.log)
    assert '"ERROR"' not in server.log


def test_limit_of_open_files_is_raised_where_it_may_be(start: Start) -> None:
    server = start(partial(limit_open_files, 100, may_be_raised=True))
    assert "open files" not in server.log
    assert post(server, UPSERT)[0] == 200


def test_limit_of_open_files_without_room_for_connections_is_refused(tmp_path: Path) -> None:
    environment = os.environ | {"PORT": "0"} | COUNTED
    done = run_forked(["serve"], tmp_path, environment, partial(limit_open_files, 100))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("rollcall: The limit of open files is 100.")


def test_requests_beyond_the_limit_get_503_and_half_of_it_is_for_other_workspaces(
    start: Start,
) -> None:
    server = start(MAX_CONCURRENT_REQUESTS="2")
    server.rollcall("workspace", "create", "other")
    made = server.rollcall(
        *("key", "create", "--workspace", "other", "--name", "a", "--scope", "contacts:read")
    )
    with ThreadPoolExecutor(1) as callers, no_write(server):
        first = callers.submit(until, lambda: post(server, UPSERT)[0] == 200)
        until(lambda: post(server, QUERY)[0] == 503)
        status, retry_after, answer = post(server, QUERY)
        assert (status, retry_after) == (503, "1")
        assert '"code":"UNAVAILABLE"' in answer
        assert "At most 2 requests run at the same time, 1 of them of one workspace." in answer
        assert post(server, QUERY, made.stdout.strip())[0] == 200
        assert not first.done()
    first.result()
    assert post(server, QUERY)[0] == 200
