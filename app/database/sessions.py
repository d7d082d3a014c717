"""Engines and sessions. `read()` and `write()` are the only ways in, and only `write()` commits."""

import logging
from asyncio import Semaphore, timeout
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg  # type: ignore[import-untyped]  # has no types
import orjson
from pydantic_core import PydanticCustomError
from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession
from tenacity import (
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random,
)

from app.errors import CommandFailed, RollcallError, TimedOut, Unavailable
from app.fields.contact import parse_timestamp
from app.settings import DatabaseSettings

# SQLSTATEs of a transaction that lost a race and may try again: serialisation failure, deadlock,
# lock not available, unique violation.
_LOST_RACES = {"40001", "40P01", "55P03", "23505"}

# SQLSTATEs of a database that cannot serve now: connection exception, refused log-in, insufficient
# resources, operator intervention, a database that is not there, a standby that only reads, a
# transaction that idled for too long.
_AWAY = ("08", "28", "3D000", "53", "57", "25006", "25P03")
_TIMED_OUT = "57014"

# SQLite's errors alike: input or output, no such file, full.
_SQLITE_AWAY = ("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_FULL")

SQLITE_BUSY_SECONDS = 5
# A bulk of new contacts changes pages of some thirty indexes, which 2 MB, the default, cannot hold.
SQLITE_WRITER_CACHE_KIB = 32 * 1024
SQLITE_READER_CACHE_KIB = 2 * 1024
ATTEMPTS = 20
ATTEMPTS_SECONDS = 10

_UNREACHABLE = "The database cannot be reached. Try again soon."
_log = logging.getLogger("rollcall.database")


class LostRace(Unavailable):
    """Somebody else was faster; the transaction left nothing behind and may be tried again."""

    def __init__(self) -> None:
        super().__init__("The contact is being changed by too many callers at once. Try again.")


try_again = retry(
    retry=retry_if_exception_type(LostRace),
    stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(ATTEMPTS_SECONDS),
    wait=wait_random(max=0.05),
    reraise=True,
)


class Database:
    """One database: an engine for reads and one for writes, which SQLite needs to be apart.

    SQLite allows one writer at a time. Its writing engine has one connection, so that writers
    queue for it in order of arrival, and opens every transaction with BEGIN IMMEDIATE. What is
    read in one transaction is one state of the database: on PostgreSQL by REPEATABLE READ.
    """

    def __init__(self, url: str, settings: DatabaseSettings | None = None) -> None:
        settings = settings or DatabaseSettings()
        self.is_sqlite = sqlite_path(url) is not None
        arguments = {} if self.is_sqlite else _postgresql_arguments(settings)
        engine = _engine(url, settings, arguments)
        if self.is_sqlite:
            one = settings.model_copy(update={"database_pool_size": 1, "database_pool_overflow": 0})
            self._reader, self._writer = engine, _engine(url, one, {})
            _set_up_sqlite(self._reader, "BEGIN")
            _set_up_sqlite(self._writer, "BEGIN IMMEDIATE", cache_kib=SQLITE_WRITER_CACHE_KIB)
        else:
            _leave_lost_connections(engine)
            self._turns = _Turns(settings)
            self._writer = engine
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        with _translated_errors():
            async with AsyncSession(self._reader, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def write(self, workspace_id: UUID | None = None) -> AsyncIterator[AsyncSession]:
        """A session that commits when its block ends, and leaves nothing behind when it raises.

        On PostgreSQL a workspace whose writers wait for one another leaves connections to others.
        """
        turn = nullcontext() if self.is_sqlite else self._turns.of(workspace_id)
        with _translated_errors():
            async with turn, AsyncSession(self._writer, expire_on_commit=False) as session:
                yield session
                await session.commit()

    async def close(self) -> None:
        await self._reader.dispose()
        await self._writer.dispose()


class _Turns:
    """A workspace's writers take half of the connections at most; the others wait without one."""

    def __init__(self, settings: DatabaseSettings) -> None:
        connections = settings.database_pool_size + settings.database_pool_overflow
        self._limit = max(connections // 2, 1)
        self._seconds = settings.database_pool_timeout_seconds
        self._semaphores: WeakValueDictionary[UUID | None, Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, workspace_id: UUID | None) -> AsyncIterator[None]:
        semaphore = self._semaphores.setdefault(workspace_id, Semaphore(self._limit))
        try:
            async with timeout(self._seconds):
                await semaphore.acquire()
        except TimeoutError as error:
            raise PoolTimeout from error
        try:
            yield
        finally:
            semaphore.release()


def is_sqlite(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "sqlite"


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


def _engine(url: str, settings: DatabaseSettings, arguments: dict[str, Any]) -> AsyncEngine:
    return create_async_engine(
        url,
        hide_parameters=True,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_overflow,
        pool_timeout=settings.database_pool_timeout_seconds,
        connect_args=arguments,
    )


def _postgresql_arguments(settings: DatabaseSettings) -> dict[str, Any]:
    """For `asyncpg.connect`.

    PgBouncer in transaction mode hands each transaction another connection, and refuses startup
    parameters that it does not know. So the timeouts are set at the start of each transaction,
    in the message that begins it, which costs no round trip. Where that message is not answered,
    PgBouncer has no connection to give, or the server is gone without a word.
    """
    waiting = settings.database_pool_timeout_seconds
    statement = round(settings.database_statement_timeout_seconds * 1000) or 1
    lock = round(settings.database_lock_timeout_seconds * 1000) or 1
    timeouts = (
        f"SET LOCAL statement_timeout = {statement};"
        f"SET LOCAL idle_in_transaction_session_timeout = {statement};"
        f"SET LOCAL lock_timeout = {lock};"
    )

    class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
        async def execute(self, query: str, *args: Any, **options: Any) -> Any:
            if not query.startswith("BEGIN"):
                return await super().execute(query, *args, **options)
            try:
                return await super().execute(query + timeouts, timeout=waiting)
            except TimeoutError:
                self.terminate()
                raise

    arguments: dict[str, Any] = {
        "connection_class": Connection,
        "timeout": waiting,
        "server_settings": {"application_name": "rollcall"},
    }
    if not settings.database_prepared_statements:
        # SQLAlchemy's own cache and asyncpg's: each statement is then parsed where it runs.
        arguments |= {"prepared_statement_cache_size": 0, "statement_cache_size": 0}
    return arguments


def _leave_lost_connections(engine: AsyncEngine) -> None:
    """A connection that the server has closed is not handed out.

    That is known here as soon as it is closed, so that no ping before each transaction, at a
    fifth of a small read's time, is needed to find out.
    """

    @event.listens_for(engine.sync_engine, "checkout")
    def checkout(connection: Any, *_: Any) -> None:
        if connection.driver_connection.is_closed():
            raise DisconnectionError


def _set_up_sqlite(
    engine: AsyncEngine, begin: str, cache_kib: int = SQLITE_READER_CACHE_KIB
) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA cache_size = {-cache_kib}")
        cursor.close()
        connection.create_function("rollcall_moment", 1, _moment, deterministic=True)

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    @event.listens_for(engine.sync_engine, "invalidate")
    def invalidate(connection: Any, *_: Any) -> None:
        """Closing alone keeps the lock of a cancelled statement until its cursor is collected."""
        connection.rollback()


def _moment(text: str) -> float | None:
    """Seconds since 1970 of RFC 3339 text; PostgreSQL has a function of its own for it."""
    try:
        return parse_timestamp(text).timestamp()
    except PydanticCustomError:
        return None


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, OSError, PoolTimeout) as error:
        expected = _translated(error)
        if expected is None:
            raise
        if not isinstance(expected, LostRace):
            _log.warning("%s %r", expected.message, getattr(error, "orig", error))
        raise expected from error


def _translated(error: DBAPIError | OSError | PoolTimeout) -> RollcallError | None:
    if isinstance(error, PoolTimeout):
        return Unavailable("The database is too busy. Try again soon.")
    if isinstance(error, OSError):
        return Unavailable(_UNREACHABLE)
    state = getattr(error.orig, "sqlstate", None) or ""
    if (
        isinstance(error, IntegrityError)
        or state in _LOST_RACES
        or "database is locked" in str(error.orig)
    ):
        return LostRace()
    if state == _TIMED_OUT:
        return TimedOut(
            "The database took longer than DATABASE_STATEMENT_TIMEOUT_SECONDS allows. "
            "Ask for less, or try again."
        )
    name = getattr(error.orig, "sqlite_errorname", "")
    if error.connection_invalidated or state.startswith(_AWAY) or name.startswith(_SQLITE_AWAY):
        return Unavailable(_UNREACHABLE)
    return None
