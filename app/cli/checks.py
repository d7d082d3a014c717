"""What `rollcall doctor` checks. Each check says what is there, or what to do."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError

from app.cli.opening import open_database, require_file
from app.database.description import Description, describe
from app.database.migrate import require_current
from app.database.sessions import Database, sqlite_path
from app.errors import CommandFailed
from app.server.descriptors import connections_limit
from app.server.production import require_sensible
from app.settings import Settings

# A backup needs as much as the database has, and the log of writes some more.
SPARE_BYTES = 1_000_000_000

# Servers that differ by more see keys expire, and contacts change, at different times.
CLOCK_DIFFERENCE = timedelta(seconds=5)


class Status(StrEnum):
    OK = "ok"
    ADVICE = "advice"  # the server works without it
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    status: Status
    message: str


def run_checks(settings: Settings) -> Iterator[Check]:
    yield _settings(settings)
    yield _open_files(settings)
    try:
        require_file(settings)
        yield from asyncio.run(_of_database(settings))
    except CommandFailed as error:
        yield Check("database", Status.WRONG, error.message)
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", error)
        yield Check("database", Status.WRONG, f"The database refuses a statement: {reason}.")


def _settings(settings: Settings) -> Check:
    try:
        require_sensible(settings)
    except CommandFailed as error:
        return Check("settings", Status.WRONG, error.message)
    return Check("settings", Status.OK, f"They are valid for {settings.environment}.")


def _open_files(settings: Settings) -> Check:
    try:
        room = connections_limit(settings)
    except CommandFailed as error:
        return Check("open files", Status.WRONG, error.message)
    message = f"The limit of open files allows {room:,} connections"
    if room == settings.max_connections:
        return Check("open files", Status.OK, f"{message}.")
    advice = "raise it by ulimit -n, or LimitNOFILE of systemd"
    reason = f"fewer than MAX_CONNECTIONS={settings.max_connections:,}"
    return Check("open files", Status.ADVICE, f"{message}, {reason}: {advice}.")


async def _of_database(settings: Settings) -> list[Check]:
    async with open_database(settings) as database:
        before = datetime.now(UTC)
        description = await describe(database)
        now = before + (datetime.now(UTC) - before) / 2
        return [
            _database(description),
            await _schema(database),
            _extensions(description),
            _disk(settings, description),
            _clock(description.clock - now),
        ]


def _database(found: Description) -> Check:
    size = _size(found.bytes)
    if found.is_too_old:
        advice = "Rollcall needs PostgreSQL 13 or newer"
        return Check("database", Status.WRONG, f"The server is {found.product}: {advice}.")
    return Check("database", Status.OK, f"{found.product} answers; the database has {size}.")


async def _schema(database: Database) -> Check:
    try:
        await require_current(database)
    except CommandFailed as error:
        return Check("migrations", Status.WRONG, error.message)
    return Check("migrations", Status.OK, "The database has the schema of this version.")


def _extensions(found: Description) -> Check:
    if found.missing_extensions:
        advice = "install PostgreSQL's contrib package on its server, then run rollcall migrate"
        problem = f"Search is slow without {found.missing_extensions}"
        return Check("extensions", Status.ADVICE, f"{problem}: {advice}.")
    return Check("extensions", Status.OK, "None is missing.")


def _disk(settings: Settings, found: Description) -> Check:
    file = sqlite_path(settings.database_url)
    if file is None:
        return Check(
            "disk", Status.OK, "The database is on the disk of its server: check it there."
        )
    folder = file.resolve().parent
    free, needed = shutil.disk_usage(folder).free, found.bytes + SPARE_BYTES
    if free < needed:
        advice = f"make room for {_size(needed)}, which a backup and the log of writes need"
        return Check("disk", Status.WRONG, f"{folder} has {_size(free)} left: {advice}.")
    return Check("disk", Status.OK, f"{folder} has {_size(free)} left.")


def _clock(difference: timedelta) -> Check:
    seconds = abs(difference.total_seconds())
    message = f"The clocks of this machine and of the database differ by {seconds:.1f} s"
    if abs(difference) > CLOCK_DIFFERENCE:
        return Check("clock", Status.WRONG, f"{message}: synchronize both by NTP.")
    return Check("clock", Status.OK, f"{message}.")


def _size(count: int) -> str:
    return f"{count / 1_000_000:,.1f} MB"
