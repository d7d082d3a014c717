"""An import that is interrupted, at whichever moment, ends as one that is not."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.database.sessions import Database
from app.settings import Settings
from app.transfer.batches import read_ahead
from app.transfer.checkpoint import Done, load
from app.transfer.execution import Contacts, Execution, Policy, TryAgain
from app.transfer.importing import Import
from app.transfer.in_process import InProcess
from app.transfer.outcomes import Announce, Outcome
from app.transfer.over_api import OverApi
from app.transfer.rejected import RejectedFile
from app.transfer.row_file import Reading, opened_rows
from app.workspaces.command_line_key import command_line_caller
from app.workspaces.workspaces import create_workspace
from tests.support.client import Client
from tests.support.commands import Rollcall, refused
from tests.support.databases import copied_sqlite
from tests.support.forking import run_forked
from tests.support.interrupting import interrupt_at, kill_after_batches

CONTACTS = """{ contacts(first: 100, orderBy: {field: EMAIL, direction: ASC}) {
    totalCount nodes { externalId email name tags isUnsubscribed version } } }"""

# Rows that depend on one another: what has been written changes the answer of the next attempt.
ROWS = [
    *("1,a@example.com,A,", "1,b@example.com,B,", "2,a@example.com,C,yes", "3,bad,D,"),
    *("4,d@example.com,E,", "5,d@example.com,F,", "4,d@example.com,G,", "4,d@example.com,E,"),
    *("6,f@example.com,H,yes", "7,f@example.com,I", "6,g@example.com,J,", "8,f@example.com,K,"),
]
HEADER = "externalId,email,name,isUnsubscribed"
POLICIES: dict[str, dict[str, Any]] = {"default": {}, "create only": {"onMatch": "CONFLICT"}}

# A command that gets Ctrl-C at the first of some event of Python.
CTRL_C = """
import sys
from tests.support.interrupting import interrupt_at
interrupt_at(sys.argv.pop(1), sys.argv.pop(1))
from app.__main__ import main
main()
"""


class Interrupted(BaseException):
    pass


class Cut:
    """Raises at one moment: before an operation is executed, before or after its outcomes are
    announced, or before its answer arrives."""

    def __init__(self, execution: Execution, moment: int, error: BaseException) -> None:
        self._execution = execution
        self._left = moment
        self._error = error

    async def execute(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        self._count()
        data = await self._execution.execute(document, variables)
        self._count()
        return data

    async def predict(self, contacts: Contacts, policy: Policy) -> Sequence[Outcome]:
        return await self._execution.predict(contacts, policy)

    async def upsert(
        self, contacts: Contacts, policy: Policy, announce: Announce
    ) -> Sequence[Outcome]:
        def announced(outcomes: Sequence[Outcome]) -> None:
            self._count()
            announce(outcomes)
            self._count()

        self._count()
        outcomes = await self._execution.upsert(contacts, policy, announced)
        self._count()
        return outcomes

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise self._error


class Site:
    """A file and an empty workspace."""

    def __init__(self, folder: Path, policy: str, execution: Execution) -> None:
        folder.mkdir()
        self.path = folder / "a.csv"
        self.path.write_text("\n".join([HEADER, *ROWS]))
        self.policy = POLICIES[policy]
        self.execution = execution

    async def attempt(self, execution: Execution) -> Done:
        with opened_rows(Reading(self.path), {}) as (_, rows):
            checkpoint = load(self.path.with_name("a.csv.progress"), {})
            rejected = RejectedFile(self.path, rows)
            async with read_ahead(rows.rows()) as batches:
                work = Import(execution, batches, self.policy, checkpoint, rejected)
                return await work.run(lambda _: None)

    async def ended(
        self, moments: Sequence[int], error: BaseException, over: Callable[[Cut], Execution]
    ) -> tuple[Any, ...]:
        """The contacts, rejected rows and counts of an import that is cut at each moment."""
        done: Done | None = None
        for moment in moments:
            with suppress(Interrupted):
                done = done or await self.attempt(over(Cut(self.execution, moment, error)))
        done = done or await self.attempt(self.execution)
        rejected = self.path.with_name("a.csv.rejected.csv").read_text()
        return await self.execution.execute(CONTACTS, {}), rejected, done.counts


async def site(database: Database, folder: Path, policy: str) -> Site:
    async with database.write_directory() as session:
        await create_workspace(session, folder.name)
    caller = await command_line_caller(database, folder.name, "default")
    return Site(folder, policy, InProcess(database, caller, Settings(_env_file=None)))


@pytest.mark.parametrize(
    ("policy", "error", "over"),
    [
        ("default", Interrupted(), lambda cut: cut),
        ("create only", Interrupted(), OverApi),
        ("default", TryAgain("The answer was lost", 0), OverApi),
    ],
    ids=["interrupted", "interrupted over the API", "answer lost"],
)
async def test_interrupted_import_ends_as_another(
    policy: str,
    error: BaseException,
    over: Callable[[Cut], Execution],
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.transfer.importing.BATCH_ROWS", 5)
    whole = await (await site(database, tmp_path / "whole", policy)).ended([], error, over)
    for moment in range(1, 14):
        cut = await site(database, tmp_path / str(moment), policy)
        assert await cut.ended([moment, 4], error, over) == whole, moment


async def test_killed_process_is_continued(
    rollcall: Rollcall,
    api: Client,
    stranger: Client,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.transfer.importing.BATCH_ROWS", 100)
    rows = [f"{number},p{number}@example.com,Name," for number in range(20, 250)]
    text = "\n".join([HEADER, *ROWS, *rows, *ROWS])
    killed, whole = tmp_path / "killed.csv", tmp_path / "whole.csv"
    for path in (killed, whole):
        path.write_text(text)

    def command(path: Path, workspace: str) -> list[str]:
        return ["import", path.name, "--workspace", workspace, "--on-match", "conflict"]

    process = await asyncio.to_thread(
        run_forked,
        command(killed, "ours"),
        tmp_path,
        os.environ | {"DATABASE_URL": database_url},
        before=partial(kill_after_batches, 2, rows=100),
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    other = [*command(killed, "ours"), "--tags", "add"]
    result = await asyncio.to_thread(rollcall, *other, DATABASE_URL=database_url)
    assert (result.code, "was written with other options" in result.err) == (1, True)
    rejected, moved = (tmp_path / name for name in ("killed.csv.rejected.csv", "moved.csv"))
    rejected.rename(moved)
    without = await asyncio.to_thread(rollcall, *command(killed, "ours"), DATABASE_URL=database_url)
    assert "has fewer bytes than were written to it" in refused(without)
    moved.rename(rejected)
    ends = [
        await asyncio.to_thread(rollcall, *arguments, DATABASE_URL=database_url)
        for arguments in (command(killed, "ours"), command(whole, "theirs"))
    ]
    assert "Going on after 100 rows." in ends[0].err
    assert ends[0].out.splitlines()[0] == ends[1].out.splitlines()[0]
    assert await api(CONTACTS) == await stranger(CONTACTS)
    assert rejected.read_bytes() == (tmp_path / "whole.csv.rejected.csv").read_bytes()
    assert not killed.with_name("killed.csv.progress").exists()


def test_ctrl_c_is_quiet_and_says_how_to_go_on(
    rollcall: Rollcall, sqlite_template: Path, tmp_path: Path
) -> None:
    url = {"DATABASE_URL": copied_sqlite(sqlite_template, tmp_path)}
    rollcall("workspace", "create", "ours", **url)
    Path("a.csv").write_text("\n".join([HEADER, *ROWS]))

    def ended(event: str, name: str, *command: str) -> tuple[int, str, list[str]]:
        arguments = [*(command or ("import", "a.csv")), "--workspace", "ours"]
        if event == "import":  # a forked process has imported everything
            ended = subprocess.run(
                [sys.executable, "-c", CTRL_C, event, name, *arguments],
                env=os.environ | url,
                capture_output=True,
                text=True,
                check=False,
            )
        else:
            before = partial(interrupt_at, event, name)
            ended = run_forked(arguments, tmp_path, os.environ | url, before)
        lines = [line for line in ended.stderr.splitlines() if not line.startswith("a.csv: ")]
        return ended.returncode, ended.stdout, lines

    before = "Nothing was done. Run the same command again."
    assert ended("import", "typer") == (130, "", [before])
    for event, name in [
        ("import", "strawberry"),
        ("sqlite3.connect", "rollcall.db"),
        ("open", "a.csv.progress.new"),
        ("open", "a.csv.rejected.csv"),
    ]:
        stopped = ended(event, name)
        assert stopped == (130, "", ["The same command goes on where this one stopped."]), name
    code, out, lines = ended("os.remove", "a.csv.progress")  # too late: it has ended
    assert (code, lines) == (0, [])
    assert out.startswith(f"Rows imported: {len(ROWS)} (5 created, 4 updated, ")
    exported = ended("os.remove", "b.csv.progress", "export", "b.csv")
    assert exported == (0, "", ["Contacts exported: 5."])
    again = "The export is not complete. Run the same command again."
    assert ended("import", "strawberry", "export", "-") == (130, "", [again])


@pytest.mark.parametrize(
    ("before", "after"), [("A,", "Z,"), ("H,", "Z,")], ids=["done", "may have been written"]
)
async def test_changed_file_is_not_continued(
    before: str, after: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.transfer.importing.BATCH_ROWS", 5)
    cut = await site(database, tmp_path / "changed", "default")
    with pytest.raises(Interrupted):
        await cut.attempt(Cut(cut.execution, 10, Interrupted()))
    cut.path.write_text(cut.path.read_text().replace(before, after))
    with pytest.raises(Exception, match="has changed since its import stopped"):
        await cut.attempt(cut.execution)
