"""A PgBouncer for tests, in transaction mode, in front of a cluster."""

import os
import signal
import subprocess
import time
from typing import Any

from tests.support.postgres import NOBODY, Cluster
from tests.support.programs import program

PORT = 6432
START_SECONDS = 20


class PgBouncer:
    """On a Unix socket in the cluster's folder. It refuses to run as root, as PostgreSQL does."""

    def __init__(self, cluster: Cluster, connections: int) -> None:
        """`connections` is the limit for each database of the cluster."""
        self.cluster = cluster
        self._settings = cluster.folder / "pgbouncer.ini"
        self._settings.write_text(
            f"""
            [databases]
            * = host={cluster.folder} user=postgres
            [pgbouncer]
            unix_socket_dir = {cluster.folder}
            listen_port = {PORT}
            auth_type = any
            pool_mode = transaction
            default_pool_size = {connections}
            server_login_retry = 1
            logfile = {cluster.folder / "pgbouncer.log"}
            """.replace("            ", "")
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        user: dict[str, Any] = {}
        if os.getuid() == 0:
            user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        self._process = subprocess.Popen(
            [program("pgbouncer", "/usr/sbin"), "--quiet", str(self._settings)],
            cwd=self.cluster.folder,
            stdin=subprocess.DEVNULL,
            **user,
        )
        end = time.monotonic() + START_SECONDS
        while not (self.cluster.folder / f".s.PGSQL.{PORT}").exists():
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError("PgBouncer did not start")
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_SECONDS)

    def url(self, database: str) -> str:
        return f"{self.cluster.url(database)}&port={PORT}"
