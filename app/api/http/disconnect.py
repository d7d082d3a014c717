"""A client that disconnects while its operation runs."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

T = TypeVar("T")

# Only an operation that runs for longer is watched: the task of a watch costs 15 µs or more, the
# timer that starts it 5 µs.
WATCH_AFTER_SECONDS = 0.05

_log = logging.getLogger("rollcall.http")


async def while_connected(receive: Receive, work: Awaitable[T]) -> T:
    """The result of the work. Cancels it and raises ClientDisconnect when the client has gone."""
    connected = asyncio.timeout(None)
    watches: list[asyncio.Task[None]] = []
    timer = asyncio.get_running_loop().call_later(
        WATCH_AFTER_SECONDS,
        lambda: watches.append(asyncio.create_task(_until_disconnect(receive, connected))),
    )
    try:
        async with connected:
            return await work
    except TimeoutError:
        if not connected.expired():
            raise
        _log.info("the client disconnected; its operation was cancelled")
        raise ClientDisconnect from None
    finally:
        timer.cancel()
        for watch in watches:
            watch.cancel()


async def _until_disconnect(receive: Receive, connected: asyncio.Timeout) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # the rest of a body that is not read
    connected.reschedule(asyncio.get_running_loop().time())
