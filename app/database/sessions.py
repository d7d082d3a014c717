"""Sessions. `read()` and `write()` are the only ways in, and only `write()` commits.

A session is bound to the workspace of its caller: whatever it reads or writes of the tables of
workspaces belongs to that one. Sessions without a workspace see `workspace` and `api_key` alone.
"""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import PoolProxiedConnection, bindparam, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, with_loader_criteria
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.dialect import Dialect
from app.database.engine import pooled
from app.database.errors import translated_errors, translated_errors_of_commit
from app.database.postgresql import PostgreSQL
from app.database.prepared import Prepared
from app.database.sharing import Answer, Call, Shared
from app.database.sqlite import SQLite
from app.database.writes import Form, Part, Row, Write
from app.errors import CommandFailed
from app.settings import DatabaseSettings
from app.tables import OfWorkspace
from app.turns import TRANSACTION_TURN_SECONDS, in_turns


class InWorkspace(Protocol):
    """Who acts in a workspace, such as a caller."""

    @property
    def workspace_id(self) -> UUID: ...


# Of a session: the id of the workspace that it is bound to, and what its first statement by
# SQLAlchemy makes of that.
_WORKSPACE = "workspace"
_CRITERIA = "criteria"


class WorkspaceSession(AsyncSession):
    """A session that sees one workspace."""

    def __init__(self, engine: AsyncEngine, dialect: Dialect, workspace_id: UUID) -> None:
        super().__init__(engine, expire_on_commit=False)
        self.dialect = dialect
        self.workspace_id = workspace_id
        self._driver: PoolProxiedConnection | None = None
        self.sync_session.info[_WORKSPACE] = workspace_id

    async def fetch(self, statement: Prepared, **parameters: Any) -> list[dict[str, Any]]:
        """The rows, by column, of a statement that compares `:workspace_id` in each table."""
        arguments = statement.arguments(workspace_id=self.workspace_id, **parameters)
        found = await self.dialect.fetch(await self._begun(), statement.text, arguments)
        return statement.rows(found)

    async def write(self, *writes: Write) -> None:
        """Runs the writes, in as few statements as the database can. None may depend on another."""
        parts: list[Part] = []
        count = 0
        for one in writes:
            async for rows in _pieces(one.rows):
                if count + len(rows) > ROWS_AT_ONCE:
                    await self._write(parts)
                    parts, count = [], 0
                parts.append((Form(one.action, one.table, tuple(rows[0])), rows))
                count += len(rows)
        if parts:
            await self._write(parts)

    async def _write(self, parts: Sequence[Part]) -> None:
        await self.dialect.write(await self._begun(), self.workspace_id, parts)

    async def _begun(self) -> PoolProxiedConnection:
        """The connection of the session, in its transaction."""
        if self._driver is None:
            connection = await self.connection()
            await self.dialect.begin(connection)
            self._driver = await connection.get_raw_connection()
        return self._driver


# The rows that one statement writes: those of a usual bulk. More of them take megabytes.
ROWS_AT_ONCE = 10_000


async def _pieces(rows: Iterable[Row]) -> AsyncIterator[Sequence[Row]]:
    """The rows in lists that one statement takes. Rows may be generated, which takes time, so other
    tasks run meanwhile."""
    some: list[Row] = []
    async for row in in_turns(rows, TRANSACTION_TURN_SECONDS):
        some.append(row)
        if len(some) == ROWS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def prepared(dialect: Dialect, statement: Any) -> Prepared:
    """A statement that is bound to the workspace of its parameter `workspace_id`."""
    return dialect.prepare(statement.options(*_OF_PARAMETER))


_OF_PARAMETER = [
    with_loader_criteria(
        table,
        lambda entity: entity.workspace_id == bindparam("workspace_id"),
        include_aliases=True,
    )
    for table in OfWorkspace.__subclasses__()
]


@event.listens_for(Session, "do_orm_execute")
def bind_to_workspace(state: ORMExecuteState) -> None:
    """Adds the condition on the workspace to every table of workspaces that the statement names."""
    info = state.session.info
    if workspace_id := info.get(_WORKSPACE):
        if _CRITERIA not in info:
            info[_CRITERIA] = list(_of_workspace(workspace_id))
        state.statement = state.statement.options(*info[_CRITERIA])


def _of_workspace(workspace_id: UUID) -> Iterator[LoaderCriteriaOption]:
    for table in OfWorkspace.__subclasses__():
        # The function is called with each alias of the table too.
        yield with_loader_criteria(
            table, lambda entity: entity.workspace_id == workspace_id, include_aliases=True
        )


class Database:
    """One database, of either dialect."""

    def __init__(self, url: str, settings: DatabaseSettings | None = None) -> None:
        settings = settings or DatabaseSettings()
        file = sqlite_path(url)
        self.dialect: Dialect = SQLite(url, file, settings) if file else PostgreSQL(url, settings)
        self._shared: dict[Any, Shared[Any, Any]] = {}

    @asynccontextmanager
    async def read(self, tenant: InWorkspace) -> AsyncIterator[WorkspaceSession]:
        """What is read until the block ends is one snapshot."""
        session = WorkspaceSession(self.dialect.reader, self.dialect, tenant.workspace_id)
        reader = self.dialect.readers.place(tenant.workspace_id)
        with translated_errors():
            async with reader, self.dialect.reads.place(tenant.workspace_id), session:
                yield session

    @asynccontextmanager
    async def write(self, tenant: InWorkspace) -> AsyncIterator[WorkspaceSession]:
        """Commits when its block ends, and leaves nothing behind when that raises."""
        session = WorkspaceSession(self.dialect.writer, self.dialect, tenant.workspace_id)
        with translated_errors():
            async with self.dialect.writes.place(tenant.workspace_id), session:
                yield session
                with translated_errors_of_commit():
                    await session.commit()

    @asynccontextmanager
    async def read_directory(self) -> AsyncIterator[AsyncSession]:
        """Of workspaces and API keys, before the workspace of a request is known."""
        with translated_errors():
            async with AsyncSession(self.dialect.reader, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def write_directory(self) -> AsyncIterator[AsyncSession]:
        with translated_errors():
            async with AsyncSession(self.dialect.writer, expire_on_commit=False) as session:
                yield session
                with translated_errors_of_commit():
                    await session.commit()

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """A connection without time limits. Other processes that migrate wait until it ends."""
        with translated_errors():
            async with self.dialect.migrating() as connection:
                yield connection

    async def fetch(self, statement: Prepared, **parameters: Any) -> list[dict[str, Any]]:
        """The rows, by column, of one statement, without a session or a transaction. A statement on
        tables of workspaces compares `:workspace_id` in each of them."""
        arguments = statement.arguments(**parameters)
        place = self.dialect.singles.place(parameters.get("workspace_id"))
        with translated_errors():
            async with place, pooled(self.dialect.single) as connection:
                found = await self.dialect.fetch_single(connection, statement.text, arguments)
        return statement.rows(found)

    def share(
        self,
        run: Callable[["Database", Sequence[Call]], Awaitable[Sequence[Answer]]],
        tenant: InWorkspace,
        call: Call,
    ) -> Coroutine[Any, Any, Answer]:
        """The answer to the call by `run`, which takes the concurrent calls of the workspace
        together, as `app.database.sharing` has it."""
        shared = self._shared.get(run)
        if shared is None:
            shared = self._shared[run] = Shared(partial(run, self), self.dialect.lanes)
        return shared.answer(tenant.workspace_id, call)

    async def close(self) -> None:
        for shared in self._shared.values():
            await shared.close()
        await self.dialect.close()


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite database; None for PostgreSQL."""
    try:
        driver, file = make_url(url).drivername, make_url(url).database
    except (ArgumentError, ValueError):
        driver, file = "", None
    if driver == "sqlite+aiosqlite" and file and file != ":memory:":
        return Path(file)
    if driver == "postgresql+asyncpg":
        return None
    raise CommandFailed(
        "DATABASE_URL must be sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/DATABASE"
    )
