"""What a database offers: engines, and the SQL that SQLite and PostgreSQL word differently."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Executable, PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import TypeEngine

from app.database.prepared import Prepared
from app.database.words import Word
from app.database.writes import Part, Row
from app.fairness import FairSemaphore
from app.progress import Report


class RowLock(Enum):
    """Whether the rows that a statement reads are locked until the transaction ends."""

    NONE = "none"
    WAIT = "wait"  # for those who have a lock on one of them
    NO_WAIT = "no wait"  # fails with LostRace instead


class Dialect(Hashable, Protocol):
    reader: AsyncEngine
    writer: AsyncEngine
    single: AsyncEngine  # for statements outside of transactions
    lanes: int  # the runs of shared calls at once
    readers: FairSemaphore  # of sessions that read: their statements may take seconds
    # Of the connections of each engine.
    reads: FairSemaphore
    writes: FairSemaphore
    singles: FairSemaphore

    def prepare(self, statement: Executable) -> Prepared:
        """Compiles the statement."""

    async def begin(self, connection: AsyncConnection) -> None:
        """Begins the transaction of the connection for statements of its driver."""

    async def fetch(
        self, connection: PoolProxiedConnection, statement: str, arguments: Sequence[Any]
    ) -> Sequence[Sequence[Any]]:
        """The rows of a statement that the driver runs in the transaction of a session."""

    async def fetch_single(
        self, connection: PoolProxiedConnection, statement: str, arguments: Sequence[Any]
    ) -> Sequence[Sequence[Any]]:
        """The rows of a statement outside of a transaction. Raises TimedOut, and TimeoutError if
        the database does not answer."""

    async def close(self) -> None:
        """Closes all connections."""

    def migrating(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection without time limits. Other processes that migrate wait until it ends."""

    async def build_text_indexes(self, connection: AsyncConnection, report: Report) -> None:
        """After the migrations: those that are no part of the schema everywhere."""

    async def write(
        self, connection: PoolProxiedConnection, workspace_id: UUID, parts: Sequence[Part]
    ) -> None:
        """Writes all parts, in the transaction of a session."""

    def given(self, name: str, columns: Mapping[str, str]) -> str:
        """SQL of a table whose rows are the parameter `name`: what `parameter` makes of them.

        `columns` has the SQL type of each. A UUID is given as text.
        """

    def parameter(self, rows: Sequence[Row]) -> str:
        """The rows as the value of one parameter."""

    def word(self, word: Word, *arguments: str) -> str:
        """The function of these arguments."""

    def values(self, values: Sequence[Any]) -> tuple[str, Any, TypeEngine[Any]]:
        """SQL of a table `given` with the column `value`, whose parameter is {0}, and the value of
        that and its type. The values are of one type."""

    def look_up(
        self, wanted: str, table: str, columns: Mapping[str, str], on: str, limit: int
    ) -> str:
        """A SELECT of the columns, by name, of up to `limit` rows of the table for each row that is
        wanted.

        `on` compares columns of one index, which is read for each row that is wanted, whatever
        the statistics say. The first column is never NULL. SQLite has no limit here.
        """

    def find_text(self, name: str, wanted: str, value: Callable[[Any], str], limit: int) -> str:
        """A SELECT of the ids of the contacts that have the text in the column `name`, by its
        index. `value` makes a parameter.

        NULL stands for a contact of another workspace. If there is no index, all are NULL, and as
        many as the limit.
        """

    def each(
        self, table: str, columns: Sequence[str], on: str, lock: RowLock = RowLock.NONE
    ) -> str:
        """SQL that joins at most one row of the table to each row on its left, in their order.

        `on` compares all columns of one unique index, which is then read once for each row on
        the left, whatever the statistics say.
        """
