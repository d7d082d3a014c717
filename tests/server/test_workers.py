"""How many processes may serve, how they end, and what becomes of one that dies."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no types
import httpx
import psutil
import pytest
from sqlalchemy import make_url

from tests.support.commands import Rollcall, refused
from tests.support.databases import copied_postgresql
from tests.support.forking import ForkedCommand, limit_open_files
from tests.support.postgres import Cluster
from tests.support.server import Server
from tests.support.waiting import until

CALLERS = 16
WORKERS = 2
BOUND_SECONDS = 60

UPSERT = """
mutation ($email: String) { upsertContact(input: {email: $email}) { __typename } }
"""
UPSERT_MANY = """
mutation ($inputs: [ContactInput!]!) {
  upsertContacts(inputs: $inputs) { created updated unchanged }
}
"""
FIND = '{ contact(by: {email: "ada@example.com"}) { email } }'


@pytest.fixture
def database(cluster: Cluster, postgresql_template: str) -> str:
    """The name of a migrated database of the test's own, without a workspace."""
    return str(make_url(copied_postgresql(cluster, postgresql_template)).database)


@pytest.fixture
def server(tmp_path: Path, cluster: Cluster, database: str) -> Iterator[Server]:
    """Two workers on PostgreSQL, both of them up."""
    server = Server(
        tmp_path,
        "--workers",
        str(WORKERS),
        DATABASE_URL=cluster.url(database),
        ENVIRONMENT="development",
        DATABASE_POOL_SIZE=str(2 * CALLERS),  # of which a workspace's writers take half
        DATABASE_LOCK_TIMEOUT_SECONDS="60",
        DATABASE_STATEMENT_TIMEOUT_SECONDS="60",
    )
    start(server)
    yield server
    server.stop()


def connect(cluster: Cluster, database: str) -> Any:
    return asyncpg.connect(user="postgres", host=str(cluster.folder), database=database)


def start(server: Server) -> None:
    log = server.folder / "server.log"
    before = len(started(server)) if log.exists() else 0
    server.start()
    until(lambda: len(started(server)) == before + WORKERS)


def started(server: Server) -> list[int]:
    """The processes that have begun to serve, in order."""
    return [int(found) for found in re.findall(r"Started server process \[(\d+)\]", server.log)]


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def test_requests_in_flight_in_every_worker_are_finished(
    server: Server, cluster: Cluster, database: str
) -> None:
    holder = await connect(cluster, database)
    held = holder.transaction()
    await held.start()
    await holder.execute("LOCK TABLE contact")
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'contact'::regclass AND NOT granted"
    with ThreadPoolExecutor(CALLERS) as callers:
        answers = [
            callers.submit(server.post, UPSERT_MANY, inputs=[{"email": f"a{number}@example.com"}])
            for number in range(CALLERS)
        ]
        end = time.monotonic() + BOUND_SECONDS
        while await holder.fetchval(waiting) < CALLERS:
            assert time.monotonic() < end
            await asyncio.sleep(0.02)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.log.count("Shutting down") == WORKERS)
        await held.rollback()
        await holder.close()
        created = {"data": {"upsertContacts": {"created": 1, "updated": 0, "unchanged": 0}}}
        assert [answer.result() for answer in answers] == [created] * CALLERS
    assert server.process.wait(BOUND_SECONDS) == 0
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    served = [line["process"] for line in lines if line.get("path") == "/graphql"]
    assert len(served) == CALLERS
    assert set(served) == set(started(server))


def begun(server: Server) -> int:
    """How many workers the supervisor has begun to start."""
    return len(re.findall(r"worker \d+ started", server.log))


def press_ctrl_c(server: Server) -> int:
    """Signals every process of the group, as a terminal does, and returns the exit code.

    The supervisor is the last one, so that the others have no other reason to end.
    """
    assert server.process is not None
    supervisor = psutil.Process(server.process.pid)
    group = os.getpgid(supervisor.pid)
    workers = [child for child in supervisor.children() if os.getpgid(child.pid) == group]
    for worker in workers:
        worker.send_signal(signal.SIGINT)
    psutil.wait_procs(workers, BOUND_SECONDS)
    return server.signal(signal.SIGINT)


def test_worker_that_dies_is_replaced_and_ctrl_c_ends_all_quietly(server: Server) -> None:
    server.post(UPSERT, email="ada@example.com")
    for _ in range(2):
        before = started(server)
        os.kill(before[-1], signal.SIGKILL)
        until(lambda before=before: len(started(server)) > len(before))  # type: ignore[misc]
        with ThreadPoolExecutor(CALLERS) as callers:
            for answer in callers.map(server.post, [FIND] * CALLERS):
                assert answer == {"data": {"contact": {"email": "ada@example.com"}}}
    count = begun(server)
    os.kill(started(server)[-1], signal.SIGKILL)
    until(lambda: begun(server) > count)
    assert press_ctrl_c(server) == 0
    ends = re.findall(r"worker \d+ ended with (-?\d+)", server.log)
    assert ends == ["-9"] * 3 + ["-15"] * WORKERS
    assert "Traceback" not in server.log
    assert not any(is_alive(process) for process in started(server))


def test_workers_log_json_before_they_serve(
    tmp_path: Path, cluster: Cluster, database: str
) -> None:
    server = Server(tmp_path, "--workers", "2", DATABASE_URL=cluster.url(database))
    server.before = partial(limit_open_files, 500)
    warning = "open files allows"
    try:
        server.start()
        until(lambda: server.log.count(warning) == 2)
    finally:
        server.stop()
    warnings = [json.loads(line) for line in server.log.splitlines() if warning in line]
    assert {line["logger"] for line in warnings} == {"rollcall.connections"}
    assert "uvicorn" in server.log
    assert "color_message" not in server.log


def test_workers_end_with_their_supervisor(server: Server) -> None:
    server.signal(signal.SIGKILL)
    start(server)  # on the same port
    old = started(server)[:-WORKERS]
    until(lambda: not any(is_alive(process) for process in old))
    server.post(UPSERT, email="ada@example.com")
    assert server.post(FIND) == {"data": {"contact": {"email": "ada@example.com"}}}


def test_worker_that_cannot_start_ends_the_server(tmp_path: Path) -> None:
    script = """
import sys
from app.errors import CommandFailed
from app.server.serving import listen
from app.server.workers import supervise

try:
    supervise(listen("127.0.0.1", 0), 2)
except CommandFailed as error:
    sys.exit(error.message)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"DATABASE_URL": "nonsense"},
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.endswith("A worker could not start. The log has the reason.\n")
    assert "rollcall: DATABASE_URL must be " in done.stderr
    assert "Traceback" not in done.stderr


# --- SQLite: one server process, and short commands beside it ---


def test_sqlite_takes_one_worker(rollcall: Rollcall, tmp_path: Path) -> None:
    line = refused(rollcall("serve", "--workers", "2"))
    assert line == "rollcall: --workers must be 1 with SQLite. PostgreSQL allows more."
    assert list(tmp_path.iterdir()) == []


def test_second_server_on_a_sqlite_file_is_refused(rollcall: Rollcall, tmp_path: Path) -> None:
    server = Server(tmp_path, ENVIRONMENT="development")
    server.start()
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "rollcall.db")
    for file in (tmp_path / "rollcall.db", link):
        line = refused(rollcall("serve", PORT="0", DATABASE_URL=f"sqlite+aiosqlite:///{file}"))
        assert line.startswith(f"rollcall: Another server is running on {file}. ")

    made = server.rollcall(
        *["key", "create", "--workspace", "demo", "--name", "second", "--scope", "contacts:write"]
    )
    server.key = made.stdout.strip()
    created = {"data": {"upsertContact": {"__typename": "ContactCreated"}}}
    assert server.post(UPSERT, email="ada@example.com") == created
    assert server.rollcall("migrate").returncode == 0

    server.signal(signal.SIGKILL)
    server.start()
    updated = {"data": {"upsertContact": {"__typename": "ContactUpdated"}}}
    assert server.post(UPSERT, email="ada@example.com") == updated
    server.stop()


def test_commands_beside_a_busy_server_wait_for_their_turn(tmp_path: Path) -> None:
    server = Server(tmp_path, ENVIRONMENT="development")
    server.start()
    with ThreadPoolExecutor(8) as callers:
        writes = [
            callers.submit(server.post, UPSERT, email=f"a{number}@example.com")
            for number in range(100)
        ]
        commands = [
            callers.submit(server.rollcall, "workspace", "create", f"w{number}")
            for number in range(2)
        ]
        assert [done.result().returncode for done in commands] == [0] * len(commands)
        created = {"data": {"upsertContact": {"__typename": "ContactCreated"}}}
        assert [write.result() for write in writes] == [created] * len(writes)
    server.stop()


# --- Where to listen ---


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_port_in_use_is_reported_before_a_key_is_created(
    rollcall: Rollcall, live_server: Server, tmp_path: Path, host: str
) -> None:
    line = refused(rollcall("serve", HOST=host, PORT=str(live_server.port)))
    assert line == f"rollcall: Port {live_server.port} of {host} is in use."
    assert not (tmp_path / "rollcall.db").exists()


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1"])
def test_address_of_another_machine_is_refused(rollcall: Rollcall, host: str) -> None:
    assert refused(rollcall("serve", HOST=host)).startswith(f"rollcall: Cannot listen on {host}:")


def test_port_0_is_reported_as_the_bound_port(rollcall: Rollcall, tmp_path: Path) -> None:
    assert rollcall("migrate").code == 0
    log = tmp_path / "server.log"
    log.touch()
    environment = os.environ | {"PORT": "0", "ENVIRONMENT": "production"}
    process = ForkedCommand(["serve"], tmp_path, environment, log, log)
    told: list[str] = []

    def is_told() -> bool:
        told[:] = re.findall(r"^Rollcall serves (\S+)/graphql$", log.read_text(), re.MULTILINE)
        return bool(told)

    try:
        until(is_told)
        assert httpx.get(f"{told[0]}/healthz", timeout=BOUND_SECONDS).text == "healthy\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_bulks_of_the_same_people_never_deadlock(server: Server, cluster: Cluster) -> None:
    before = len((cluster.folder / "log").read_text())
    random = Random(20260203)
    people = 50
    for number in range(5):
        inputs = [
            {"externalId": f"c{number}-{one}", "email": f"{one}-{number}@example.com"}
            for one in range(people)
        ]
        with ThreadPoolExecutor(CALLERS) as callers:
            answers = list(
                callers.map(
                    lambda given: server.post(UPSERT_MANY, inputs=given),
                    [random.sample(inputs, people) for _ in range(CALLERS)],
                )
            )
        counts = [answer["data"]["upsertContacts"] for answer in answers]
        assert sum(one["created"] for one in counts) == people
        assert sum(one["unchanged"] for one in counts) == people * (CALLERS - 1)
    assert "deadlock detected" not in (cluster.folder / "log").read_text()[before:]
