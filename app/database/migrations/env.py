"""Alembic's way in: on the connection that `migrate` hands over, or on that of DATABASE_URL."""

import asyncio
from typing import Any

from alembic import context
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from app.database.citus import distribute_new_tables
from app.database.sessions import Database
from app.settings import Settings

# What only one of the databases has, and what only migrations make.
SQLITE_OWN = {"number", "contact_id"}
POSTGRESQL_OWN = {"contact_search_text", "contact_notes"}
FULL_TEXT = "contact_text"  # FTS5 keeps its index in tables beside its own


def is_compared(_: Any, name: str | None, __: str, is_reflected: bool, ___: Any) -> bool:
    """Whether `alembic revision --autogenerate` looks for it in the models."""
    own = name in SQLITE_OWN | POSTGRESQL_OWN or (name or "").startswith(FULL_TEXT)
    return not (is_reflected and own)


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        include_object=is_compared,
        transaction_per_migration=True,
        on_version_apply=lambda ctx, **_: distribute_new_tables(ctx.connection),
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_by_settings() -> None:
    settings = Settings()
    database = Database(settings.database_url, settings)
    async with database.migrating() as connection:
        await connection.run_sync(run)
    await database.close()


handed_over = context.config.attributes.get("connection")
if handed_over is None:
    asyncio.run(run_by_settings())
else:
    run(handed_over)
