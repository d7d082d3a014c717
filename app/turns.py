"""Long work on the event loop takes turns with everything else that runs there."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from time import perf_counter
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

# A request that waits in between passes the event loop ten times or so until it is answered.
TURN_SECONDS = 0.002


async def in_turns(values: Iterable[T], seconds: float = TURN_SECONDS) -> AsyncIterator[T]:
    """The values. Others run between two of them when the work on the previous ones took a turn."""
    end = perf_counter() + seconds
    for value in values:
        yield value
        if perf_counter() > end:
            await turn()
            end = perf_counter() + seconds


class _Turns:
    """Those who wait for a turn. Each pass of the event loop has one, however many wait."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    def next(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            loop.call_soon(self._give, loop)
        return turn

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        turn = self._waiting.popleft()
        if not turn.done():  # the one who waited was cancelled
            turn.set_result(None)
        if self._waiting:
            loop.call_soon(self._give, loop)


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()


def turn() -> asyncio.Future[None]:
    """For work that cannot be divided: of all that waits, one pass of the event loop does one."""
    loop = asyncio.get_running_loop()
    if loop not in _turns:
        _turns[loop] = _Turns()
    return _turns[loop].next(loop)
