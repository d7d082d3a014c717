"""SQLAlchemy engines, with the arguments that both databases share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from app.settings import DatabaseSettings


def new_engine(
    url: str, settings: DatabaseSettings, arguments: dict[str, Any], **options: Any
) -> AsyncEngine:
    """`arguments` go to the driver, `options` to SQLAlchemy. No error quotes the parameters of a
    statement."""
    return create_async_engine(
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


@asynccontextmanager
async def pooled(engine: AsyncEngine) -> AsyncIterator[PoolProxiedConnection]:
    """A connection of the pool, for its driver alone: without SQLAlchemy's transaction."""
    connection = await engine.raw_connection()
    try:
        yield connection
    finally:
        await greenlet_spawn(connection.close)
