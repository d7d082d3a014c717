"""A client that hangs up while its operation runs: the operation ends and leaves nothing behind."""

import asyncio
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.support.databases import copied_postgresql
from tests.support.forking import COUNTED
from tests.support.postgres import Cluster, locked_contacts
from tests.support.server import Server
from tests.support.waiting import until

BOUND_SECONDS = 60
LONGER_THAN_THE_TEST = "600"
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'contact'::regclass AND NOT granted"

UPSERT = 'mutation { upsertContact(input: {email: "ada@example.com"}) { __typename } }'
TWO = """
mutation {
    a: upsertContact(input: {email: "ada@example.com"}) { __typename }
    b: upsertContact(input: {email: "bob@example.com"}) { __typename }
}
"""
# A bulk shares its transaction with nobody.
BULK = 'mutation { upsertContacts(inputs: [{email: "ada@example.com"}]) { created } }'
PAGE = "{ contacts(first: 1) { totalCount } }"
COUNT = "{ contacts { totalCount } }"


@pytest.fixture
def database(cluster: Cluster, postgresql_template: str) -> str:
    return str(make_url(copied_postgresql(cluster, postgresql_template)).database)


@pytest.fixture
def server(tmp_path: Path, cluster: Cluster, database: str) -> Iterator[Server]:
    server = Server(
        tmp_path,
        DATABASE_URL=cluster.url(database),
        ENVIRONMENT="development",
        DATABASE_LOCK_TIMEOUT_SECONDS=LONGER_THAN_THE_TEST,
        DATABASE_STATEMENT_TIMEOUT_SECONDS=LONGER_THAN_THE_TEST,
        **COUNTED,
    )
    server.start()
    yield server
    server.stop()


async def until_waiting(holder: Any, count: int) -> None:
    """Returns when so many statements wait for the lock."""
    end = time.monotonic() + BOUND_SECONDS
    while await holder.fetchval(WAITING) != count:
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def request(server: Server, document: str) -> bytes:
    body = json.dumps({"query": document}).encode()
    return (
        b"POST /graphql HTTP/1.1\r\nhost: rollcall.test\r\nconnection: close\r\n"
        b"content-type: application/json\r\nx-api-key: %s\r\ncontent-length: %d\r\n\r\n%s"
        % (server.key.encode(), len(body), body)
    )


@pytest.mark.parametrize("document", [UPSERT, TWO, PAGE], ids=["upsert", "two upserts", "page"])
async def test_operation_ends_when_its_client_hangs_up(
    server: Server, cluster: Cluster, database: str, document: str
) -> None:
    async with locked_contacts(cluster.url(database)) as holder:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", server.port), BOUND_SECONDS) as client:
                client.sendall(request(server, document))
                await until_waiting(holder, 1)
            await until_waiting(holder, 0)
    until(lambda: server.log.count("the client disconnected") == 3)
    assert server.post(COUNT)["data"] == {"contacts": {"totalCount": 0}}
    assert not re.search(" ERROR |Traceback", server.log)


async def test_other_callers_of_the_same_lock_are_answered(
    server: Server, cluster: Cluster, database: str
) -> None:
    address = ("127.0.0.1", server.port)
    with socket.create_connection(address, BOUND_SECONDS) as stays:
        async with locked_contacts(cluster.url(database)) as holder:
            stays.sendall(request(server, BULK))
            with socket.create_connection(address, BOUND_SECONDS) as leaves:
                leaves.sendall(request(server, BULK))
                await until_waiting(holder, 2)
            await until_waiting(holder, 1)
        assert b'"created":1' in b"".join(iter(lambda: stays.recv(65_536), b""))
