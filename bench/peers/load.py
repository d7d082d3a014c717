"""Load from wrk, and what the server's process spent on it."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from app.errors import CommandFailed
from bench.peers.client import next_serial
from bench.peers.servers import Contender
from bench.peers.workloads import Workload

SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` is requests a second, or rows a second of a bulk; all times are in microseconds.

    `cpu` is the server's for a request, or for 1,000 rows of a bulk.
    """

    rate: float
    cpu: float
    p50: float
    p99: float


def wrk() -> str:
    found = shutil.which("wrk")
    if found is None:
        raise CommandFailed("wrk is not installed. Debian's package is called wrk.")
    return found


def load(
    contender: Contender,
    workload: Workload,
    key: str,
    bodies: Path,
    seconds: float,
    connections: int | None = None,
) -> Load:
    """Raises CommandFailed if a request failed."""
    command = [
        wrk(),
        *("--threads", "1"),
        *("--connections", str(connections or workload.connections)),
        *("--duration", f"{seconds}s"),
        *("--timeout", "60s"),
        *("--header", f"x-api-key: {key}"),
        *("--header", "content-type: application/json"),
        *("--script", str(SCRIPT)),
        contender.url,
        *("--", str(bodies), str(next_serial())),
    ]
    before = contender.cpu_seconds()
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    cpu = contender.cpu_seconds() - before
    if done.returncode:
        raise CommandFailed(f"wrk failed: {done.stderr}")
    told = json.loads(done.stdout.splitlines()[-1])
    if told["failed"] or not told["requests"]:
        raise CommandFailed(
            f"{contender.name} ({workload.name}) failed {told['failed']} of {told['requests']} "
            "requests."
        )
    rate = told["requests"] * workload.rows / (told["microseconds"] / 1_000_000)
    return Load(rate, cpu * 1_000_000 / told["requests"], told["p50"], told["p99"])
