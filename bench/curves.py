"""`scripts/bench curves`: how the time of each kind of request grows with the contacts.

One server process for each size, side by side. Every question goes to the sizes in turn, so that
whatever else the machine does meets them all alike.
"""

import asyncio
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import httpx
import typer
from sqlalchemy import func
from sqlalchemy.engine import make_url
from sqlmodel import select

from app.contacts.listing.order import Order, Position, Window, cursor
from app.contacts.listing.page import page
from app.database.migrate import migrate
from app.database.sessions import Database, sqlite_path
from app.errors import CommandFailed
from app.settings import DatabaseSettings
from app.tables import ContactTable
from app.workspaces.keys import Caller, authenticate
from bench.copies import fill_workspaces
from bench.postgresql import execute, temporary_cluster
from bench.questions import PAGE, PAGES, SEED, Question, orders, questions
from bench.seed import key_of
from tests.support.server import ExecutedServer

RUNS = 11
LEAST_RUNS = 3
SECONDS = 20.0  # from which on a question is not asked more than LEAST_RUNS times
WORKSPACE = "bench"
WORKSPACES = 10  # on PostgreSQL


@dataclass
class Site:
    """A database of `contacts`, its server, and a key of the workspace that is asked."""

    contacts: int
    workspace_size: int
    url: str
    key: str = ""
    questions: list[Question] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds, and how many contacts the answer had."""

    times: Sequence[float]
    answered: int | None

    def __str__(self) -> str:
        low, middle, high = min(self.times), median(self.times), max(self.times)
        return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def bench(
    sizes: Annotated[
        str, typer.Option(help="Numbers of contacts, ascending, separated by commas.")
    ] = "",
    postgresql: Annotated[bool, typer.Option(help="On a temporary PostgreSQL.")] = False,
    database_url: Annotated[
        str, typer.Option(help="On this PostgreSQL, in databases that are created and dropped.")
    ] = "",
    folder: Annotated[
        Path | None, typer.Option(help="Where seeded SQLite files are kept for the next time.")
    ] = None,
    only: Annotated[
        str, typer.Option(help="The requests with this in their name or that of their table.")
    ] = "",
    runs: Annotated[int, typer.Option(min=1)] = RUNS,
    markdown: Annotated[Path | None, typer.Option(help="Where the tables are written.")] = None,
) -> None:
    """Seeds contacts, sends every request, and prints the milliseconds until the answer."""
    on_postgresql = postgresql or bool(database_url)
    counts = [int(size) for size in sizes.split(",") if size]
    if not counts:
        counts = [10_000, 100_000, 1_000_000] if on_postgresql else [2_000, 20_000, 200_000]
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(TemporaryDirectory(prefix="rollcall-bench-")))
        if on_postgresql:
            urls = stack.enter_context(_postgresql(database_url, counts))
            sites = [Site(count, count // WORKSPACES, url) for count, url in urls.items()]
        else:
            paths = [(folder or temporary) / f"rollcall-{count}.db" for count in counts]
            sites = [
                Site(count, count, f"sqlite+aiosqlite:///{path}")
                for count, path in zip(counts, paths, strict=True)
            ]
        for site in sites:
            asyncio.run(_prepare(site))
            if folder is not None and not on_postgresql:
                site.url = _copied(site.url, temporary)
        tables = list(_tables(sites, temporary, only, runs))
    if markdown is not None:
        markdown.write_text("\n\n".join(tables) + "\n")


@contextmanager
def _postgresql(database_url: str, counts: Sequence[int]) -> Iterator[dict[int, str]]:
    with ExitStack() as stack:
        if not database_url:
            database_url = stack.enter_context(temporary_cluster()).url("postgres")
        names = {count: f"rollcall_bench_{count}" for count in counts}
        for name in names.values():
            asyncio.run(execute(database_url, f"CREATE DATABASE {name}"))
            stack.callback(_dropped, database_url, name)
        server = make_url(database_url)
        yield {
            count: server.set(database=name).render_as_string(hide_password=False)
            for count, name in names.items()
        }


def _dropped(url: str, name: str) -> None:
    asyncio.run(execute(url, f"DROP DATABASE {name} WITH (FORCE)"))


def _copied(url: str, folder: Path) -> str:
    path = Path(str(make_url(url).database))
    return f"sqlite+aiosqlite:///{shutil.copy(path, folder)}"


async def _prepare(site: Site) -> None:
    """Seeds what is not there yet; the questions that fit the site."""
    patient = DatabaseSettings(database_statement_timeout_seconds=3600)
    database = Database(site.url, patient)
    try:
        await migrate(database)
        site.key = await key_of(database, WORKSPACE)
        caller = await authenticate(database, site.key)
        async with database.read(caller) as session:
            counted = select(func.count()).select_from(ContactTable)
            missing = (await session.exec(counted)).one() < site.workspace_size
        if missing:
            workspaces = site.contacts // site.workspace_size
            await fill_workspaces(database, WORKSPACE, site.contacts, workspaces, SEED)
        cursors = {order: await _far(database, caller, order, site) for order in orders()}
        site.questions = list(questions(site.workspace_size, cursors))
    finally:
        await database.close()
    if sqlite_path(site.url) is None:
        await execute(site.url, "VACUUM ANALYZE")


async def _far(database: Database, caller: Caller, order: Order, site: Site) -> str | None:
    """What page 1,000 starts behind, or the last page where there are not so many."""
    before = (min(PAGES, site.workspace_size // PAGE) - 1) * PAGE
    if before <= 0:
        return None
    async with database.read(caller) as session:
        found = await page(session, order, Window(size=before))
    return cursor(caller, order, Position.of(found.contacts[-1], order))


def _tables(sites: Sequence[Site], folder: Path, only: str, runs: int) -> Iterator[str]:
    with ExitStack() as stack:
        clients = [stack.enter_context(_client(site, folder)) for site in sites]
        group = ""
        lines: list[str] = []
        for asked in zip(*(site.questions for site in sites), strict=True):
            question = asked[0]
            if only not in f"{question.group}: {question.name}":
                continue
            if question.group != group:
                if lines:
                    yield "\n".join(lines)
                group, lines = question.group, list(_heading(question.group, sites))
                typer.echo("\n" + "\n".join(lines))
            lines.append(_row(question, _measure(asked, clients, question.runs or runs)))
            typer.echo(lines[-1])
        yield "\n".join(lines)


@contextmanager
def _client(site: Site, folder: Path) -> Iterator[httpx.Client]:
    server = ExecutedServer(
        folder,
        DATABASE_URL=site.url,
        ENVIRONMENT="production",
        LOG_LEVEL="error",
        RATE_LIMIT_POINTS_PER_SECOND="0",
    )
    server.start()
    try:
        headers = {"x-api-key": site.key}
        with httpx.Client(base_url=server.url, headers=headers, timeout=120) as client:
            yield client
    finally:
        server.stop()


def _measure(
    asked: Sequence[Question], clients: Sequence[httpx.Client], runs: int
) -> list[Measured]:
    times: list[list[float]] = [[] for _ in asked]
    answered: list[int | None] = [None for _ in asked]
    start = time.monotonic()
    for run in range(runs + 1):  # the first is to warm up
        if run > LEAST_RUNS and time.monotonic() - start > SECONDS:
            break
        for index, (question, client) in enumerate(zip(asked, clients, strict=True)):
            milliseconds, answer = _ask(question, client)
            answered[index] = _contacts(answer)
            if run:
                times[index].append(milliseconds)
    return [Measured(*each) for each in zip(times, answered, strict=True)]


def _ask(question: Question, client: httpx.Client) -> tuple[float, Any]:
    body = {"query": question.document, "variables": question.variables()}
    request = client.build_request("POST", "/graphql", json=body)
    start = time.perf_counter()
    response = client.send(request)
    milliseconds = (time.perf_counter() - start) * 1_000
    answer = response.json()
    if "errors" in answer:
        raise CommandFailed(f"{question.name}: {answer['errors']}")
    return milliseconds, answer["data"]["answer"]


def _contacts(answer: Any) -> int | None:
    match answer:
        case {"edges": edges}:
            return len(edges)
        case list():
            return len(answer)
        case {"totalCount": count}:
            return int(count)
        case {"created": int(), "updated": int(), "unchanged": int()}:
            return int(answer["created"] + answer["updated"] + answer["unchanged"])
        case _:
            return None


def _heading(group: str, sites: Sequence[Site]) -> Iterator[str]:
    cells = [group, *(f"{site.contacts:,}" for site in sites), "times as long", "answered"]
    yield f"| {' | '.join(cells)} |"
    yield "|---" + "|--:" * (len(cells) - 1) + "|"


def _row(question: Question, measured: Sequence[Measured]) -> str:
    # Of the fastest: what else the machine does can only add.
    growth = min(measured[-1].times) / min(measured[0].times)
    answered = ", ".join("" if one.answered is None else str(one.answered) for one in measured)
    cells = [question.name, *map(str, measured), f"{growth:.1f}", answered.strip(" ,")]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    typer.run(bench)
