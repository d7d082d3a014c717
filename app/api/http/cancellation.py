"""Cancels an operation that takes too long, or whose client disconnects, or that does not end in
time when the server stops."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from app.errors import TimedOut, Unavailable, forget_frames

T = TypeVar("T")

# How often the operations are looked at. One that has run for as long is watched for the disconnect
# of its client, by a task that costs 15 µs or more.
PERIOD_SECONDS = 0.05

# How long operations may go on when the server stops.
STOPPING_SECONDS = 10

_log = logging.getLogger("rollcall.http")


class Watch:
    """Watches the operations of an application by one timer: one for each would cost it 5 µs."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._operations: set[_Operation] = set()
        self._is_scheduled = False
        self._last_end = float("inf")

    def stop(self) -> None:
        """From now on, all operations end within STOPPING_SECONDS."""
        self._last_end = asyncio.get_running_loop().time() + STOPPING_SECONDS

    async def run(self, receive: Receive, work: Awaitable[T], waited: float = 0) -> T:
        """The result of the work. Cancels it, and raises ClientDisconnect if the client
        disconnects, TimedOut if it takes longer than `seconds`, less those that the operation has
        waited before, or Unavailable if the server stops."""
        operation = _Operation(receive, self._seconds - waited)
        self._operations.add(operation)
        if not self._is_scheduled:
            self._schedule()
        try:
            return await work
        except asyncio.CancelledError as error:
            if not operation.was_cancelled_here():
                raise
            forget_frames(error)
        finally:
            self._operations.remove(operation)
            operation.end()
        if operation.is_timed_out:
            if asyncio.get_running_loop().time() >= self._last_end:
                raise Unavailable("The server is stopping, and the operation was cancelled.")
            _log.warning("an operation was cancelled after OPERATION_TIMEOUT_SECONDS")
            raise TimedOut(
                f"The operation took longer than {self._seconds:g} seconds and was cancelled. A "
                "write that was being committed may be saved. The limit is "
                "OPERATION_TIMEOUT_SECONDS: see Limits in docs/api.md."
            )
        _log.info("the client disconnected; its operation was cancelled")
        raise ClientDisconnect

    def _schedule(self) -> None:
        period = min(PERIOD_SECONDS, self._seconds)
        asyncio.get_running_loop().call_later(period, self._look)
        self._is_scheduled = True

    def _look(self) -> None:
        self._is_scheduled = False
        now = asyncio.get_running_loop().time()
        for operation in self._operations:
            operation.look(now, self._last_end)
        if self._operations:
            self._schedule()


class _Operation:
    __slots__ = ("_cancelled", "_end", "_receive", "_started", "_task", "_watching", "is_timed_out")

    def __init__(self, receive: Receive, seconds: float) -> None:
        self.is_timed_out = False
        self._receive = receive
        self._task = asyncio.current_task()
        self._started = asyncio.get_running_loop().time()
        self._end = self._started + seconds
        self._cancelled = False
        self._watching: asyncio.Task[None] | None = None

    def look(self, now: float, last_end: float) -> None:
        if now >= min(self._end, last_end) and not self._cancelled:
            self.is_timed_out = True
            self._cancel()
        elif now - self._started >= PERIOD_SECONDS and self._watching is None:
            loop = asyncio.get_running_loop()
            self._watching = loop.create_task(self._until_disconnect())

    def end(self) -> None:
        if self._watching is not None:
            self._watching.cancel()

    def was_cancelled_here(self) -> bool:
        """Whether nothing else has cancelled the task."""
        assert self._task is not None  # noqa: S101  # a coroutine runs in a task
        return self._cancelled and self._task.uncancel() == 0

    async def _until_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass  # the rest of a body that is not read
        self._cancel()

    def _cancel(self) -> None:
        if not self._cancelled and self._task is not None:
            self._cancelled = True
            self._task.cancel()
