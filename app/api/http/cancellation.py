"""Cancels an operation that takes too long, or whose client disconnects."""

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
    """The result of the work. Cancels it, and raises ClientDisconnect if the client disconnects, or
    TimedOut if the time is up."""
    watch = _Watch(receive, seconds)
    try:
        return await work
    except asyncio.CancelledError:
        if not watch.has_cancelled():
            raise
    finally:
        watch.stop()
    if watch.is_timed_out:
        _log.warning("an operation was cancelled after OPERATION_TIMEOUT_SECONDS")
        raise TimedOut(
            f"The operation took longer than {seconds:g} seconds and was cancelled. The limit is "
            "OPERATION_TIMEOUT_SECONDS: see Limits in docs/api.md."
        )
    _log.info("the client disconnected; its operation was cancelled")
    raise ClientDisconnect


class _Watch:
    """Cancels the current task like `asyncio.timeout`, which knows no reason other than time."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self.is_timed_out = False
        self._receive = receive
        self._seconds = seconds
        self._task = asyncio.current_task()
        self._cancelled = False
        self._watching: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(min(WATCH_AFTER_SECONDS, seconds), self._start)

    def stop(self) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def has_cancelled(self) -> bool:
        """Whether only this watch has cancelled the task."""
        assert self._task is not None  # noqa: S101  # a coroutine runs in a task
        return self._cancelled and self._task.uncancel() == 0

    def _start(self) -> None:
        left = max(self._seconds - WATCH_AFTER_SECONDS, 0)
        self._timer = self._loop.call_later(left, self._time_out)
        self._watching = self._loop.create_task(self._until_disconnect())

    def _time_out(self) -> None:
        self.is_timed_out = True
        self._cancel()

    async def _until_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass  # the rest of a body that is not read
        self._cancel()

    def _cancel(self) -> None:
        if not self._cancelled and self._task is not None:
            self._cancelled = True
            self._task.cancel()
