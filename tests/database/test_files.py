"""Files of a SQLite database are read by their owner alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

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
