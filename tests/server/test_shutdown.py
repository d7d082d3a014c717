"""The server ends within 15 s of SIGTERM, whatever its clients and its statements do."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.support.databases import empty_postgresql, empty_sqlite
from tests.support.forking import COUNTED
from tests.support.postgres import Cluster, locked_contacts
from tests.support.server import Server
from tests.support.waiting import BOUND_SECONDS

IN_TIME = 15
LONGER_THAN_THE_TEST = "600"
ORIGIN = "https://app.example.com"
HEAD = b"POST /graphql HTTP/1.1\r\nhost: rollcall.test\r\ncontent-type: application/json\r\n"
BULK = "mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created } }"
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'contact'::regclass AND NOT granted"
RUNNING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'rollcall'
"""


@contextmanager
def serving(folder: Path, database_url: str) -> Iterator[Server]:
    server = Server(
        folder,
        DATABASE_URL=database_url,
        ENVIRONMENT="development",
        DATABASE_LOCK_TIMEOUT_SECONDS=LONGER_THAN_THE_TEST,
        DATABASE_STATEMENT_TIMEOUT_SECONDS=LONGER_THAN_THE_TEST,
        OPERATION_TIMEOUT_SECONDS=LONGER_THAN_THE_TEST,
        ALLOWED_ORIGINS=ORIGIN,
        **COUNTED,
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def server(tmp_path: Path, empty_url: str) -> Iterator[Server]:
    with serving(tmp_path, empty_url) as server:
        yield server


def end(server: Server) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(IN_TIME) == 0


def request(server: Server, document: str, **variables: Any) -> bytes:
    body = json.dumps({"query": document, "variables": variables}).encode()
    headers = f"origin: {ORIGIN}\r\nx-api-key: {server.key}\r\ncontent-length: {len(body)}\r\n\r\n"
    return HEAD + headers.encode() + body


def read(one: socket.socket) -> bytes:
    """All that arrives until the server closes the connection."""
    return b"".join(iter(lambda: one.recv(65_536), b""))


async def until_count(holder: Any, count: int, statement: str, *arguments: Any) -> None:
    limit = time.monotonic() + BOUND_SECONDS
    while await holder.fetchval(statement, *arguments) != count:
        assert time.monotonic() < limit
        await asyncio.sleep(0.02)


def test_slow_clients_do_not_delay_the_end(tmp_path: Path, cluster: Cluster) -> None:
    """On both databases at the same time, because each server waits for as long as it may."""
    folders = [tmp_path / name for name in ("sqlite", "postgresql")]
    for folder in folders:
        folder.mkdir()
    urls = [empty_sqlite(folders[0]), empty_postgresql(cluster)]
    introspection = "{ __schema { types { fields { name description } } } }"
    with ExitStack() as stack:
        servers = [
            stack.enter_context(serving(*place)) for place in zip(folders, urls, strict=True)
        ]
        for server in servers:
            for start in (
                b"",
                HEAD,
                HEAD + b"content-length: 100\r\n\r\n{",
                request(server, "{ __typename }")[:-1],
                request(server, introspection) * 200,  # whose answers are not read
            ):
                address = ("127.0.0.1", server.port)
                one = stack.enter_context(socket.create_connection(address, BOUND_SECONDS))
                one.sendall(start)
            assert server.post("{ __typename }")["data"] == {"__typename": "Query"}
        with ThreadPoolExecutor(len(servers)) as threads:
            list(threads.map(end, servers))
        for server in servers:
            assert "unexpected error" not in server.log


def test_bulk_in_flight_is_finished_and_answered(server: Server) -> None:
    inputs = [{"email": f"a{number}@example.com"} for number in range(1_000)]
    with socket.create_connection(("127.0.0.1", server.port), BOUND_SECONDS) as one:
        one.sendall(request(server, BULK, inputs=inputs))
        assert server.post("{ __typename }")["data"] == {"__typename": "Query"}
        end(server)
        answer = read(one)
    assert b'{"data":{"upsertContacts":{"created":1000}}' in answer


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
async def test_statements_that_wait_on_postgresql_are_cancelled_and_answered(
    server: Server, empty_url: str
) -> None:
    async with locked_contacts(empty_url) as holder:
        with ThreadPoolExecutor(2) as callers:
            answers = [
                callers.submit(server.post, document, inputs=[{"email": "ada@example.com"}])
                for document in ("{ contacts { totalCount } }", BULK)
            ]
            await until_count(holder, 2, WAITING)
            await asyncio.to_thread(end, server)
        await until_count(holder, 0, RUNNING, make_url(empty_url).database)
        for answer in answers:
            [error] = answer.result()["errors"]
            assert error["extensions"]["code"] == "UNAVAILABLE"
            assert "stopping" in error["message"]


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
async def test_requests_that_wait_for_a_place_are_refused_and_running_ones_are_answered(
    server: Server, empty_url: str
) -> None:
    with ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        clients = [
            stack.enter_context(socket.create_connection(address, BOUND_SECONDS)) for _ in range(9)
        ]
        async with locked_contacts(empty_url) as holder:
            for number, one in enumerate(clients):  # two are executed, and six are received
                inputs = [{"email": f"a{number}@example.com"}]
                one.sendall(request(server, BULK, inputs=inputs, unused="x" * 70_000))
            await until_count(holder, 2, WAITING)
            assert "data" in await asyncio.to_thread(server.post, "{ __typename }")
            ended = asyncio.create_task(asyncio.to_thread(end, server))
            answers = asyncio.as_completed([asyncio.to_thread(read, one) for one in clients])
            refused = [await next(answers) for _ in range(7)]
        answered = [await one for one in answers]
        await ended
    for answer in refused:
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b'"code":"UNAVAILABLE"' in answer
        assert b"\r\nretry-after: 1\r\n" in answer
        assert b"\r\nconnection: close\r\n" in answer
        assert b"\r\nx-request-id: " in answer
        assert b"\r\naccess-control-allow-origin: %b\r\n" % ORIGIN.encode() in answer
    for answer in answered:
        assert b'{"data":{"upsertContacts":{"created":1}}' in answer
