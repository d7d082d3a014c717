"""Commands that are forked from a process which has imported Rollcall: that takes 1.5 s of CPU, and
several times as long where coverage is measured."""

import gc
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.waiting import BOUND_SECONDS

_COVERAGE = "tests.support.coverage"

COUNTED = {"COUNTED": "1"}  # in the environment of a forked process: its coverage is measured

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        *([_COVERAGE] if _COVERAGE in sys.modules else []),  # counts what is imported after it
        "alembic.command",
        "app.api.graphql.schema",
        "app.cli",
        "app.database.migrate",
        "app.server.production",
        "app.server.workers",
        __name__,
    ]
)
gc.freeze()  # what is imported: collections pass over it, in forked processes too


def nothing() -> None:
    pass


def limit_open_files(count: int, *, may_be_raised: bool = False) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard if may_be_raised else count))


class ForkedCommand:
    """A command of `rollcall` in a process of its own, with the methods of `subprocess.Popen`.

    `before` is called in that process just before the command: a function of a module, or a
    `partial` of one.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        out: Path,
        err: Path,
        before: Callable[[], None] = nothing,
    ) -> None:
        given = (arguments, folder, environment, out, err, before)
        self._process = _context.Process(target=_run, args=given, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("rollcall", timeout or 0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def run_forked(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    before: Callable[[], None] = nothing,
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` of the command."""
    with TemporaryDirectory() as written:
        out, err = Path(written, "out"), Path(written, "err")
        code = ForkedCommand(arguments, folder, environment, out, err, before).wait(BOUND_SECONDS)
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


def _run(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    out: Path,
    err: Path,
    before: Callable[[], None],
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for path, stream in ((out, sys.stdout), (err, sys.stderr)):
        with path.open("ab") as output:
            os.dup2(output.fileno(), stream.fileno())
    sys.argv = ["rollcall", *arguments]
    from app.__main__ import main

    try:
        before()
        main()
    finally:
        if COUNTED.items() <= environment.items() and _COVERAGE in sys.modules:
            from tests.support.coverage import leave_count

            leave_count()
