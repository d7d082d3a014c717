"""Files of a SQLite database: who may read them, and who deletes them."""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from app.database.sessions import Database
from app.tables import Workspace
from tests.support.server import Server

OWNER_ALONE = 0o600


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """With which new files are readable by all, unless their maker says otherwise."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.glob("rollcall.db*")}


def test_files_of_a_new_database_are_read_by_their_owner_alone(tmp_path: Path) -> None:
    server = Server(tmp_path, ENVIRONMENT="development")
    try:
        server.start()
        names = ["rollcall.db", "rollcall.db-shm", "rollcall.db-wal", "rollcall.db.lock"]
        assert modes(tmp_path) == dict.fromkeys(names, OWNER_ALONE)
    finally:
        server.stop()


def test_mode_of_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    for name in ("rollcall.db", "rollcall.db.lock"):
        (tmp_path / name).touch(0o640)
    server = Server(tmp_path, ENVIRONMENT="development")
    try:
        server.start()
        assert set(modes(tmp_path).values()) == {0o640}
    finally:
        server.stop()


ANOTHER_PROCESS = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute("DELETE FROM workspace")
database.close()
"""


def log_of(file: Path) -> int:
    """The inode of the log in which writes are."""
    return Path(f"{file}-wal").stat().st_ino


async def test_process_that_ends_leaves_the_log_of_connections_of_another_one(
    sqlite_template: Path, tmp_path: Path
) -> None:
    file = tmp_path / "copy.db"
    shutil.copy(sqlite_template, file)
    database = Database(f"sqlite+aiosqlite:///{file}")
    async with database.read_directory() as one, database.read_directory() as other:
        for session in (one, other):  # each opens a connection
            await session.exec(select(Workspace))
        log = log_of(file)
        another = await asyncio.create_subprocess_exec(sys.executable, "-c", ANOTHER_PROCESS, file)
        assert await another.wait() == 0
        assert log_of(file) == log
    await database.close()
