"""Waiting until another session waits for a lock of PostgreSQL."""

from sqlalchemy import text

from app.database.sessions import Database
from tests.support.citus import ACTIVITY
from tests.support.waiting import until_awaited

_BLOCKED = text(f"""
    SELECT count(*) > 0 FROM {ACTIVITY}
    WHERE wait_event_type = 'Lock' AND datname = current_database()
""")  # noqa: S608  # one of two constants


async def until_blocked(database: Database) -> None:
    await until_awaited(lambda: _is_blocked(database))


async def _is_blocked(database: Database) -> bool:
    """In a transaction of its own, in which PostgreSQL reads the activity anew."""
    async with database.read_directory() as session:
        return bool(await (await session.connection()).scalar(_BLOCKED))
