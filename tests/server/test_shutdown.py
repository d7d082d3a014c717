"""The server ends within 15 s of SIGTERM, whatever its clients and its statements do."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no types
import pytest
from sqlalchemy import make_url

from tests.support.server import COUNTED, Server
from tests.support.waiting import BOUND_SECONDS

IN_TIME = 15
LONGER_THAN_THE_TEST = "600"
HEAD = b"POST /graphql HTTP/1.1\r\nhost: rollcall.test\r\ncontent-type: application/json\r\n"
BULK = "mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created } }"
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'contact'::regclass AND NOT granted"
RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"


@pytest.fixture
def server(tmp_path: Path, empty_url: str) -> Iterator[Server]:
    server = Server(
        tmp_path,
        DATABASE_URL=empty_url,
        ENVIRONMENT="development",
        DATABASE_LOCK_TIMEOUT_SECONDS=LONGER_THAN_THE_TEST,
        DATABASE_STATEMENT_TIMEOUT_SECONDS=LONGER_THAN_THE_TEST,
        OPERATION_TIMEOUT_SECONDS=LONGER_THAN_THE_TEST,
        **COUNTED,
    )
    server.start()
    yield server
    server.stop()


def end(server: Server) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(IN_TIME) == 0


def request(server: Server, document: str, **variables: Any) -> bytes:
    body = json.dumps({"query": document, "variables": variables}).encode()
    key = server.key.encode()
    return HEAD + b"x-api-key: %s\r\ncontent-length: %d\r\n\r\n%s" % (key, len(body), body)


def test_slow_clients_do_not_delay_the_end(server: Server) -> None:
    introspection = "{ __schema { types { fields { name description } } } }"
    with ExitStack() as stack:
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
        end(server)
    assert "unexpected error" not in server.log


def test_bulk_in_flight_is_finished_and_answered(server: Server) -> None:
    inputs = [{"email": f"a{number}@example.com"} for number in range(1_000)]
    with socket.create_connection(("127.0.0.1", server.port), BOUND_SECONDS) as one:
        one.sendall(request(server, BULK, inputs=inputs))
        assert server.post("{ __typename }")["data"] == {"__typename": "Query"}
        end(server)
        answer = b"".join(iter(lambda: one.recv(65_536), b""))
    assert b'{"data":{"upsertContacts":{"created":1000}}' in answer


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
async def test_statements_that_wait_on_postgresql_are_cancelled(
    server: Server, empty_url: str
) -> None:
    url = make_url(empty_url)
    holder = await asyncpg.connect(user="postgres", host=url.query["host"], database=url.database)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("LOCK TABLE contact")
    with ThreadPoolExecutor(2) as callers:
        for document in ("{ contacts { totalCount } }", BULK):
            callers.submit(server.post, document, inputs=[{"email": "ada@example.com"}])
        limit = time.monotonic() + BOUND_SECONDS
        while await holder.fetchval(WAITING) < 2:
            assert time.monotonic() < limit
            await asyncio.sleep(0.02)
        await asyncio.to_thread(end, server)
    limit = time.monotonic() + BOUND_SECONDS
    while await holder.fetchval(RUNNING, url.database):
        assert time.monotonic() < limit
        await asyncio.sleep(0.02)
    await transaction.rollback()
    await holder.close()
