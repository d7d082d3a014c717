"""The processes that serve: who may, on which sockets, and how they end."""

import errno
import os
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread
from typing import IO, Any

import uvicorn

from app import logs
from app.errors import CommandFailed
from app.server.asgi import create_app
from app.settings import Settings

# With what closing takes, a process is out within 15 s of SIGTERM.
GRACE_SECONDS = 13

# Connections that wait to be accepted, as the kernel's own limit allows.
BACKLOG = 2048

# A server that has just ended may hold its port for a moment longer.
PORT_SECONDS = 2


def only_server(file: Path) -> IO[bytes]:
    """Keeps other servers from the SQLite file for as long as the answer is open.

    The lock is the kernel's, so that it ends with the process however that ends. Raises
    CommandFailed where another server has it.
    """
    lock = Path(f"{file.resolve()}.lock")
    try:
        opened = lock.open("ab")
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
                f"Another rollcall serve runs on {file}: SQLite is for one server process. "
                "PostgreSQL takes several."
            ) from error
    return opened


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets on every address that the host's name stands for. Raises CommandFailed."""
    end = time.monotonic() + PORT_SECONDS
    while True:
        try:
            return _listen(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CommandFailed(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
            if time.monotonic() > end:
                raise CommandFailed(f"The port {port} of {host} is in use.") from error
        time.sleep(0.1)


def share(sockets: Sequence[socket.socket], count: int) -> list[list[socket.socket]]:
    """Sockets on the same addresses for each of so many processes.

    Of processes that accept from one socket, one takes nearly all that comes at once. Linux deals
    connections out evenly where each has a socket of its own.
    """
    if sys.platform != "linux":
        return [list(sockets)] * count
    addresses = [(one.family, one.getsockname()) for one in sockets]
    for one in sockets:
        one.close()
    return [
        [_socket(family, address, reuse_port=True) for family, address in addresses]
        for _ in range(count)
    ]


def _listen(host: str, port: int) -> list[socket.socket]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    with ExitStack() as opened:
        for family, _, _, _, address in dict.fromkeys(found):
            if port == 0 and sockets:
                break  # the next would get another port
            try:
                one = _socket(family, address)
            except OSError as error:  # a machine may know ::1 and have no IPv6
                if not sockets or error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
            else:
                sockets.append(opened.enter_context(one))
        opened.pop_all()
    return sockets


def _socket(family: int, address: Any, *, reuse_port: bool = False) -> socket.socket:
    return socket.create_server(address, family=family, backlog=BACKLOG, reuse_port=reuse_port)


def serve(
    settings: Settings, sockets: Sequence[socket.socket], lifeline: int | None = None
) -> None:
    """Serves in this process until SIGTERM, or until the other end of a pipe is closed."""
    config = uvicorn.Config(
        create_app(settings),
        log_config=logs.config(settings.log_level),
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    if lifeline is not None:
        Thread(target=_watch, args=(lifeline, server), daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.run(list(sockets))


def _watch(lifeline: int, server: uvicorn.Server) -> None:
    while os.read(lifeline, 1):
        pass
    server.should_exit = True
