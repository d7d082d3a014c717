"""PostgreSQL and the server killed under load, again and again: nothing acknowledged is lost."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.databases import empty_postgresql
from tests.support.postgres import Cluster
from tests.support.server import Server

ROUNDS = 20
CALLERS = 8
LOAD_SECONDS = 0.3
RETRY_SECONDS = 0.2  # the callers leave the CPU to what recovers

UPSERT = """
mutation ($input: ContactInput!) { upsertContact(input: $input) { __typename } }
"""
STORED = """
query ($keys: [ContactKey!]!) { contactsByKey(keys: $keys) { externalId version } }
"""
TOTAL = "{ contacts { totalCount } }"


@pytest.fixture
def durable_cluster() -> Iterator[Cluster]:
    """With fsync on, unlike the one that the other tests share."""
    cluster = Cluster()
    cluster.start()
    yield cluster
    cluster.stop()
    cluster.remove()


class Load:
    """Callers that upsert new contacts one after another, whatever becomes of the server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.acknowledged: set[str] = set()
        self.sent: set[str] = set()
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(CALLERS)

    def __enter__(self) -> "Load":
        self._callers = [self._pool.submit(self._call, number) for number in range(CALLERS)]
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for caller in self._callers:
            caller.result()
        self._pool.shutdown()

    def raise_for_callers(self) -> None:
        """A caller ends before its time only with an error."""
        for caller in self._callers:
            if caller.done():
                caller.result()

    def _call(self, number: int) -> None:
        with httpx.Client(timeout=30) as http:
            turn = 0
            while not self._ended.is_set():
                turn += 1
                external_id = f"{number}-{turn}"
                self.sent.add(external_id)
                if self._upsert(http, external_id):
                    self.acknowledged.add(external_id)
                else:
                    time.sleep(RETRY_SECONDS)

    def _upsert(self, http: httpx.Client, external_id: str) -> bool:
        given = {"externalId": external_id, "email": f"p{external_id}@example.com"}
        try:
            response = http.post(
                f"{self.server.url}/graphql",
                json={"query": UPSERT, "variables": {"input": given}},
                headers={"x-api-key": self.server.key},
            )
        except httpx.TransportError:
            return False
        answer = response.json()
        assert response.status_code in (200, 503), answer
        return "errors" not in answer


def in_rounds(load: Load, crash_and_recover: list[object]) -> None:
    for _ in range(ROUNDS):
        before = len(load.acknowledged)
        end = time.monotonic() + 60
        while len(load.acknowledged) < before + CALLERS and time.monotonic() < end:
            load.raise_for_callers()
            time.sleep(0.01)
        time.sleep(LOAD_SECONDS)
        for step in crash_and_recover:
            assert callable(step)
            step()


def all_are_there_once(load: Load) -> None:
    acknowledged = sorted(load.acknowledged)
    assert len(acknowledged) > ROUNDS * CALLERS
    for start in range(0, len(acknowledged), 100):
        keys = [{"externalId": one} for one in acknowledged[start : start + 100]]
        found = load.server.post(STORED, keys=keys)["data"]["contactsByKey"]
        assert [one and one["externalId"] for one in found] == [key["externalId"] for key in keys]
        assert {one["version"] for one in found} == {1}
    total = load.server.post(TOTAL)["data"]["contacts"]["totalCount"]
    assert len(acknowledged) <= total <= len(load.sent)


def serving(cluster: Cluster, folder: Path) -> Server:
    server = Server(folder, DATABASE_URL=empty_postgresql(cluster))
    server.start()
    return server


def test_no_acknowledged_write_is_lost_when_the_server_is_killed(
    durable_cluster: Cluster, tmp_path: Path
) -> None:
    server = serving(durable_cluster, tmp_path)
    try:
        with Load(server) as load:
            in_rounds(load, [lambda: server.signal(signal.SIGKILL), server.start])
        all_are_there_once(load)
    finally:
        server.stop()


def test_no_acknowledged_write_is_lost_when_postgresql_is_killed(
    durable_cluster: Cluster, tmp_path: Path
) -> None:
    server = serving(durable_cluster, tmp_path)
    try:
        with Load(server) as load:
            in_rounds(load, [durable_cluster.kill, durable_cluster.start, server.wait_until_ready])
        all_are_there_once(load)
    finally:
        server.stop()
