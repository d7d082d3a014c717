"""A copy of a SQLite database, taken while it is in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from app.errors import CommandFailed
from app.progress import Report, unreported

STEP_PAGES = 4_096  # between two reports of progress: 16 MiB


def back_up(file: Path, copy: Path, report: Report = unreported) -> None:
    """Copies everything that is committed when it starts. Writers are not blocked.

    The copy gets its name when it is complete, verified and synced to disk; only its owner can
    read it. Raises CommandFailed.
    """
    part = Path(f"{copy}.part")
    if copy.exists():
        raise CommandFailed(f"{copy} already exists.")
    if not file.exists():
        raise CommandFailed(f"The database {file} does not exist.")
    _create(part)
    try:
        with closing(sqlite3.connect(part)) as target:
            _copy(file, target, report)
            report("Checking the copy")
            [result] = target.execute("PRAGMA integrity_check").fetchone()
        if result != "ok":
            raise CommandFailed(f"The database is damaged: {result}.")
        part.rename(copy)
    except sqlite3.Error as error:
        raise CommandFailed(f"The backup failed: {error}.") from error
    except OSError as error:
        raise CommandFailed(f"{copy} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    _sync(copy.parent)


def _create(part: Path) -> None:
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise CommandFailed(
            f"{part} already exists: another backup is running, or was interrupted."
        ) from error
    except OSError as error:
        raise CommandFailed(f"{part} cannot be written: {error.strerror}.") from error


def _copy(file: Path, target: sqlite3.Connection, report: Report) -> None:
    def progress(_: int, remaining: int, total: int) -> None:
        report("Copying pages", total - remaining, total)

    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as source:
        source.execute("BEGIN")  # without a snapshot, each write would start the copy anew
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        source.backup(target, pages=STEP_PAGES, progress=progress)
    # A copy without a WAL is one file; the server sets WAL again.
    target.execute("PRAGMA journal_mode = DELETE")


def _sync(folder: Path) -> None:
    """Makes the new name survive a power failure."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
