"""What a measurement ran on: the machine, and the versions of everything."""

import json
import platform
import subprocess
from collections.abc import Set
from importlib.metadata import version
from pathlib import Path

from bench.peers.data import NODE
from bench.peers.load import wrk
from bench.peers.servers import node
from tests.support.postgres import Cluster

PACKAGES = ("strawberry-graphql", "graphql-core", "sqlalchemy", "asyncpg", "starlette", "uvicorn")


def describe(cluster: Cluster, server_core: int, other_cores: Set[int]) -> list[str]:
    cores = ", ".join(map(str, sorted(other_cores)))
    packages = json.loads((NODE / "package.json").read_text())["dependencies"]
    python = {name: version(name) for name in PACKAGES}
    return [
        f"{_processor()}; server on core {server_core}, PostgreSQL and load on core {cores}",
        f"{platform.system()} {platform.release()}, {_told(str(cluster.binaries / 'postgres'))}, "
        f"{_told(wrk())}",
        f"Python {platform.python_version()}: {_listed(python)}",
        f"Node {_told(node()).removeprefix('v')}: {_listed(packages)}",
    ]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")


def _told(program: str) -> str:
    """The first line that it says about its version."""
    done = subprocess.run([program, "--version"], capture_output=True, check=False, text=True)
    return done.stdout.splitlines()[0].split(" [")[0]


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())
