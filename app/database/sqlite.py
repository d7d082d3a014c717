"""SQLite: one writer at a time, a file that only its owner reads, statements with a time limit."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    asynccontextmanager,
    contextmanager,
    suppress,
)
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from asyncpg.pgproto import pgproto
from sqlalchemy import (
    Executable,
    Float,
    PoolProxiedConnection,
    Text,
    Uuid,
    event,
)
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import TypeEngine
from sqlmodel.sql.sqltypes import UTCDateTime

from app.database import json_bytes
from app.database.dialect import RowLock
from app.database.engine import new_engine
from app.database.prepared import Prepared
from app.database.sqlite_writes import create_temporary_table, write
from app.database.words import Word, named
from app.database.writes import Part, Row
from app.fairness import FairSemaphore
from app.progress import Report
from app.settings import DatabaseSettings
from app.text import lower_case

BUSY_SECONDS = 5
# A bulk of new contacts changes more pages than 2 MB, the default. Into 20,000 contacts, it reads
# twice as much with 8 MiB as with 16, and writes a third more; with 32, it writes as much.
WRITER_CACHE_KIB = 16 * 1024
READER_CACHE_KIB = 2 * 1024

# The threads that run single statements. Python's global lock leaves little to more of them.
LANES = 2

# The threads that run the statements of sessions that read, half of them of one workspace. More
# take the time of the event loop, and read no faster.
READERS = 4

# How many instructions of SQLite's virtual machine run between two looks at the clock: a few
# milliseconds of most statements. Each look waits for Python's global lock.
CLOCK_INSTRUCTIONS = 100_000
_TEXT = Text()

_PROCESSORS = {
    **json_bytes.PROCESSORS,
    Float: None,
    Uuid: pgproto.UUID,  # as on PostgreSQL; the standard library's takes ten times as long
    UTCDateTime: lambda text: datetime.fromisoformat(f"{text}+00:00"),
}


class SQLite:
    """An engine for reads, one for single statements, and one with a single connection for writes.

    Workspaces take turns for that connection, and open every transaction with BEGIN IMMEDIATE.
    """

    lanes = LANES

    def __init__(self, url: str, file: Path, settings: DatabaseSettings) -> None:
        one = settings.model_copy(update={"database_pool_size": 1, "database_pool_overflow": 0})
        self.reader = new_engine(url, settings, {})
        few = settings.model_copy(update={"database_pool_size": LANES})
        self.single = new_engine(url, few, {}, pool_reset_on_return=None)
        self.writer = new_engine(url, one, {})
        waiting = settings.database_pool_timeout_seconds
        connections = settings.database_pool_size + settings.database_pool_overflow
        self.readers = FairSemaphore(READERS, READERS // 2, waiting)
        self.reads = FairSemaphore(connections, max(connections // 2, 1), waiting)
        self.writes = FairSemaphore(1, 1, waiting)
        self.singles = FairSemaphore(LANES, LANES, waiting)
        limit = settings.database_statement_timeout_seconds
        _set_up(self.reader, file, "BEGIN", READER_CACHE_KIB, limit)
        _set_up(self.single, file, "BEGIN", READER_CACHE_KIB, limit)
        _set_up(self.writer, file, "BEGIN IMMEDIATE", WRITER_CACHE_KIB, limit)
        event.listen(self.writer.sync_engine, "connect", lambda one, _: create_temporary_table(one))

    def prepare(self, statement: Executable) -> Prepared:
        return Prepared(statement, self.writer.dialect, _PROCESSORS)

    async def begin(self, connection: AsyncConnection) -> None:
        """As soon as SQLAlchemy has a connection."""

    async def fetch(
        self, connection: PoolProxiedConnection, statement: str, arguments: Sequence[Any]
    ) -> Sequence[Sequence[Any]]:
        driver: Any = connection.driver_connection
        with _limited(connection):
            rows: Sequence[Sequence[Any]] = await driver.execute_fetchall(statement, arguments)
        return rows

    fetch_single = fetch

    async def write(
        self, connection: PoolProxiedConnection, workspace_id: UUID, parts: Sequence[Part]
    ) -> None:
        """In one visit of the driver's thread."""
        driver: Any = connection.driver_connection
        with _limited(connection):
            dialect = self.writer.dialect
            await driver._execute(write, driver._conn, dialect, workspace_id, parts)

    async def close(self) -> None:
        for engine in (self.reader, self.single, self.writer):
            await engine.dispose()

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """In one transaction: BEGIN IMMEDIATE locks the file."""
        async with self.writer.begin() as connection:
            await connection.run_sync(lambda sync: sync.info["clock"].lift_limit())
            yield connection

    async def build_text_indexes(self, connection: AsyncConnection, report: Report) -> None:
        """FTS5 is a part of the schema."""

    def given(self, name: str, columns: Mapping[str, str]) -> str:
        members = ", ".join(
            f"{_member(index, kind)} AS {column}"
            for index, (column, kind) in enumerate(columns.items())
        )
        return f"(SELECT {members} FROM json_each(:{name})) AS {name}"  # noqa: S608  # of names

    def parameter(self, rows: Sequence[Row]) -> str:
        return orjson.dumps([list(row.values()) for row in rows]).decode()

    def word(self, word: Word, *arguments: str) -> str:
        return word.sqlite.format(*arguments)

    def values(self, values: Sequence[Any]) -> tuple[str, Any, TypeEngine[Any]]:
        plain = [value.hex if isinstance(value, UUID) else value for value in values]
        return "json_each({0}) AS given", orjson.dumps(plain).decode(), _TEXT

    def look_up(
        self, wanted: str, table: str, columns: Mapping[str, str], on: str, limit: int
    ) -> str:
        # SQLite turns a LEFT JOIN round only for a plain condition on what is joined: a LIMIT
        # keeps those of the outer statement out.
        is_found = f"coalesce({next(iter(columns.values()))}, NULL) IS NOT NULL"
        read = named(columns)
        return f"SELECT {read} FROM {wanted} LEFT JOIN {table} ON {on} WHERE {is_found} LIMIT -1"  # noqa: S608  # of names

    def find_text(self, name: str, wanted: str, value: Callable[[Any], str], limit: int) -> str:
        # The index is of all workspaces.
        phrase = '"{}"'.format(wanted.replace('"', '""'))
        matches = f"contact_text MATCH {value(f'{name} : {phrase}')}"
        found = f"SELECT rowid AS number FROM contact_text WHERE {matches} LIMIT {limit}"  # noqa: S608  # of names
        is_contact = "contact.number = found.number AND contact.workspace_id = :workspace_id"
        return f"SELECT contact.id AS id FROM ({found}) AS found LEFT JOIN contact ON {is_contact}"  # noqa: S608  # as above

    def each(
        self, table: str, columns: Sequence[str], on: str, lock: RowLock = RowLock.NONE
    ) -> str:
        return f"LEFT JOIN {table} ON {on}"  # SQLite never turns a LEFT JOIN round


def _member(index: int, kind: str) -> str:
    """Of a JSON array. The stored form of a UUID is its digits alone."""
    member = f"json_extract(value, '$[{index}]')"
    return f"replace({member}, '-', '')" if kind == "uuid" else member


class StatementClock:
    """Interrupts the statement of one connection when its time is up."""

    def __init__(self, limit_seconds: float) -> None:
        self._usual_limit = limit_seconds
        self._limit = limit_seconds
        self._end = float("inf")

    def begin_transaction(self) -> None:
        self._limit = self._usual_limit

    def lift_limit(self) -> None:
        """Until the transaction ends."""
        self._limit = float("inf")

    def start(self) -> None:
        self._end = time.monotonic() + self._limit

    def stop(self) -> None:
        self._end = float("inf")

    def interrupt(self) -> None:
        self._end = 0

    def is_up(self) -> bool:
        """SQLite asks in the middle of a statement, and ends it where the answer is true."""
        return time.monotonic() > self._end


def _set_up(engine: AsyncEngine, file: Path, begin: str, cache_kib: int, limit: float) -> None:
    @event.listens_for(engine.sync_engine, "do_connect")
    def create_file(*_: Any) -> None:
        """The files that SQLite puts beside it get the same mode.

        A file that exists must not be opened here: closing it releases all locks that SQLite has on
        it in this process (POSIX), and another process would delete the log that this one writes.
        """
        with suppress(OSError):  # connecting reports what is wrong
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA cache_size = {-cache_kib}")
        cursor.close()
        connection.create_function("rollcall_lower", 1, _lower_case, deterministic=True)
        clock = record.info["clock"] = StatementClock(limit)
        connection.run_async(
            lambda driver: driver.set_progress_handler(clock.is_up, CLOCK_INSTRUCTIONS)
        )

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.info["clock"].begin_transaction()
        connection.exec_driver_sql(begin)

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def start_clock(connection: Connection, *_: Any) -> None:
        connection.info["clock"].start()

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def stop_clock(connection: Connection, *_: Any) -> None:
        connection.info["clock"].stop()

    @event.listens_for(engine.sync_engine, "invalidate")
    def end_statement(connection: Any, record: Any, *_: Any) -> None:
        """Ends a statement whose caller was cancelled, and so releases its locks."""
        record.info["clock"].interrupt()
        connection.rollback()


def _lower_case(text: str | None) -> str | None:
    return None if text is None else lower_case(text)


@contextmanager
def _limited(connection: PoolProxiedConnection) -> Iterator[None]:
    """Bounds the time of a statement, and ends it if its caller is cancelled."""
    clock: StatementClock = connection.info["clock"]
    clock.start()
    try:
        yield
    except asyncio.CancelledError:
        clock.interrupt()
        raise
    clock.stop()
