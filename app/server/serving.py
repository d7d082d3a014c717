"""Serving in one process: the lock of a SQLite file, the sockets and the shutdown."""

import ctypes
import errno
import gc
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import IO, Any

import uvicorn

from app import logs
from app.api.http.cancellation import STOPPING_SECONDS
from app.errors import CommandFailed
from app.fields.emails import load_tables
from app.server.asgi import create_app
from app.server.connections import Connections
from app.server.descriptors import connections_limit
from app.server.protocol import BoundedProtocol
from app.server.refusals import Refusals
from app.settings import Settings

# With the time to close connections, a process ends within 15 s of SIGTERM.
GRACE_SECONDS = STOPPING_SECONDS + 2  # in which the last answers are sent

# The connections that may wait to be accepted.
BACKLOG = 2048

# More objects than there were, until garbage is collected. A bulk of 1,000 rows has some 50,000.
COLLECTED_OBJECTS = 50_000

# Blocks of memory from this size on are given back to the system as soon as they are free. glibc
# would raise the size to that of the largest block it has seen. The bodies of bulks would then lie
# between SQLite's pages, and what they leave free there is not given back.
GIVEN_BACK_BYTES = 64 * 1024
_M_MMAP_THRESHOLD = -3  # as malloc.h has it

# A server that has just ended may hold its port for a moment longer.
PORT_SECONDS = 2


def server_lock(file: Path) -> IO[bytes]:
    """Locks the SQLite file for this server, for as long as the returned file is open.

    The kernel releases the lock when the process ends for any reason. Raises CommandFailed if
    another server has it.
    """
    lock = Path(f"{file.resolve()}.lock")
    try:
        opened = os.fdopen(os.open(lock, os.O_CREAT | os.O_WRONLY, 0o600), "wb")
    except OSError as error:
        raise CommandFailed(
            f"The folder of {file} cannot be written to: {error.strerror}."
        ) from error
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            opened.close()
            raise CommandFailed(
                f"Another server is running on {file}. SQLite allows one server process; "
                "PostgreSQL allows several."
            ) from error
    return opened


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets on every address of the host's name. Raises CommandFailed."""
    end = time.monotonic() + PORT_SECONDS
    while True:
        try:
            return _listen(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CommandFailed(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
            if time.monotonic() > end:
                raise CommandFailed(f"Port {port} of {host} is in use.") from error
        time.sleep(0.1)


def _listen(host: str, port: int) -> list[socket.socket]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    with ExitStack() as opened:
        for family, _, _, _, address in dict.fromkeys(found):
            if port == 0 and sockets:
                break  # the next would get another port
            try:
                one = _socket(family, address)
            except OSError as error:  # a machine may resolve ::1 without IPv6
                if not sockets or error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
            else:
                sockets.append(opened.enter_context(one))
        opened.pop_all()
    return sockets


def _socket(family: int, address: Any) -> socket.socket:
    return socket.create_server(address, family=family, backlog=BACKLOG)


def serve(
    settings: Settings, sockets: Sequence[socket.socket], lifeline: int | None = None
) -> None:
    """Serves in this process until SIGTERM, or until the other end of a pipe is closed.

    Raises CommandFailed if the limit of open files has no room for connections.
    """
    connections = Connections(
        connections_limit(settings), settings.receive_timeout_seconds, settings.send_timeout_seconds
    )
    app = create_app(settings)
    trusted = [str(network) for network in settings.trusted_proxies]
    config = uvicorn.Config(
        app,
        http=partial(BoundedProtocol, connections, Refusals(settings)),  # type: ignore[arg-type]  # called as a class
        ws="none",
        log_config=logs.config(settings.log_level),
        access_log=False,  # Telemetry has its own
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
    )
    server = _Server(config, app.stop)
    load_tables()
    gc.collect()
    gc.freeze()  # a collection does not walk through what was loaded
    gc.set_threshold(COLLECTED_OBJECTS)
    _give_back_memory()
    if lifeline is not None:
        Thread(target=_watch, args=(lifeline, server), daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.run(list(sockets))


def _give_back_memory() -> None:
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl does so by itself
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, GIVEN_BACK_BYTES)


class _Server(uvicorn.Server):
    """Tells the application when it begins to stop."""

    def __init__(self, config: uvicorn.Config, stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._stop = stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stop()
        await super().shutdown(sockets)


def _watch(lifeline: int, server: uvicorn.Server) -> None:
    while os.read(lifeline, 1):
        pass
    server.should_exit = True
