"""PostgreSQL: time limits in each transaction, at most half of the connections for a workspace."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]  # has no types
from sqlalchemy import (
    ARRAY,
    Executable,
    Float,
    PoolProxiedConnection,
    Text,
    event,
    text,
)
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeEngine
from sqlmodel.sql.sqltypes import UTCDateTime

from app.database import json_bytes
from app.database.citus import PROPAGATE, SEQUENTIAL
from app.database.citus_writes import routed
from app.database.dialect import RowLock
from app.database.engine import new_engine
from app.database.errors import timed_out
from app.database.postgresql_writes import document, written
from app.database.prepared import Prepared
from app.database.text_indexes import UNBROKEN, build_text_indexes
from app.database.words import Word, named
from app.database.writes import Part, Row
from app.fairness import FairSemaphore
from app.progress import Report
from app.settings import DatabaseSettings

# Any number, as long as nothing else in the database takes the same advisory lock.
MIGRATION_LOCK = 7_655_372_011
LOCK_WAIT_SECONDS = 0.2

# The sessions of one process that read at once, half of them of one workspace: more take the
# processor from small statements.
READERS = 8

_LOCKS = {
    RowLock.NONE: "LIMIT 1",
    RowLock.WAIT: "FOR UPDATE",
    RowLock.NO_WAIT: "FOR UPDATE NOWAIT",
}

# asyncpg's timestamps are in UTC.
_PROCESSORS = {**json_bytes.PROCESSORS, Float: None, UTCDateTime: None}

_LOADED = "SELECT 1 FROM pg_settings WHERE name = 'citus.shard_count'"
_IS_LOADED = "SELECT 1"  # the tag of a statement that returned one row

# Arrays are sent as those of texts. For others, asyncpg asks the catalog on each new connection:
# that takes 0.02 s, and seconds on Citus.
_TEXTS = ARRAY(Text)
_KINDS = {str: "text", float: "float8"}
_UUID = "uuid"  # asyncpg's are of a class of their own

# Statistics are of all workspaces, and may be old or missing. No plan reads a table from its start,
# or sorts what an index has in order, because these take it for small. Nothing here is worth
# another process, or the time of a compiler.
_PLANS = (
    "SET {0} enable_seqscan = off; SET {0} enable_sort = off;"
    "SET {0} max_parallel_workers_per_gather = 0; SET {0} jit = off;"
)

# Of a transaction that writes. A bitmap of all rows of the workspace is cheap by statistics of a
# table that was nearly empty. Only searches need bitmaps, and these read in a snapshot.
_PLANS_OF_WRITES = "SET LOCAL enable_bitmapscan = off;"
_SNAPSHOT = "REPEATABLE READ"


class PostgreSQL:
    """One engine. What is read in one transaction is one snapshot, by REPEATABLE READ.

    Rows are given to a statement as one JSON document, so that it has one text and one plan
    however many they are.
    """

    def __init__(self, url: str, settings: DatabaseSettings) -> None:
        self._url, self._settings = url, settings
        self.writer = new_engine(url, settings, _arguments(settings))
        self.reader = self.writer.execution_options(isolation_level=_SNAPSHOT)
        connections = settings.database_pool_size + settings.database_pool_overflow
        self.lanes = max(connections // 2, 1)
        waiting = settings.database_pool_timeout_seconds
        self.readers = FairSemaphore(READERS, READERS // 2, waiting)
        # A workspace takes half of the connections at most, whatever it does with them.
        self.reads = FairSemaphore(connections, self.lanes, waiting)
        self.writes = self.singles = self.reads
        self._statement_seconds = settings.database_statement_timeout_seconds
        self._waiting_seconds = waiting
        self.single = self.writer
        _leave_lost_connections(self.writer)
        _set_plans(self.writer)

    def prepare(self, statement: Executable) -> Prepared:
        return Prepared(statement, self.writer.dialect, _PROCESSORS)

    async def begin(self, connection: AsyncConnection) -> None:
        """SQLAlchemy itself begins with the first statement that does not go past it."""
        adapter: Any = (await connection.get_raw_connection()).dbapi_connection
        if adapter._transaction is None:
            await adapter._start_transaction()

    async def fetch(
        self, connection: PoolProxiedConnection, statement: str, arguments: Sequence[Any]
    ) -> Sequence[Sequence[Any]]:
        driver: Any = connection.driver_connection
        rows: Sequence[Sequence[Any]] = await driver.fetch(statement, *arguments)
        return rows

    async def execute_each(
        self, connection: PoolProxiedConnection, statement: str, each: Sequence[Sequence[Any]]
    ) -> None:
        """Once with each of the arguments, in one round trip."""
        driver: Any = connection.driver_connection
        await driver.executemany(statement, each)

    async def fetch_single(
        self, connection: PoolProxiedConnection, statement: str, arguments: Sequence[Any]
    ) -> Sequence[Sequence[Any]]:
        """The time limit of transactions is not set here, so the driver has one. It cancels the
        statement; a server that does not answer after that is away."""
        driver: Any = connection.driver_connection
        try:
            rows: Sequence[Sequence[Any]] = await driver.fetch(
                statement, *arguments, timeout=self._statement_seconds
            )
        except TimeoutError as error:
            try:
                await driver.fetch("SELECT 1", timeout=self._waiting_seconds)
            except TimeoutError:
                driver.terminate()
                raise
            raise timed_out() from error
        return rows

    async def write(
        self, connection: PoolProxiedConnection, workspace_id: UUID, parts: Sequence[Part]
    ) -> None:
        """In one statement. Citus takes no such statement on distributed tables."""
        dialect = self.writer.dialect
        driver: Any = connection.driver_connection
        if not driver.has_citus:
            text, arguments = written(parts, dialect, workspace_id)
            await self.fetch(connection, text, arguments)
            return
        for part in parts:
            for text, each in routed(part, dialect, workspace_id):
                await self.execute_each(connection, text, each)

    async def close(self) -> None:
        await self.writer.dispose()

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """In a transaction for each migration, and beside the one that holds the lock: indexes are
        built concurrently outside of any transaction."""
        two = self._settings.model_copy(update={"database_pool_size": 2})
        engine = new_engine(self._url, two, _arguments(two, limited=False))
        try:
            async with _migration_lock(engine), engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()

    async def build_text_indexes(self, connection: AsyncConnection, report: Report) -> None:
        await connection.commit()
        outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await outside.run_sync(build_text_indexes, report)

    def given(self, name: str, columns: Mapping[str, str]) -> str:
        typed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        return f"json_to_recordset(CAST(:{name} AS json)) AS {name} ({typed})"

    def parameter(self, rows: Sequence[Row]) -> str:
        return document(rows)

    def word(self, word: Word, *arguments: str) -> str:
        return word.postgresql.format(*arguments)

    def values(self, values: Sequence[Any]) -> tuple[str, Any, TypeEngine[Any]]:
        kind = _KINDS.get(type(values[0]), _UUID)
        return f"unnest(CAST({{0}} AS {kind}[])) AS given (value)", list(map(str, values)), _TEXTS

    def look_up(
        self, wanted: str, table: str, columns: Mapping[str, str], on: str, limit: int
    ) -> str:
        # A LATERAL with a LIMIT is not joined in another way.
        each = f"SELECT {named(columns)} FROM {table} WHERE {on} LIMIT {limit}"  # noqa: S608  # of names
        return f"SELECT held.* FROM {wanted}, LATERAL ({each}) AS held"  # noqa: S608  # as above

    def find_text(self, name: str, wanted: str, value: Callable[[Any], str], limit: int) -> str:
        has_index = f"to_regclass('contact_{name}') IS NOT NULL"
        part = wanted.translate(UNBROKEN).replace("/", "//").replace("%", "/%").replace("_", "/_")
        is_found = f"rollcall_unbroken(contact.{name}) LIKE {value(f'%{part}%')} ESCAPE '/'"
        return f"""
            SELECT contact.id AS id FROM contact
            WHERE contact.workspace_id = :workspace_id AND {has_index} AND {is_found}
            UNION ALL
            SELECT CAST(NULL AS uuid) FROM generate_series(1, {limit}) WHERE NOT {has_index}
        """  # noqa: S608  # of names

    def each(
        self, table: str, columns: Sequence[str], on: str, lock: RowLock = RowLock.NONE
    ) -> str:
        selected = ", ".join(columns)
        end = _LOCKS[lock]
        one = f"SELECT {selected} FROM {table} WHERE {on} {end}"  # noqa: S608  # of names alone
        return f"LEFT JOIN LATERAL ({one}) AS {table} ON true"


@asynccontextmanager
async def _migration_lock(engine: AsyncEngine) -> AsyncIterator[None]:
    """Held by a transaction without a snapshot, and asked for again and again: to build an index
    concurrently waits for every older snapshot to end, and so for a statement that waits."""
    lock = text("SELECT pg_try_advisory_xact_lock(:lock)")
    while True:
        async with engine.begin() as connection:
            if await connection.scalar(lock, {"lock": MIGRATION_LOCK}):
                # Any statement without a snapshot, in place of the one that had one.
                await connection.execute(text("SET LOCAL lock_timeout = 0"))
                yield
                return
        await asyncio.sleep(LOCK_WAIT_SECONDS)


def _arguments(settings: DatabaseSettings, *, limited: bool = True) -> dict[str, Any]:
    """For `asyncpg.connect`. Without time limits where a migration takes as long as it takes.

    PgBouncer in transaction mode hands each transaction another connection, and refuses startup
    parameters that it does not know. So the timeouts are set at the start of each transaction,
    in the message that begins it, which costs no round trip. Where that message is not answered,
    PgBouncer has no connection to give, or the server is gone without a word.
    """
    waiting = settings.database_pool_timeout_seconds
    statement = lock = 0
    if limited:
        statement = round(settings.database_statement_timeout_seconds * 1000) or 1
        lock = round(settings.database_lock_timeout_seconds * 1000) or 1
    settings_of_all = (
        _PLANS.format("LOCAL") + f"SET LOCAL statement_timeout = {statement};"
        f"SET LOCAL idle_in_transaction_session_timeout = {statement};"
        + (PROPAGATE if limited else SEQUENTIAL)
        + f"SET LOCAL lock_timeout = {lock};"
    )

    class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
        # Whether its server has loaded Citus, which is not done without a restart.
        has_citus = False

        async def execute(self, query: str, *args: Any, **options: Any) -> Any:
            if not query.startswith("BEGIN"):
                return await super().execute(query, *args, **options)
            local = ("" if _SNAPSHOT in query else _PLANS_OF_WRITES) + settings_of_all
            try:
                if not self.has_citus:
                    return await super().execute(query + local, timeout=waiting)
                # With BEGIN in it, the message would begin a transaction on workers twice.
                await super().execute(query, timeout=waiting)
                return await super().execute(local, timeout=waiting)
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


def _set_plans(engine: AsyncEngine) -> None:
    """For statements outside of transactions. PgBouncer may give these to another connection, which
    another process of Rollcall has set up in the same way."""

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _: ConnectionPoolEntry) -> None:
        sent = _PLANS.format("SESSION") + _LOADED
        tag = connection.run_async(lambda driver: driver.execute(sent))
        connection.driver_connection.has_citus = tag == _IS_LOADED
