"""The servers that are measured, each in a process of its own on the core for servers."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.errors import CommandFailed
from app.settings import MAX_POINTS
from bench.peers.data import NODE, Data
from bench.peers.languages import Language, OfPostGraphile, OfRollcall
from tests.support.server import ExecutedServer, free_port
from tests.support.waiting import until


@dataclass(frozen=True, slots=True)
class Contender:
    """A running server. `workloads` has the names of those that it can answer."""

    name: str
    port: int
    process: psutil.Process
    language: Language
    workloads: str
    on_postgresql: bool = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system

    def resident_bytes(self) -> int:
        return self.process.memory_info().rss


ROLLCALL = "Rollcall on PostgreSQL"
ON_SQLITE = "Rollcall on SQLite"
MERCURIUS = "Mercurius"
POSTGRAPHILE = "PostGraphile"
FLOOR = "Starlette, one statement"


@contextmanager
def contenders(data: Data, folder: Path, core: int) -> Iterator[list[Contender]]:
    """All of them, started, on that core."""
    with ExitStack() as stack:
        with pinned({core}):
            started = [
                stack.enter_context(_rollcall(ROLLCALL, data.postgresql, folder / "postgresql")),
                stack.enter_context(_rollcall(ON_SQLITE, data.sqlite, folder / "sqlite")),
                stack.enter_context(_peer(MERCURIUS, data, folder, OfRollcall())),
                stack.enter_context(
                    _peer(POSTGRAPHILE, data, folder, OfPostGraphile(data.workspace_id))
                ),
                stack.enter_context(_floor(data, folder)),
            ]
        yield started


@contextmanager
def pinned(cores: Set[int]) -> Iterator[None]:
    """What is started in the block stays on those cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def node() -> str:
    """The binary: what is on PATH may be a script that runs it."""
    asked = ["node", "--print", "process.execPath"]
    return subprocess.run(asked, capture_output=True, check=True, text=True).stdout.strip()


@contextmanager
def _rollcall(name: str, database_url: str, folder: Path) -> Iterator[Contender]:
    folder.mkdir()
    # One key sends all requests of the load, more than a key may by default.
    server = ExecutedServer(
        folder,
        DATABASE_URL=database_url,
        ENVIRONMENT="production",
        RATE_LIMIT_POINTS_PER_SECOND=str(MAX_POINTS),
    )
    server.start()
    try:
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        on_postgresql = database_url.startswith("postgresql")
        yield Contender(name, server.port, process, OfRollcall(), "abcde", on_postgresql)
    finally:
        server.stop()


@contextmanager
def _peer(name: str, data: Data, folder: Path, language: Language) -> Iterator[Contender]:
    program = name.lower()
    command = [node(), str(NODE / f"{program}.mjs")]
    environment = {
        "DATABASE_URL": data.peer_url(program),
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
    }
    with _started(command, environment, data, folder / f"{program}.log") as (port, process):
        yield Contender(name, port, process, language, "abcde")


@contextmanager
def _floor(data: Data, folder: Path) -> Iterator[Contender]:
    command = [sys.executable, "-m", "bench.peers.floor"]
    environment = {"DATABASE_URL": data.postgresql.replace("+asyncpg", "")}
    with _started(command, environment, data, folder / "floor.log") as (port, process):
        yield Contender(FLOOR, port, process, OfRollcall(), "a")


@contextmanager
def _started(
    command: Sequence[str], environment: dict[str, str], data: Data, log: Path
) -> Iterator[tuple[int, psutil.Process]]:
    port = free_port()
    told = {"PORT": str(port), "API_KEY": data.key, "WORKSPACE": str(data.workspace_id)}
    with log.open("wb") as output:
        process = psutil.Popen(
            command, env=os.environ | environment | told, stdout=output, stderr=output
        )
    try:
        until(lambda: process.poll() is not None or _listens(port))
        if process.poll() is not None:
            raise CommandFailed(f"{command[-1]} ended: {log.read_text()}")
        yield port, process
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
