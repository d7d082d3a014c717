"""A temporary PostgreSQL for measurements, and statements to it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.postgres import Cluster


@contextmanager
def temporary_cluster() -> Iterator[Cluster]:
    """A cluster that syncs each commit to disk."""
    cluster = Cluster(
        *("-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB", "-c", "timezone=UTC")
    )
    try:
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        cluster.remove()


async def execute(url: str, script: str) -> None:
    """Executes statements, outside a transaction if it is one."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute(script)
    await engine.dispose()
