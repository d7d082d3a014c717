"""A temporary Citus, a coordinator and two workers: `scripts/citus` runs a command on it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from uuid import uuid4

from app.database.migrate import distribute, migrate
from app.database.sessions import Database
from tests.support.postgres import Cluster, outside_transaction

# The folders of the nodes, for the processes that a command starts.
FOLDERS = "ROLLCALL_CITUS"
ON_CITUS = FOLDERS in os.environ
# What the sessions of all nodes do.
ACTIVITY = "citus_stat_activity" if ON_CITUS else "pg_stat_activity"
NODES = 3
PORT = 5432

_OPTIONS = {
    "shared_preload_libraries": "citus",
    "citus.shard_count": "4",  # a database is made for many a test
    "wal_level": "logical",  # to move shards
    "max_connections": "1000",  # each database keeps some, and no test drops its own
    "max_prepared_transactions": "300",
    "max_worker_processes": "300",  # one looks after each database
    "fsync": "off",
}


@dataclass(frozen=True)
class Citus:
    """The nodes by the folders of their sockets, the coordinator first."""

    folders: Sequence[Path]

    @staticmethod
    def of(nodes: Sequence[Cluster]) -> "Citus":
        return Citus([node.folder for node in nodes])

    @staticmethod
    def of_environment() -> "Citus | None":
        """The one that `scripts/citus` has started for this process."""
        folders = os.environ.get(FOLDERS)
        return Citus([Path(folder) for folder in folders.split(":")]) if folders else None

    def url(self, database: str, node: int = 0) -> str:
        return f"postgresql+asyncpg://postgres@/{database}?host={self.folders[node]}"

    def create_database(self) -> str:
        """Its URL on the coordinator. It is empty, and all nodes have it."""
        name = f"test_{uuid4().hex}"
        with (self.folders[0] / "creating").open("w") as creating:
            # Adding a node alters the roles that all databases share: two at once fail.
            flock(creating, LOCK_EX)
            asyncio.run(self._create(name))
        return self.url(name)

    def create_distributed(self) -> str:
        """The URL of a database that is migrated and distributed."""
        url = self.create_database()
        asyncio.run(_distribute(url))
        return url

    async def _create(self, name: str) -> None:
        for node in range(len(self.folders)):
            await outside_transaction(self.url("postgres", node), f"CREATE DATABASE {name}")
            await outside_transaction(self.url(name, node), "CREATE EXTENSION citus")
        coordinator, *workers = self.folders
        own = f"SELECT citus_set_coordinator_host('{coordinator}', {PORT})"
        added = [f"SELECT citus_add_node('{worker}', {PORT})" for worker in workers]
        for statement in (own, *added):
            await outside_transaction(self.url(name), statement)


async def _distribute(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await distribute(database)
    await database.close()


@contextmanager
def running() -> Iterator[list[Cluster]]:
    """The nodes, the coordinator first."""
    options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
    with ExitStack() as stack:
        nodes: list[Cluster] = []
        for _ in range(NODES):
            node = Cluster(*options)
            stack.callback(node.remove)
            with (node.data / "postgresql.conf").open("a") as settings:
                settings.write(f"citus.local_hostname = '{node.folder}'\n")
            node.start()
            stack.callback(node.stop)
            nodes.append(node)
        yield nodes


def main() -> int:
    """Runs the command with the URL of a distributed database, and the nodes for its tests."""
    command = sys.argv[1:]
    try:
        with running() as nodes:
            citus = Citus.of(nodes)
            folders = ":".join(map(str, citus.folders))
            environment = {"DATABASE_URL": citus.create_distributed(), FOLDERS: folders}
            return subprocess.run(command, env=os.environ | environment, check=False).returncode
    except RuntimeError as error:
        if 'could not access file "citus"' not in str(error):
            raise
    sys.exit("This PostgreSQL has no Citus: PG_BINDIR can name the programs of another one.")


if __name__ == "__main__":
    sys.exit(main())
