"""The end of an operation that takes too long, or whose client disconnects."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from app.errors import TimedOut

T = TypeVar("T")

# Only an operation that runs for longer is watched: the task of a watch costs 15 µs or more, the
# timer that starts it 5 µs.
WATCH_AFTER_SECONDS = 0.05

_log = logging.getLogger("rollcall.http")


async def while_connected(receive: Receive, work: Awaitable[T], seconds: float) -> T:
    """The result of the work. Cancels it and raises ClientDisconnect when the client has gone, or
    TimedOut when the time is up."""
    end = asyncio.timeout(None)
    watches: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()

    def watch() -> None:
        end.reschedule(start + seconds)
        watches.append(asyncio.create_task(_until_disconnect(receive, end)))

    start = loop.time()
    timer = loop.call_later(min(WATCH_AFTER_SECONDS, seconds), watch)
    try:
        async with end:
            return await work
    except TimeoutError:
        if not end.expired():
            raise
        if not watches[0].done():
            _log.warning("an operation was cancelled after OPERATION_TIMEOUT_SECONDS")
            raise TimedOut(
                f"The operation took longer than {seconds:g} seconds and was cancelled. The limit "
                "is OPERATION_TIMEOUT_SECONDS: see Limits in docs/api.md."
            ) from None
        _log.info("the client disconnected; its operation was cancelled")
        raise ClientDisconnect from None
    finally:
        timer.cancel()
        for one in watches:
            one.cancel()


async def _until_disconnect(receive: Receive, end: asyncio.Timeout) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # the rest of a body that is not read
    end.reschedule(asyncio.get_running_loop().time())
