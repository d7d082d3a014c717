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
LEAST = 2  # answers on each connection
ATTEMPTS = 5


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
    seconds: int,
    connections: int | None = None,
) -> Load:
    """Raises CommandFailed if a request failed.

    What is in flight at the end costs CPU and is not counted. So where only few requests were
    answered, the load is repeated for twice as long.
    """
    callers = connections or workload.connections
    for attempt in range(ATTEMPTS):
        before = contender.cpu_seconds()
        told = drive(contender, workload, key, bodies, seconds << attempt, callers)
        cpu = contender.cpu_seconds() - before
        requests = told["requests"]
        if requests >= LEAST * callers:
            rate = requests * workload.rows / (told["microseconds"] / 1_000_000)
            return Load(rate, cpu * 1_000_000 / requests, told["p50"], told["p99"])
    raise CommandFailed(f"{contender.name} ({workload.name}) answers too slowly to be measured.")


def drive(
    contender: Contender,
    workload: Workload,
    key: str,
    bodies: Path,
    seconds: int,
    connections: int,
) -> dict[str, int]:
    """What wrk tells. Raises CommandFailed if a request failed."""
    command = [
        wrk(),
        *("--threads", "1"),
        *("--connections", str(connections)),
        *("--duration", f"{seconds * workload.stretch}s"),
        *("--timeout", "60s"),
        *("--header", f"x-api-key: {key}"),
        *("--header", "content-type: application/json"),
        *("--script", str(SCRIPT)),
        contender.url,
        *("--", str(bodies), str(next_serial())),
    ]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode:
        raise CommandFailed(f"wrk failed: {done.stderr}")
    told: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    if told["failed"]:
        raise CommandFailed(
            f"{contender.name} ({workload.name}) failed {told['failed']} of {told['requests']} "
            "requests."
        )
    return told
