"""SQLAlchemy engines, with the arguments that both databases share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from sqlalchemy import PoolProxiedConnection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import greenlet_spawn
from sqlalchemy.util.concurrency import in_greenlet

from app.settings import DatabaseSettings


class _HasToConnect(Exception):
    """Outside of a greenlet, where nothing can wait for that."""


def new_engine(
    url: str, settings: DatabaseSettings, arguments: dict[str, Any], **options: Any
) -> AsyncEngine:
    """`arguments` go to the driver, `options` to SQLAlchemy. No error quotes the parameters of a
    statement."""
    engine = create_async_engine(
        url,
        hide_parameters=True,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_overflow,
        pool_timeout=settings.database_pool_timeout_seconds,
        connect_args=arguments,
        **options,
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def connect(*_: Any) -> None:
        if not in_greenlet():
            raise _HasToConnect

    return engine


@asynccontextmanager
async def pooled(engine: AsyncEngine) -> AsyncIterator[PoolProxiedConnection]:
    """A connection of the pool, for its driver alone: without SQLAlchemy's transaction.

    Nothing waits for an idle connection, nor for putting it back. Without the greenlets for what
    may wait, both take a fourth of the time.
    """
    pool = engine.sync_engine.pool
    assert isinstance(pool, QueuePool)  # noqa: S101  # as of every engine here
    try:
        connection = pool.connect() if pool.checkedin() else await engine.raw_connection()
    except _HasToConnect:  # the server has closed the idle one
        connection = await engine.raw_connection()
    try:
        yield connection
    finally:
        if pool.checkedin() < pool.size():
            connection.close()
        else:
            await greenlet_spawn(connection.close)
