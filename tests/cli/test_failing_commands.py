"""Commands that fail say why in one line on standard error, without a traceback."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.commands import READ, Result, Rollcall, listed, refused
from tests.support.databases import empty_sqlite
from tests.support.postgres import Cluster, outside_transaction
from tests.support.server import ExecutedServer


def test_failed_command_reports_the_reason_in_one_line(on_database: Rollcall) -> None:
    key = ("key", "create", "--name", "sync", *READ, "--workspace")
    unknown = str(uuid4())
    for arguments, code, reason in (
        (("workspace", "create", "ours"), 1, "Workspace ours already exists"),
        (("workspace", "create", " ours "), 1, "Workspace ours already exists"),
        (("workspace", "create", " "), 1, "must not be empty"),
        (("workspace", "create", "a\nb"), 1, "printable"),
        (("workspace", "create", "a\udcff"), 1, "printable"),
        ((*key, "nobody"), 1, "Workspace nobody does not exist"),
        (("key", "create", "--workspace", "ours", "--name", "", *READ), 1, "must not be empty"),
        (("key", "create", "--workspace", "ours", "--name", "a\tb", *READ), 1, "printable"),
        (("key", "create", "--workspace", "ours", "--name", "a\udcff", *READ), 1, "printable"),
        (("key", "create", "--workspace", "ours", "--name", "sync"), 2, "--scope"),
        ((*key, "ours", "--scope", "contacts"), 2, "--scope"),
        (("workspace", "create", "x" * 256), 1, "at most 255 characters"),
        (("key", "revoke", unknown), 1, unknown),
        (("key", "revoke", "seven"), 2, "ID"),
        (("key", "revoke"), 2, "ID"),
    ):
        assert reason in refused(on_database(*arguments), code)
    assert listed(on_database) == []


def test_database_that_cannot_be_used_is_reported_in_one_sentence(
    rollcall: Rollcall, cluster: Cluster
) -> None:
    user = cluster.url("postgres").replace("postgres@", "nobody@")
    create = "CREATE DATABASE bytes TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'"
    asyncio.run(outside_transaction(cluster.url("postgres"), create))
    for url, sentence in (
        ("postgresql+asyncpg://postgres@127.0.0.1:1/rollcall", "PostgreSQL cannot be reached ("),
        ("postgresql+asyncpg://postgres@/rollcall?host=/nowhere", "PostgreSQL cannot be reached ("),
        ("postgresql+asyncpg://a@nowhere.invalid/b", "The host nowhere.invalid of DATABASE_URL "),
        (cluster.url("missing"), "PostgreSQL has no database missing: run createdb, or correct "),
        (cluster.url("bytes"), "The database has the encoding SQL_ASCII instead of UTF8: create "),
        (user, "PostgreSQL refuses the user of DATABASE_URL: "),
        ("sqlite+aiosqlite:////proc/rollcall.db", "The database /proc/rollcall.db cannot be opene"),
    ):
        line = refused(rollcall("migrate", DATABASE_URL=url))
        assert line.startswith(f"rollcall: {sentence}")


@pytest.mark.parametrize(
    "command",
    [
        ["workspace", "create", "ours"],
        ["key", "list"],
        ["custom-field", "load", "notifuse", "--workspace", "ours"],
        ["backup", "copy.db"],
        ["distribute"],
    ],
    ids=" ".join,
)
def test_command_in_a_wrong_folder_creates_no_database(
    rollcall: Rollcall, tmp_path: Path, command: list[str]
) -> None:
    line = refused(rollcall(*command))
    assert line.startswith(f"rollcall: The database {tmp_path / 'rollcall.db'} does not exist: ")
    assert list(tmp_path.iterdir()) == []


def test_command_that_ctrl_c_ends_says_so(
    rollcall: Rollcall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.doctor.run_checks", interrupted)
    assert refused(rollcall("doctor"), 130) == "rollcall: interrupted."


def test_file_that_is_not_a_database_is_reported_in_one_line(
    rollcall: Rollcall, tmp_path: Path
) -> None:
    (tmp_path / "junk.db").write_bytes(b"junk" * 100)
    assert "not a database" in refused(
        rollcall("migrate", DATABASE_URL=empty_sqlite(tmp_path, "junk.db"))
    )


@pytest.mark.parametrize(
    ("command", "url"),
    [
        (["migrate"], "sqlite+aiosqlite:////proc/rollcall.db"),
        (["serve"], "sqlite+aiosqlite:////proc/rollcall.db"),
        (["key", "create", "--workspace", "a\udcff", "--name", "sync", *READ], None),
    ],
)
def test_real_process_has_no_traceback_and_an_exit_code(
    tmp_path: Path, command: list[str], url: str | None
) -> None:
    server = ExecutedServer(tmp_path, DATABASE_URL=url or empty_sqlite(tmp_path))
    done = server.rollcall(*command)
    refused(Result(done.returncode, done.stdout, done.stderr))
