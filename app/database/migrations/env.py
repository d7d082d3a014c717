"""Alembic's way in: on the connection that `app.migrate` hands over, or on DATABASE_URL."""

import asyncio

from alembic import context
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from app.database.sessions import Database
from app.settings import Settings


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata)
    with context.begin_transaction():
        context.run_migrations()


async def run_by_settings() -> None:
    settings = Settings()
    database = Database(settings.database_url, settings)
    async with database.write() as session:
        await (await session.connection()).run_sync(run)
    await database.close()


handed_over = context.config.attributes.get("connection")
if handed_over is None:
    asyncio.run(run_by_settings())
else:
    run(handed_over)
