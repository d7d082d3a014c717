"""Fixtures: every test that uses a database runs on SQLite and on PostgreSQL."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, event, make_url

from app.database.migrate import migrate
from app.database.sessions import Database
from app.fields.sources import DEFAULT_SOURCE
from app.server.serving import COLLECTED_OBJECTS
from app.tables import Workspace
from app.workspaces import workspaces
from app.workspaces.keys import Scope
from app.workspaces.locks import lock_workspace
from tests.support.citus import ON_CITUS, Citus
from tests.support.client import Client, InProcess
from tests.support.commands import rollcall as rollcall
from tests.support.databases import (
    copied_postgresql,
    copied_sqlite,
    empty,
    empty_postgresql,
    empty_sqlite,
)
from tests.support.postgres import Cluster
from tests.support.server import Server
from tests.support.serving import serving
from tests.support.statements import past_sqlalchemy
from tests.support.tenancy import Watch

settings.register_profile(
    "rollcall",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("rollcall")

# As in the server. With Python's own, collections took a tenth of the time of some tests.
gc.set_threshold(COLLECTED_OBJECTS)

# These need the nodes that scripts/citus starts.
collect_ignore = [] if ON_CITUS else ["citus"]


@pytest.fixture(scope="session")
def watch() -> Iterator[Watch]:
    watch = Watch()
    event.listen(Engine, "before_cursor_execute", watch.before_cursor_execute)
    with past_sqlalchemy(lambda statement, _: watch.see(statement)):
        yield watch
    event.remove(Engine, "before_cursor_execute", watch.before_cursor_execute)


@pytest.fixture(autouse=True)
def every_statement_names_the_workspace(watch: Watch) -> Iterator[None]:
    watch.unscoped.clear()
    yield
    assert watch.unscoped == []


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    asyncio.run(_migrated(empty_sqlite(folder)))
    return folder / "rollcall.db"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster | Citus]:
    if (citus := Citus.of_environment()) is not None:
        yield citus
        return
    cluster = Cluster("-F")
    cluster.start()
    yield cluster
    cluster.stop()
    cluster.remove()


@pytest.fixture(scope="session")
def postgresql_template(cluster: Cluster | Citus) -> str | None:
    """The name of a migrated database that accepts no connections. Citus copies none."""
    if isinstance(cluster, Citus):
        return None
    url = empty_postgresql(cluster)
    asyncio.run(_migrated(url))
    return str(make_url(url).database)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database for one test."""
    if request.param == "sqlite":
        return empty_sqlite(tmp_path)
    return empty_postgresql(request.getfixturevalue("cluster"))


@pytest.fixture(scope="session")
def shared_urls() -> dict[str, str]:
    return {}


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(
    request: pytest.FixtureRequest,
    shared_urls: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A migrated database. The tests share it one after another, and `database` empties it;
    those that change its tables are marked by `own_database`."""

    def copied() -> str:
        template = request.getfixturevalue(f"{request.param}_template")
        if request.param == "sqlite":
            return copied_sqlite(template, tmp_path_factory.mktemp("database"))
        return copied_postgresql(request.getfixturevalue("cluster"), template)

    if request.node.get_closest_marker("own_database"):
        return copied()
    if request.param not in shared_urls:
        shared_urls[request.param] = copied()
    return shared_urls[request.param]


@pytest.fixture(scope="session")
async def until_the_end() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def databases() -> dict[str, Database]:
    """Databases by URL. They stay open, because an engine compiles each statement once."""
    return {}


@pytest.fixture(scope="session")
def applications() -> dict[str, InProcess]:
    """By the URL of their database, open as long."""
    return {}


@pytest.fixture
async def database(
    database_url: str, databases: dict[str, Database], until_the_end: AsyncExitStack
) -> Database:
    if database_url not in databases:
        databases[database_url] = Database(database_url)
        until_the_end.push_async_callback(databases[database_url].close)
    await empty(databases[database_url])
    return databases[database_url]


@pytest.fixture
async def http(
    database_url: str, applications: dict[str, InProcess], until_the_end: AsyncExitStack
) -> InProcess:
    """An HTTP client of the application in this process."""
    if database_url not in applications:
        opened = serving(database_url, operation_timeout_seconds=60)
        applications[database_url] = await until_the_end.enter_async_context(opened)
    return applications[database_url]


@pytest.fixture
async def api(http: InProcess, database: Database) -> Client:
    """A client of the workspace `ours` with every scope."""
    return await client_of(http, database, "ours")


@pytest.fixture
async def stranger(http: InProcess, database: Database) -> Client:
    """A client of another workspace with every scope."""
    return await client_of(http, database, "theirs")


async def client_of(
    http: InProcess,
    database: Database,
    workspace: str,
    scopes: tuple[Scope, ...] = tuple(Scope),
    *,
    is_new: bool = True,
    source: str = DEFAULT_SOURCE,
) -> Client:
    async with database.write_directory() as session:
        if is_new:
            owner = Workspace(name=workspace)
            session.add(owner)
            await session.flush()
        else:
            owner = await workspaces.find_workspace(session, workspace)
            await lock_workspace(session, owner.id)
        key, record = workspaces.api_key(owner.id, "test", scopes, None, source)
        session.add(record)
    return Client(http, key)


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real server in development, on SQLite, with the key of its workspace `demo`."""
    server = Server(tmp_path_factory.mktemp("server"), ENVIRONMENT="development")
    server.start()
    yield server
    server.stop()


async def _migrated(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()
