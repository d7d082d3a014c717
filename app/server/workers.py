"""Several processes that serve on the same addresses, looked after by one that does not serve.

Each worker is a Python of its own, `python -m app.server.workers FD...`: copies by fork would
share the state of their random numbers, and with it ids. Its standard input is a pipe from the
process that looks after it, and ends with that process, however it ends: no worker stays behind.
The sockets stay open there too, so that what comes for a worker that died waits for the next one.
"""

import asyncio
import logging
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from contextlib import suppress

from app.server.serving import GRACE_SECONDS, serve
from app.settings import Settings

# A worker that ended sooner than this after its start waits as long to be replaced.
PAUSE_SECONDS = 1.0

_log = logging.getLogger("rollcall.workers")


def supervise(places: Sequence[Sequence[socket.socket]]) -> None:
    """Keeps a worker alive in each place, which is the sockets it serves on.

    SIGTERM or SIGINT end them, which finish what is in flight.
    """
    asyncio.run(_supervise(places))


async def _supervise(places: Sequence[Sequence[socket.socket]]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.gather(*(_keep_one(place, stopping) for place in places))


async def _keep_one(place: Sequence[socket.socket], stopping: asyncio.Task[bool]) -> None:
    files = [one.fileno() for one in place]
    while not stopping.done():
        pause = asyncio.create_task(asyncio.sleep(PAUSE_SECONDS))
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.server.workers", *map(str, files)),
            stdin=PIPE,
            pass_fds=files,
        )
        _log.info("worker %d started", worker.pid)
        ended = asyncio.create_task(worker.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            for one in place:
                one.close()
            with suppress(ProcessLookupError):
                worker.terminate()
            await asyncio.wait({ended}, timeout=GRACE_SECONDS + 1)
            with suppress(ProcessLookupError):
                worker.kill()
        await ended
        _log.log(
            logging.INFO if stopping.done() else logging.ERROR,
            "worker %d ended with %s",
            worker.pid,
            worker.returncode,
        )
        await asyncio.wait({pause, stopping}, return_when=asyncio.FIRST_COMPLETED)


if __name__ == "__main__":
    serve(Settings(), [socket.socket(fileno=int(file)) for file in sys.argv[1:]], lifeline=0)
