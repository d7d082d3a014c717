"""Several workers that serve on the same sockets, under a supervisor that does not serve.

Each worker is a new Python process, `python -m app.server.workers FD...`: forked copies would
share the state of their random number generators, and so generate the same ids. Its standard
input is a pipe from the supervisor, so that it ends when the supervisor ends for any reason. The
supervisor keeps the sockets open, so that connections for a dead worker wait for the next one.
"""

import asyncio
import logging.config
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from contextlib import suppress

from pydantic import ValidationError
from uvicorn.config import STARTUP_FAILURE

from app import logs
from app.errors import CommandFailed, RollcallError
from app.server.serving import GRACE_SECONDS, serve
from app.settings import Settings

# The shortest time between the start of a worker and the start of its replacement.
PAUSE_SECONDS = 1.0

_log = logging.getLogger("rollcall.workers")


def supervise(sockets: Sequence[socket.socket], count: int) -> None:
    """Keeps `count` workers running until SIGTERM or SIGINT, and finishes requests in flight.

    Raises CommandFailed if a worker cannot start.
    """
    codes = asyncio.run(_supervise(sockets, count))
    if STARTUP_FAILURE in codes:
        raise CommandFailed("A worker could not start. The log has the reason.")


async def _supervise(sockets: Sequence[socket.socket], count: int) -> list[int | None]:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    return await asyncio.gather(*(_keep_worker(sockets, stop, stopping) for _ in range(count)))


async def _keep_worker(
    sockets: Sequence[socket.socket], stop: asyncio.Event, stopping: asyncio.Task[bool]
) -> int | None:
    """Returns the exit code of the last worker."""
    files = [one.fileno() for one in sockets]
    while True:
        pause = asyncio.create_task(asyncio.sleep(PAUSE_SECONDS))
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.server.workers", *map(str, files)),
            stdin=PIPE,
            pass_fds=files,
            process_group=0,  # Ctrl-C at a terminal reaches the supervisor alone
        )
        _log.info("worker %d started", worker.pid)
        ended = asyncio.create_task(worker.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            for one in sockets:
                one.close()
            with suppress(ProcessLookupError):
                worker.terminate()
            await asyncio.wait({ended}, timeout=GRACE_SECONDS + 1)
            with suppress(ProcessLookupError):
                worker.kill()
        await ended
        if (metrics := sys.modules.get("app.server.metrics")) is not None:
            metrics.forget_process(worker.pid)
        _log.log(
            logging.INFO if stopping.done() else logging.ERROR,
            "worker %d ended with %s",
            worker.pid,
            worker.returncode,
        )
        if worker.returncode == STARTUP_FAILURE:
            stop.set()  # the next one could not start either
            return worker.returncode
        await asyncio.wait({pause, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            return worker.returncode


def _work() -> None:
    try:
        settings = Settings()
        logging.config.dictConfig(logs.config(settings.log_level))
        serve(settings, [socket.socket(fileno=int(file)) for file in sys.argv[1:]], lifeline=0)
    except (RollcallError, ValidationError) as error:
        sys.stderr.write(f"rollcall: {' '.join(str(error).split())}\n")
        sys.exit(STARTUP_FAILURE)


if __name__ == "__main__":
    _work()
