"""Lets other tasks run between the pieces of long work on the event loop.

Workspaces that wait for their turns get one each, in a circle, however many tasks each of them has.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextvars import ContextVar
from time import perf_counter
from typing import TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

T = TypeVar("T")

# A small request needs about ten passes of the event loop, and may wait for a turn at each of them.
TURN_SECONDS = 0.002

# Longer in a transaction, because others wait for it: a usual bulk takes one or two.
TRANSACTION_TURN_SECONDS = 0.02

_workspace: ContextVar[UUID | None] = ContextVar("workspace", default=None)


def work_for(workspace_id: UUID) -> None:
    """From here on, the turns of the current task are those of the workspace."""
    _workspace.set(workspace_id)


async def in_turns(values: Iterable[T], seconds: float = TURN_SECONDS) -> AsyncIterator[T]:
    """The values. Lets other tasks run after every `seconds` of work on them."""
    end = perf_counter() + seconds
    for value in values:
        yield value
        if perf_counter() > end:
            await turn()
            end = perf_counter() + seconds


class _Turns:
    """The tasks that wait for a turn. Each pass of the event loop resumes only one of them."""

    def __init__(self) -> None:
        # By workspace. The next turn is that of the first one.
        self._waiting: dict[UUID | None, deque[asyncio.Future[None]]] = {}

    def next(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        if not self._waiting:
            loop.call_soon(self._give, loop)
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.setdefault(_workspace.get(), deque()).append(turn)
        return turn

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        workspace_id = next(iter(self._waiting))
        turns = self._waiting.pop(workspace_id)
        turn = turns.popleft()
        if not turn.done():  # its task was cancelled
            turn.set_result(None)
        if turns:
            self._waiting[workspace_id] = turns  # behind all others
        if self._waiting:
            loop.call_soon(self._give, loop)


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()


def turn() -> asyncio.Future[None]:
    """For work that cannot be divided: of all that waits, one pass of the event loop does one."""
    loop = asyncio.get_running_loop()
    if loop not in _turns:
        _turns[loop] = _Turns()
    return _turns[loop].next(loop)
