"""`scripts/bench import`: rows a second of an import, beside the same rows by other ways.

An import is then killed at random moments and continued, and must give the same contacts.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import httpx
import psutil
import typer
from sqlalchemy.ext.asyncio import create_async_engine

from app.fields.contact import API_NAMES
from app.transfer.batches import BATCH_ROWS
from app.transfer.contact_lines import FIELDS, CsvLines
from app.transfer.over_api import UPSERT
from app.transfer.row_file import Reading, opened_rows
from bench.people import people
from bench.postgresql import execute, temporary_cluster
from tests.support.server import ExecutedServer

SEED = 1
WORKSPACE = "bench"
MIB = 1024 * 1024

# Of the file, sent over HTTP.
HTTP_ROWS = 200_000

# An import may be faster than the one before, and is killed all the same.
EARLIER = 0.9

# Of exported contacts that were imported twice, only these differ.
OWN = ("id", "updatedAt")


@dataclass(frozen=True, slots=True)
class Measured:
    way: str
    rows: int
    seconds: float
    peak_bytes: int | None = None  # of the process of Rollcall

    @property
    def line(self) -> str:
        peak = "" if self.peak_bytes is None else f"{self.peak_bytes / MIB:,.0f} MiB"
        return f"| {self.way} | {self.rows:,} | {self.rows / self.seconds:,.0f} | {peak} |"


@dataclass(frozen=True, slots=True)
class Site:
    folder: Path
    file: Path
    rows: int  # of the file
    new_url: Callable[[str], str]  # of an empty database

    def start(self, url: str, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "app", *command],
            cwd=self.folder,
            env=os.environ | {"DATABASE_URL": url, "PYTHONPATH": os.getcwd()},
            stdout=subprocess.DEVNULL,
        )

    def run(self, url: str, *command: str) -> Measured:
        start = time.monotonic()
        process = self.start(url, *command)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, command
        seconds = time.monotonic() - start
        return Measured(f"rollcall {command[0]}", self.rows, seconds, usage.ru_maxrss * 1024)

    def prepared(self, name: str) -> str:
        url = self.new_url(name)
        self.run(url, "migrate")
        self.run(url, "workspace", "create", WORKSPACE)
        return url


def bench(
    rows: Annotated[int, typer.Option(min=1, help="How many rows the file has.")] = 1_000_000,
    postgresql: Annotated[bool, typer.Option(help="On a temporary PostgreSQL.")] = False,
    kills: Annotated[int, typer.Option(min=0, help="How often an import is killed.")] = 10,
    markdown: Annotated[Path | None, typer.Option(help="Where the table is written.")] = None,
) -> None:
    """Imports a file of made-up contacts, and prints rows a second and the peak of memory."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="rollcall-bench-")))
        new_url = _sqlite(folder)
        if postgresql:
            new_url = _postgresql(stack.enter_context(temporary_cluster()).url)
        site = Site(folder, folder / "people.csv", rows, new_url)
        _write_people(site.file, rows)
        url = site.prepared("whole")
        whole = site.run(url, "import", site.file.name, "--workspace", WORKSPACE)
        measured = [whole, _over_http(site)]
        if postgresql:
            measured.append(asyncio.run(_copy(site, site.new_url("bare"))))
        table = ["| Way | Rows | Rows a second | Peak memory |", "|---|--:|--:|--:|"]
        table += [one.line for one in measured]
        typer.echo("\n".join(table))
        if kills:
            killed = _killed(site, kills, whole.seconds)
            assert _digest(site, url, "whole") == _digest(site, killed, "killed")
            typer.echo(f"Killed {kills} times and continued, the import gave the same contacts.")
    if markdown is not None:
        markdown.write_text("\n".join(table) + "\n")


def _sqlite(folder: Path) -> Callable[[str], str]:
    return lambda name: f"sqlite+aiosqlite:///{folder / name}.db"


def _postgresql(url: Callable[[str], str]) -> Callable[[str], str]:
    def new_url(name: str) -> str:
        asyncio.run(execute(url("postgres"), f"CREATE DATABASE {name}"))
        return url(name)

    return new_url


def _write_people(file: Path, rows: int) -> None:
    lines = CsvLines({})
    with file.open("w", newline="") as out:
        out.write(lines.header())
        for person in people(rows, SEED):
            given = {API_NAMES[name]: value for name, value in person.items()}
            empty = dict.fromkeys(FIELDS) | {"customFields": {}, "metadata": {}}
            out.write(lines.line(empty | given))


def _over_http(site: Site) -> Measured:
    """The first rows by `upsertContacts`, one request after the other."""
    folder = site.folder / "server"
    folder.mkdir()
    server = ExecutedServer(folder, ENVIRONMENT="development", DATABASE_URL=site.new_url("http"))
    server.start()
    assert server.process is not None
    process, peak = psutil.Process(server.process.pid), 0
    start = time.monotonic()
    with (
        httpx.Client(headers={"x-api-key": server.key}, timeout=60) as client,
        opened_rows(Reading(site.file), {}) as (_, file),
    ):
        rows = islice(file.rows(), HTTP_ROWS)
        while batch := list(islice(rows, BATCH_ROWS)):
            variables = {"inputs": [row.contact for row in batch], "dryRun": False}
            body = {"query": UPSERT, "variables": variables}
            answer = client.post(f"{server.url}/graphql", json=body).json()
            assert "errors" not in answer, answer["errors"]
            peak = max(peak, process.memory_info().rss)
    seconds = time.monotonic() - start
    server.stop()
    sent = min(site.rows, HTTP_ROWS)
    return Measured("upsertContacts over HTTP, 1,000 rows each", sent, seconds, peak)


async def _copy(site: Site, url: str) -> Measured:
    """The same rows by PostgreSQL's COPY into a table of texts without an index."""
    columns = ", ".join(f'"{name}" text' for name in FIELDS)
    await execute(url, f"CREATE TABLE bare ({columns})")
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        start = time.monotonic()
        await driver.copy_to_table("bare", source=site.file, format="csv", header=True)
        seconds = time.monotonic() - start
    await engine.dispose()
    return Measured("COPY into a bare table", site.rows, seconds)


def _killed(site: Site, kills: int, seconds: float) -> str:
    """The database of an import that is killed so often, at random moments of `seconds`."""
    random_numbers = random.Random(SEED)
    moments = sorted(random_numbers.uniform(0, seconds * EARLIER) for _ in range(kills))
    url = site.prepared("killed")
    command = ("import", site.file.name, "--workspace", WORKSPACE)
    for before, moment in pairwise([0, *moments]):
        process = site.start(url, *command)
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment - before)
            raise AssertionError("the import ended before its last kill")
        process.kill()
        process.wait()
    site.run(url, *command)
    return url


def _digest(site: Site, url: str, name: str) -> int:
    """Of the contacts in any order."""
    site.run(url, "export", f"{name}.ndjson", "--workspace", WORKSPACE)
    with (site.folder / f"{name}.ndjson").open() as lines:
        return sum(_digests(lines)) % 2**256


def _digests(lines: Iterator[str]) -> Iterator[int]:
    for line in lines:
        contact = json.loads(line)
        text = json.dumps({name: contact[name] for name in contact if name not in OWN})
        yield int.from_bytes(sha256(text.encode()).digest())


if __name__ == "__main__":
    typer.run(bench)
