"""When keys were last used: written at most once a minute for each key, while no request waits."""

import asyncio
import logging
from asyncio import Task
from collections.abc import Collection
from contextvars import Context
from uuid import UUID

from cachetools import TTLCache
from sqlmodel import col, update

from app.database.errors import try_again
from app.database.sessions import Database
from app.tables import ApiKey, now
from app.workspaces.locks import lock_workspaces_of

PERIOD_SECONDS = 60
HELD_LIMIT = 10_000  # keys

_log = logging.getLogger("rollcall.keys")


class LastUsed:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._written: TTLCache[UUID, bool] = TTLCache(HELD_LIMIT, PERIOD_SECONDS)
        self._waiting: set[UUID] = set()
        self._writing: Task[None] | None = None

    def note(self, key_id: UUID) -> None:
        """The key is used now. Returns at once; keys that are noted meanwhile are written
        together."""
        if key_id in self._written:
            return
        self._written[key_id] = True
        self._waiting.add(key_id)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), context=Context())

    async def close(self) -> None:
        """Waits for what is being written."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write(self) -> None:
        try:
            while self._waiting:
                key_ids, self._waiting = self._waiting, set()
                await _write(self._database, key_ids)
        except Exception:  # no request depends on the write
            _log.warning("the last use of keys was not written", exc_info=True)
        finally:
            self._writing = None


@try_again
async def _write(database: Database, key_ids: Collection[UUID]) -> None:
    statement = update(ApiKey).where(col(ApiKey.id).in_(key_ids)).values(last_used_at=now())
    async with database.write_directory() as session:
        await lock_workspaces_of(session, key_ids)
        await session.exec(statement)
