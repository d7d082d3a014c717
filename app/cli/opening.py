"""Opening the database of the settings, with the newest schema."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from app.cli.env_file import check_env_file, place
from app.cli.unavailable import unavailable_as_sentence
from app.database.errors import try_again
from app.database.migrate import migrate, require_current
from app.database.sessions import Database, sqlite_path
from app.errors import CommandFailed
from app.settings import Settings

T = TypeVar("T")


def read_settings(**options: Any) -> Settings:
    """From the file and the environment, and above both from options of the command."""
    check_env_file()
    settings = Settings(**options)
    try:
        sqlite_path(settings.database_url)
    except CommandFailed as error:
        raise CommandFailed(f"{place('DATABASE_URL')}{error.message}") from error
    return settings


def require_file(settings: Settings) -> None:
    """Raises CommandFailed if SQLite would create a new database, such as in a wrong folder."""
    file = sqlite_path(settings.database_url)
    if file is not None and not file.exists():
        raise CommandFailed(
            f"The database {file.absolute()} does not exist: run rollcall migrate to create it, "
            "or run the command in the server's folder."
        )


def in_session(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """In one transaction, which is tried again if it loses a race."""

    @try_again
    async def run(database: Database) -> T:
        async with database.write_directory() as session:
            return await work(session)

    return in_database(run)


def in_database(work: Callable[[Database], Awaitable[T]]) -> T:
    settings = read_settings()
    require_file(settings)

    async def run() -> T:
        async with open_database(settings) as database:
            await prepare_schema(database, settings)
            return await work(database)

    return asyncio.run(run())


async def prepare_schema(database: Database, settings: Settings) -> None:
    """Production migrates by its own command alone: a large database takes a long time."""
    if settings.is_production:
        await require_current(database)
    else:
        await migrate(database)


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    others = set(threading.enumerate())
    database = Database(settings.database_url, settings)
    try:
        with unavailable_as_sentence(settings.database_url):
            yield database
    finally:
        await database.close()
        for thread in set(threading.enumerate()) - others:
            # aiosqlite's threads. One that could not connect ends later, and with a traceback
            # if the event loop is closed by then.
            if thread.name.endswith("(_connection_worker_thread)"):
                await asyncio.to_thread(thread.join)
