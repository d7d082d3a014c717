"""The real server in a separate process."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.support.forking import ForkedCommand, nothing, run_forked

READY_SECONDS = 60

# Shared, because creating a client reads all certificates. Each request has a new connection.
HTTP = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), timeout=READY_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """`rollcall serve` in `folder`, whose SQLite file it keeps unless DATABASE_URL is given."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.arguments = ["serve", *options]
        self.environment = os.environ | environment | {"PORT": str(self.port)}
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = ""
        self.before: Callable[[], None] = nothing  # is called in its process before it starts
        self.process: ForkedCommand | subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def start(self) -> None:
        """Returns when the server is ready; the first time, with the key that it printed."""
        self.process = self._launched(self.folder / "server.log")
        self.wait_until_ready()
        if found := re.search(r"rollcall_[0-9a-f]{72}", self.log):
            self.key = found[0]

    def wait_until_ready(self) -> None:
        assert self.process is not None
        end = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"the server is not ready: {self.log}")
            time.sleep(0.02)

    def signal(self, number: signal.Signals) -> int:
        """Sends the signal and returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(READY_SECONDS)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGKILL)

    def rollcall(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command on the same database."""
        return run_forked(arguments, self.folder, self.environment)

    def post(self, document: str, **variables: Any) -> Any:
        response = HTTP.post(
            f"{self.url}/graphql",
            json={"query": document, "variables": variables},
            headers={"x-api-key": self.key},
        )
        answer = response.json()
        answer.pop("extensions", None)
        return answer

    def _launched(self, log: Path) -> ForkedCommand | subprocess.Popen[bytes]:
        return ForkedCommand(self.arguments, self.folder, self.environment, log, log, self.before)

    def _is_ready(self) -> bool:
        try:
            return HTTP.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False


class ExecutedServer(Server):
    """Started as users start it, so that its time, memory and limits are its own."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        super().__init__(folder, *options, **environment)
        self.command = [sys.executable, "-m", "app", *self.arguments]

    def rollcall(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def _launched(self, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                self.command, cwd=self.folder, env=self.environment, stdout=output, stderr=output
            )
