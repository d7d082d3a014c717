"""The progress of long commands on standard error."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from app.cli import progress
from app.database import backup
from tests.support.commands import Rollcall


class Lines:
    """A standard error that is no terminal."""

    def __init__(self) -> None:
        self.text = ""
        self.is_written = Event()

    def write(self, text: str) -> int:
        self.text += text
        self.is_written.set()
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("total", "line"), [(200_000, "Contacts: 2,000 of 200,000\n"), (0, "Contacts: 2,000\n")]
)
def test_without_a_terminal_progress_is_a_line_now_and_then(
    total: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Lines()
    monkeypatch.setattr(sys, "stderr", lines)
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.01)
    with progress.shown_progress() as report:
        report("Contacts", 2_000, total)
        assert lines.is_written.wait(30)
    assert lines.text.startswith(line)


def test_short_work_without_a_terminal_shows_no_progress(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.shown_progress() as report:
        report("Contacts", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_progress_is_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.shown_progress() as report:
        report("Copying pages", 1, 4)
        report("Checking the copy")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Checking the copy" in shown.err


def test_writes_during_a_backup_are_not_in_it_and_do_not_restart_it(
    monkeypatch: pytest.MonkeyPatch, sqlite_template: Path, tmp_path: Path
) -> None:
    file, copy = tmp_path / "rollcall.db", tmp_path / "copy.db"
    file.write_bytes(sqlite_template.read_bytes())
    monkeypatch.setattr(backup, "STEP_PAGES", 8)
    steps: list[tuple[str, int, int]] = []

    def write(label: str, done: int = 0, total: int = 0) -> None:
        steps.append((label, done, total))
        with closing(sqlite3.connect(file, isolation_level=None)) as writer:
            writer.execute(
                "INSERT INTO workspace (id, name, created_at) VALUES (?, ?, '2026-01-31')",
                [f"{len(steps):032}", f"w{len(steps)}"],
            )

    backup.back_up(file, copy, write)
    *copying, checking = steps
    assert [done for _, done, total in copying if done < total] == [
        8 * step for step in range(1, len(copying))
    ]
    assert checking == ("Checking the copy", 0, 0)
    with closing(sqlite3.connect(copy)) as copied:
        assert copied.execute("SELECT count(*) FROM workspace").fetchone() == (0,)


def test_backup_and_migration_say_that_they_are_done(rollcall: Rollcall, tmp_path: Path) -> None:
    migrated = rollcall("migrate")
    assert (migrated.code, migrated.out) == (0, "")
    assert migrated.err == "The database rollcall.db has the newest schema.\n"
    copied = rollcall("backup", "copy.db")
    assert (copied.code, copied.out) == (0, "")
    assert copied.err == "copy.db is a verified copy of rollcall.db.\n"
    assert (tmp_path / "copy.db").exists()
