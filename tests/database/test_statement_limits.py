"""A statement of SQLite's ends when its time is up, its caller has gone or the server stops.

The statement is one that never ends: the test's own database has a trigger that counts for ever
when a contact of a certain name is written.
"""

import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.support.server import HTTP, Server

ENDLESS = """
CREATE VIEW endless AS
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS i FROM n;
CREATE TRIGGER count_for_ever AFTER INSERT ON contact WHEN new.name = 'Endless' BEGIN
    SELECT i FROM endless;
END;
"""
UPSERT = """
mutation ($input: ContactInput!) { upsertContact(input: $input) { __typename } }
"""
FOREVER = {"email": "endless@example.com", "name": "Endless"}
QUICK = {"email": "ada@example.com", "name": "Ada"}
CREATED = {"upsertContact": {"__typename": "ContactCreated"}}
TOTAL = "{ contacts { totalCount } }"
IN_TIME = 15


@pytest.fixture(params=["3600"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Its statements have the parameter's time in seconds."""
    limits = {
        "DATABASE_STATEMENT_TIMEOUT_SECONDS": request.param,
        "OPERATION_TIMEOUT_SECONDS": "3600",
    }
    server = Server(tmp_path, ENVIRONMENT="development", **limits)
    server.start()
    with closing(sqlite3.connect(tmp_path / "rollcall.db")) as database:
        database.executescript(ENDLESS)
    yield server
    server.stop()


def begin_endless(server: Server) -> httpx.Response:
    with httpx.Client(timeout=httpx.Timeout(60, read=1)) as client:
        return client.post(
            f"{server.url}/graphql",
            json={"query": UPSERT, "variables": {"input": FOREVER}},
            headers={"x-api-key": server.key},
        )


def test_statement_ends_when_its_caller_has_gone(server: Server) -> None:
    with pytest.raises(httpx.ReadTimeout):
        begin_endless(server)
    # The one writer is free again, and nothing is left behind.
    assert server.post(UPSERT, input=QUICK)["data"] == CREATED
    assert server.post(TOTAL)["data"] == {"contacts": {"totalCount": 1}}


def test_statement_ends_when_the_server_stops(server: Server) -> None:
    with ThreadPoolExecutor(1) as caller:
        running = caller.submit(
            HTTP.post,
            f"{server.url}/graphql",
            json={"query": UPSERT, "variables": {"input": FOREVER}},
            headers={"x-api-key": server.key},
        )
        with pytest.raises(httpx.ReadTimeout):  # which waits behind it for the one writer
            begin_endless(server)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(IN_TIME) == 0
        assert running.result().status_code == 503


@pytest.mark.parametrize("server", ["1"], indirect=True)
def test_statement_ends_when_its_time_is_up(server: Server) -> None:
    response = HTTP.post(
        f"{server.url}/graphql",
        json={"query": UPSERT, "variables": {"input": FOREVER}},
        headers={"x-api-key": server.key},
    )
    assert response.status_code == 503
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "TIMEOUT"
    assert "DATABASE_STATEMENT_TIMEOUT_SECONDS" in error["message"]
    assert server.post(UPSERT, input=QUICK)["data"] == CREATED
    assert server.post(TOTAL)["data"] == {"contacts": {"totalCount": 1}}
