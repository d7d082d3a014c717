"""Fixtures: every test that asks for a database runs on SQLite and on PostgreSQL."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, event, text
from sqlalchemy.ext.asyncio import create_async_engine

from app import directory
from app.asgi import create_app
from app.auth import Scope
from app.database import Database
from app.migrate import migrate
from app.settings import Settings
from tests.client import Client
from tests.postgres import Cluster
from tests.server import Server
from tests.tenancy import Watch

settings.register_profile(
    "rollcall",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("rollcall")


@pytest.fixture(autouse=True)
def every_statement_names_the_workspace() -> Iterator[None]:
    watch = Watch()
    event.listen(Engine, "before_cursor_execute", watch.before_cursor_execute)
    yield
    event.remove(Engine, "before_cursor_execute", watch.before_cursor_execute)
    assert watch.unscoped == []


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster("-F")
    cluster.start()
    yield cluster
    cluster.stop()
    cluster.remove()


@pytest.fixture(scope="session")
def postgresql_template(cluster: Cluster) -> str:
    asyncio.run(_postgresql(cluster, "CREATE DATABASE template_rollcall"))
    asyncio.run(_migrated(cluster.url("template_rollcall")))
    return "template_rollcall"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database of the test's own."""
    if request.param == "sqlite":
        path = tmp_path / "rollcall.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite+aiosqlite:///{path}"
    cluster: Cluster = request.getfixturevalue("cluster")
    template = request.getfixturevalue("postgresql_template")
    name = f"test_{uuid4().hex}"
    asyncio.run(_postgresql(cluster, f"CREATE DATABASE {name} TEMPLATE {template}"))
    return cluster.url(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def http(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The application itself, in this process, as an HTTP client sees it."""
    app = create_app(Settings(_env_file=None, database_url=database_url))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://rollcall.test") as client,
    ):
        yield client


@pytest.fixture
async def api(http: httpx.AsyncClient, database: Database) -> Client:
    """A client of the workspace `ours` with every scope."""
    return await client_of(http, database, "ours")


@pytest.fixture
async def stranger(http: httpx.AsyncClient, database: Database) -> Client:
    """A client of another workspace with every scope."""
    return await client_of(http, database, "theirs")


async def client_of(
    http: httpx.AsyncClient,
    database: Database,
    workspace: str,
    scopes: tuple[Scope, ...] = tuple(Scope),
    *,
    is_new: bool = True,
) -> Client:
    async with database.write() as session:
        if is_new:
            await directory.create_workspace(session, workspace)
        key = await directory.create_key(session, workspace, "test", scopes)
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


async def _postgresql(cluster: Cluster, statement: str) -> None:
    engine = create_async_engine(cluster.url("postgres"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
