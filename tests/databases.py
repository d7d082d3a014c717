"""Databases with nothing in them, not even tables."""

import asyncio
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.postgres import Cluster


def empty_sqlite(folder: Path, name: str = "rollcall.db") -> str:
    return f"sqlite+aiosqlite:///{folder / name}"


def empty_postgresql(cluster: Cluster) -> str:
    name = f"empty_{uuid4().hex}"

    async def create() -> None:
        engine = create_async_engine(cluster.url("postgres"), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        await engine.dispose()

    asyncio.run(create())
    return cluster.url(name)
