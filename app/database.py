"""Engines and sessions. `read()` and `write()` are the only ways in, and only `write()` commits."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import orjson
from pydantic_core import PydanticCustomError
from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random

from app.errors import CommandFailed, Unavailable
from app.fields import parse_timestamp

# SQLSTATEs of a transaction that lost a race and may try again: serialisation failure, deadlock,
# lock not available, unique violation.
_LOST_RACES = {"40001", "40P01", "55P03", "23505"}

# SQLSTATE classes of a database that cannot serve now: connection exception, insufficient
# resources, operator intervention.
_AWAY = ("08", "53", "57")

SQLITE_BUSY_SECONDS = 5
ATTEMPTS = 20


class LostRace(Unavailable):
    """Somebody else was faster; the transaction left nothing behind and may be tried again."""

    def __init__(self) -> None:
        super().__init__("The contact is being changed by too many callers at once. Try again.")


try_again = retry(
    retry=retry_if_exception_type(LostRace),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_random(max=0.05),
    reraise=True,
)


class Database:
    """One database: an engine for reads and one for writes, which SQLite needs to be apart.

    SQLite allows one writer at a time. Its writing engine has one connection, so that writers
    queue for it in order of arrival, and opens every transaction with BEGIN IMMEDIATE.
    """

    def __init__(self, url: str) -> None:
        self.is_sqlite = _driver(url) == "sqlite+aiosqlite"
        self._reader = _engine(url)
        self._writer = self._reader
        if self.is_sqlite:
            self._writer = _engine(url, pool_size=1, max_overflow=0)
            _set_up_sqlite(self._reader, "BEGIN")
            _set_up_sqlite(self._writer, "BEGIN IMMEDIATE")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        with _translated_errors():
            async with AsyncSession(self._reader, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session that commits when its block ends, and leaves nothing behind when it raises."""
        with _translated_errors():
            async with AsyncSession(self._writer, expire_on_commit=False) as session:
                yield session
                await session.commit()

    async def close(self) -> None:
        await self._reader.dispose()
        await self._writer.dispose()


def _driver(url: str) -> str:
    try:
        driver = make_url(url).drivername
    except ArgumentError:
        driver = ""
    if driver not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise CommandFailed(
            "DATABASE_URL must start with sqlite+aiosqlite:/// or postgresql+asyncpg://"
        )
    return driver


def _engine(url: str, **pool: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        hide_parameters=True,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        **pool,
    )


def _set_up_sqlite(engine: AsyncEngine, begin: str) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()
        connection.create_function("rollcall_moment", 1, _moment, deterministic=True)

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


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
    except IntegrityError as error:
        raise LostRace from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or ""
        if state in _LOST_RACES or "database is locked" in str(error.orig):
            raise LostRace from error
        if error.connection_invalidated or state.startswith(_AWAY):
            raise Unavailable("The database cannot be reached. Try again soon.") from error
        raise
    except (OSError, PoolTimeout) as error:
        raise Unavailable("The database cannot be reached. Try again soon.") from error
