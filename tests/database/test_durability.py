"""What was acknowledged outlives the server, and what is in flight is finished."""

import asyncio
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from app.database.sessions import Database
from app.tables import ContactTable
from tests.support.databases import empty_postgresql, empty_sqlite
from tests.support.server import Server

CALLERS = 200
UPSERT = """
mutation ($input: ContactInput!) {
    upsertContact(input: $input) {
        __typename
        ... on ContactCreated { contact { id } }
        ... on ContactUpdated { contact { id } changes { path } }
    }
}
"""
FIND = "query ($keys: [ContactKey!]!) { contactsByKey(keys: $keys) { id email version } }"
LIST = """
query ($after: String) {
    contacts(first: 100, after: $after) {
        nodes { id email externalId } totalCount pageInfo { hasNextPage endCursor }
    }
}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    url = empty_sqlite(tmp_path)
    if request.param == "postgresql":
        url = empty_postgresql(request.getfixturevalue("cluster"))
    server = Server(tmp_path, DATABASE_URL=url, ENVIRONMENT="development")
    server.start()
    yield server
    server.stop()


def contact(number: int) -> dict[str, Any]:
    return {"email": f"{number}@example.com", "externalId": f"c{number}"}


async def upserts_until_the_server_is_killed(server: Server, acknowledge: int) -> dict[int, str]:
    """200 callers that create contacts without pause, until some are acknowledged and the server
    is killed in the middle of the others. The ids of those that were acknowledged."""
    acknowledged: dict[int, str] = {}
    unanswered: list[int] = []
    assert server.process is not None
    process = server.process
    limits = httpx.Limits(max_connections=CALLERS)
    headers = {"x-api-key": server.key}

    async def call_on(client: httpx.AsyncClient, number: int) -> None:
        while True:
            body = {"query": UPSERT, "variables": {"input": contact(number)}}
            try:
                response = await client.post(f"{server.url}/graphql", json=body)
            except httpx.TransportError:
                unanswered.append(number)
                return
            if response.status_code == 503:  # too busy: nothing was written
                continue
            result = response.json()["data"]["upsertContact"]
            assert result["__typename"] == "ContactCreated"
            acknowledged[number] = result["contact"]["id"]
            if len(acknowledged) == acknowledge:
                process.send_signal(signal.SIGKILL)
            number += CALLERS

    async with httpx.AsyncClient(limits=limits, headers=headers, timeout=60) as client:
        await asyncio.gather(*(call_on(client, first) for first in range(CALLERS)))
    assert len(unanswered) == CALLERS
    process.wait()
    return acknowledged


def everyone(server: Server) -> list[dict[str, str]]:
    contacts: list[dict[str, str]] = []
    after = None
    while True:
        page = server.post(LIST, after=after)["data"]["contacts"]
        contacts += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(contacts)
            return contacts
        after = page["pageInfo"]["endCursor"]


def test_acknowledged_contacts_outlive_kill_9_in_the_middle_of_200_callers(
    server: Server, tmp_path: Path
) -> None:
    acknowledged = asyncio.run(upserts_until_the_server_is_killed(server, acknowledge=100))
    if (tmp_path / "rollcall.db").exists():
        with sqlite3.connect(tmp_path / "rollcall.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()

    server.start()
    contacts = everyone(server)
    for name in ("id", "email", "externalId"):
        assert len({contact[name] for contact in contacts}) == len(contacts)
    by_email = {contact["email"]: contact["id"] for contact in contacts}
    for number, identity in acknowledged.items():
        assert by_email.get(contact(number)["email"]) == identity

    # Whoever heard nothing sends again, and does no harm.
    for number in (*list(acknowledged)[-3:], max(acknowledged) + 1):
        results = [
            server.post(UPSERT, input=contact(number))["data"]["upsertContact"] for _ in range(2)
        ]
        assert results[1]["__typename"] == "ContactUpdated"
        assert results[1]["changes"] == []
        if number in acknowledged:
            assert results[0] == results[1]
    emails = [contact["email"] for contact in everyone(server)]
    assert len(set(emails)) == len(emails)


def test_sigterm_finishes_what_is_in_flight(server: Server) -> None:
    """Each request has been taken up, and awaits its body, when SIGTERM comes."""
    assert server.process is not None
    idle = httpx.Client()
    idle.get(f"{server.url}/healthz")
    calls = [begun(server, number) for number in range(20)]
    server.process.send_signal(signal.SIGTERM)
    while accepts(server):
        time.sleep(0.01)
    for connection, body in calls:
        connection.sendall(body)
    for connection, _ in calls:
        answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b'"ContactCreated"' in answer
    assert server.process.wait() == 0
    idle.close()
    assert asyncio.run(stored(server.environment["DATABASE_URL"])) == {
        contact(number)["email"] for number in range(20)
    }


async def stored(url: str) -> set[str]:
    """The emails of all contacts."""
    database = Database(url)
    async with database.read_directory() as session:
        statement = select(ContactTable.email).execution_options(any_workspace=True)
        found = set((await session.exec(statement)).all())
    await database.close()
    return found


def begun(server: Server, number: int) -> tuple[socket.socket, bytes]:
    """A request without its body, which the server has asked for, and the body."""
    body = httpx.Request(
        "POST", server.url, json={"query": UPSERT, "variables": {"input": contact(number)}}
    ).content
    head = (
        "POST /graphql HTTP/1.1\r\nHost: rollcall\r\nContent-Type: application/json\r\n"
        f"x-api-key: {server.key}\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(head.encode())
    assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
    return connection, body


def received(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


def accepts(server: Server) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=60).close()
    except ConnectionRefusedError:
        return False
    return True
