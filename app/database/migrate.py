"""Bringing a database to the newest schema. Safe when several processes start at once."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from app.database.sessions import Database

# Any number, as long as nothing else in the database takes the same advisory lock.
_LOCK = 7_655_372_011


async def migrate(database: Database) -> None:
    """In one transaction, which the others wait for: BEGIN IMMEDIATE or an advisory lock."""
    async with database.write() as session:
        connection = await session.connection()
        if not database.is_sqlite:
            for timeout in ("idle_in_transaction_session", "lock", "statement"):
                # a large table may take its time
                await connection.execute(text(f"SET LOCAL {timeout}_timeout = 0"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(_upgrade)


async def is_current(database: Database) -> bool:
    async with database.read() as session:
        connection = await session.connection()
        return await connection.run_sync(_is_current)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _is_current(connection: Connection) -> bool:
    return set(MigrationContext.configure(connection).get_current_heads()) == _heads()


@cache
def _heads() -> set[str]:
    return set(ScriptDirectory.from_config(_config()).get_heads())
