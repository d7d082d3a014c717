"""SQLAlchemy engines, with the arguments that both databases share."""

from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.settings import DatabaseSettings


def new_engine(url: str, settings: DatabaseSettings, arguments: dict[str, Any]) -> AsyncEngine:
    """`arguments` go to the driver. No error quotes the parameters of a statement."""
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
