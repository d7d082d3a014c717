"""Backup and restore by the commands of docs/production.md, under load, on both databases."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from app.cli import main
from app.database.backup import back_up
from app.errors import CommandFailed
from tests.support.postgres import Cluster
from tests.support.programs import program
from tests.support.server import Server

PRODUCTION = Path(__file__).parent.parent.parent / "docs" / "production.md"
WRITERS = 4
BEFORE = 40

UPSERT = """
mutation ($input: ContactInput!) { upsertContact(input: $input) { __typename } }
"""
DELETE = "mutation ($by: ContactKey!) { deleteContact(by: $by) { __typename } }"
READ = """
query ($keys: [ContactKey!]!) {
  contactsByKey(keys: $keys) {
    id externalId email name company tags customFields metadata version createdAt updatedAt
  }
}
"""
COUNTS = """
{
  all: contacts { totalCount }
  found: contacts(search: "Writer") { totalCount }
  tagged: contacts(filter: {tags: {hasAny: ["kept"]}}) { totalCount }
}
"""


class Load:
    """Callers that create, change and delete contacts until they are told to stop."""

    def __init__(self, server: Server) -> None:
        self.acknowledged: list[str] = []
        self._server = server
        self._stopping = Event()
        self._callers = ThreadPoolExecutor(WRITERS)
        self._running = [self._callers.submit(self._write, number) for number in range(WRITERS)]

    def _write(self, writer: int) -> None:
        number = 0
        while not self._stopping.is_set():
            number += 1
            email = f"w{writer}.{number}@example.com"
            given: dict[str, Any] = {"email": email, "name": f"Writer {writer}", "tags": ["kept"]}
            self._expect("ContactCreated", UPSERT, input=given)
            given |= {"company": f"No {number}", "customFields": {"n": number}}
            self._expect("ContactUpdated", UPSERT, input=given)
            if number % 5 == 0:
                self._expect("ContactDeleted", DELETE, by={"email": email})
            else:
                self.acknowledged.append(email)

    def _expect(self, outcome: str, document: str, **variables: Any) -> None:
        [result] = self._server.post(document, **variables)["data"].values()
        assert result["__typename"] == outcome

    def wait(self, count: int) -> None:
        while len(self.acknowledged) < count:
            assert not any(one.done() for one in self._running)
            self._stopping.wait(0.02)

    def stop(self) -> None:
        self._stopping.set()
        self._callers.shutdown()
        for one in self._running:
            one.result()


class Shell:
    """Runs what the documentation says, at other places and without becoming another user."""

    def __init__(self, folder: Path, **environment: str) -> None:
        (folder / "backups").mkdir()
        self.folder = folder
        self.environment = os.environ | environment
        self.places = {
            "/var/lib/rollcall": str(folder),
            "/var/backups/rollcall": str(folder / "backups"),
            "/opt/rollcall/.venv/bin/rollcall": f"{sys.executable} -m app",
            "$(date +%F)": "today",
            "2026-01-31": "today",
            "install -o rollcall -g rollcall": "install",
            "runuser -u postgres -- ": "",
            "runuser -u rollcall -- ": "",
        }

    def run(self, commands: str) -> None:
        for place, ours in self.places.items():
            commands = commands.replace(place, ours)
        done = subprocess.run(
            [program("bash"), "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""


def documented(heading: str) -> tuple[str, str, str]:
    """The commands that back up, and those that restore before and while the service rests."""
    _, _, rest = PRODUCTION.read_text().partition(f"\n### {heading}\n")
    section = re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0]
    backup, *restore = re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    before, rest = "".join(restore).split("systemctl stop rollcall\n")
    resting, _ = rest.split("systemctl start rollcall\n")
    return backup, before, resting


def back_up_and_restore(server: Server, shell: Shell, heading: str) -> None:
    backup, before, resting = documented(heading)
    load = Load(server)
    load.wait(BEFORE)
    kept = list(load.acknowledged)
    shell.run(backup)
    load.wait(len(kept) + WRITERS)
    load.stop()
    keys = [{"email": email} for email in kept[:100]]
    expected = server.post(READ, keys=keys)

    lost = {"email": "after@example.com", "name": "Writer after", "tags": ["kept"]}
    server.post(UPSERT, input=lost)
    shell.run(before)
    server.stop()  # by SIGKILL, as the worst case has it
    shell.run(resting)
    server.start()

    assert server.post(READ, keys=keys) == expected
    assert None not in expected["data"]["contactsByKey"]
    assert server.post(READ, keys=[{"email": lost["email"]}])["data"] == {"contactsByKey": [None]}
    counts = {name: one["totalCount"] for name, one in server.post(COUNTS)["data"].items()}
    assert counts["all"] == counts["found"] == counts["tagged"] >= len(kept)

    created = server.post(UPSERT, input=lost)
    assert created == {"data": {"upsertContact": {"__typename": "ContactCreated"}}}
    assert server.post(COUNTS)["data"]["found"]["totalCount"] == counts["found"] + 1


def test_sqlite_is_restored_from_a_backup_under_load(tmp_path: Path) -> None:
    server = Server(tmp_path, ENVIRONMENT="development")
    server.start()
    try:
        back_up_and_restore(server, Shell(tmp_path), "SQLite")
    finally:
        server.stop()
    backups = tmp_path / "backups"
    assert [path.name for path in backups.iterdir()] == ["rollcall-today.db"]
    for file in (backups / "rollcall-today.db", tmp_path / "rollcall.db"):
        assert file.stat().st_mode & 0o777 == 0o600
        with closing(sqlite3.connect(file)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert database.execute("PRAGMA foreign_key_check").fetchone() is None
            database.execute("INSERT INTO contact_text (contact_text) VALUES ('integrity-check')")


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    cluster = Cluster("-F")
    cluster.start()
    yield cluster
    cluster.stop()
    cluster.remove()


def test_postgresql_is_restored_from_a_backup_under_load(
    tmp_path: Path, own_cluster: Cluster
) -> None:
    shell = Shell(
        tmp_path,
        PATH=f"{own_cluster.binaries}{os.pathsep}{os.environ['PATH']}",
        PGHOST=str(own_cluster.folder),
        PGUSER="postgres",
    )
    shell.run("createuser rollcall\ncreatedb --owner rollcall rollcall")
    url = own_cluster.url("rollcall").replace("postgres@", "rollcall@")
    server = Server(tmp_path, ENVIRONMENT="development", DATABASE_URL=url)
    server.start()
    try:
        back_up_and_restore(server, shell, "PostgreSQL")
        assert server.rollcall("migrate").returncode == 0
    finally:
        server.stop()


@pytest.fixture
def database(tmp_path: Path, sqlite_template: Path) -> Path:
    file = tmp_path / "rollcall.db"
    file.write_bytes(sqlite_template.read_bytes())
    return file


def test_sqlite_is_kept_if_the_copy_does_not_exist(tmp_path: Path, database: Path) -> None:
    content = database.read_bytes()
    wal = tmp_path / "rollcall.db-wal"
    wal.write_bytes(b"recent writes")
    _, _, resting = documented("SQLite")
    with pytest.raises(AssertionError, match=r"today\.db"):
        Shell(tmp_path).run(f"set +e\n{resting}")
    assert (database.read_bytes(), wal.read_bytes()) == (content, b"recent writes")


# --- What `rollcall backup` refuses ---


def refused(file: Path, copy: Path) -> str:
    with pytest.raises(CommandFailed) as refusal:
        back_up(file, copy)
    return refusal.value.message


def test_backup_never_overwrites_a_file(tmp_path: Path, database: Path) -> None:
    for name in ("copy.db", "copy.db.part"):
        (tmp_path / name).write_bytes(b"precious")
        assert f"{name} " in refused(database, tmp_path / "copy.db")
        assert (tmp_path / name).read_bytes() == b"precious"
        (tmp_path / name).unlink()


def test_backup_of_nothing_or_to_nowhere(tmp_path: Path, database: Path) -> None:
    copy = tmp_path / "nowhere" / "copy.db"
    assert "cannot be written" in refused(database, copy)
    database.unlink()
    assert refused(database, copy) == f"The database {database} does not exist."
    assert list(tmp_path.iterdir()) == []


def test_backup_of_a_damaged_database_leaves_no_file(tmp_path: Path, database: Path) -> None:
    page = 4096
    content = bytearray(database.read_bytes())
    content[5 * page : -page] = os.urandom(len(content) - 6 * page)
    database.write_bytes(content)
    failure = refused(database, tmp_path / "copy.db")
    assert failure.startswith(("The database is damaged: ", "The backup failed: "))
    assert list(tmp_path.glob("copy*")) == []


def test_backup_of_postgresql_is_for_pg_dump(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr("sys.argv", ["rollcall", "backup", "copy.db"])
    with pytest.raises(SystemExit):
        main()
    assert (
        capsys.readouterr().err
        == "rollcall: rollcall backup is for SQLite. Use pg_dump for PostgreSQL.\n"
    )
