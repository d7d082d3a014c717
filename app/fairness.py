"""A semaphore that is fair between workspaces, however much one of them asks for."""

import asyncio
from asyncio import CancelledError, Future
from collections import deque
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from uuid import UUID

from app.errors import Unavailable

# None is for what happens before the workspace of a request is known.
Holder = UUID | None


class FairSemaphore:
    """Places for work. One workspace has at most `of_one` of them; workspaces that wait for a free
    place take turns, and the work of each workspace starts in the order of its arrival. At most
    `waiting_of_one` of one workspace wait, each for so many seconds."""

    def __init__(
        self,
        places: int,
        of_one: int,
        seconds: float | None = None,
        waiting_of_one: int | None = None,
    ) -> None:
        self._free = places
        self._of_one = of_one
        self._seconds = seconds
        self._waiting_of_one = waiting_of_one
        self._is_stopping = False
        self._held: dict[Holder, int] = {}
        self._waiting: dict[Holder, deque[Future[None]]] = {}  # the next turn is the first one's

    def place(self, holder: Holder) -> AbstractAsyncContextManager[None]:
        """A context manager. Raises Unavailable if no place is free in time, or too many wait."""
        return _Place(self, holder)

    def stop_waiting(self) -> None:
        """From now on, Unavailable is raised instead of waiting."""
        self._is_stopping = True
        for turns in self._waiting.values():
            for turn in turns:
                if not turn.done():
                    turn.set_exception(_stopping())
        self._waiting.clear()

    def _has_taken(self, holder: Holder) -> bool:
        """Whether there was a place at once."""
        held = self._held.get(holder, 0)
        if not self._free or held >= self._of_one or (self._waiting and holder in self._waiting):
            return False
        self._free -= 1
        self._held[holder] = held + 1
        return True

    async def _wait(self, holder: Holder) -> None:
        if self._is_stopping:
            raise _stopping()
        turns = self._waiting.setdefault(holder, deque())
        if len(turns) == self._waiting_of_one:
            raise _busy()
        turn: Future[None] = asyncio.get_running_loop().create_future()
        turns.append(turn)
        try:
            async with asyncio.timeout(self._seconds):
                await turn
        except (CancelledError, TimeoutError) as error:
            self._leave(holder, turn)
            if isinstance(error, TimeoutError):
                raise _busy() from error
            raise

    def _release(self, holder: Holder) -> None:
        self._free += 1
        held = self._held[holder]
        if held == 1:
            del self._held[holder]
        else:
            self._held[holder] = held - 1
        if self._waiting:
            if holder in self._waiting:
                self._waiting[holder] = self._waiting.pop(holder)  # behind all others
            self._give()

    def _give(self) -> None:
        for holder in list(self._waiting):
            if not self._free:
                return
            held = self._held.get(holder, 0)
            if held < self._of_one:
                turns = self._waiting.pop(holder)
                if (turn := _next(turns)) is not None:
                    self._free -= 1
                    self._held[holder] = held + 1
                    turn.set_result(None)
                if turns:
                    self._waiting[holder] = turns  # behind all others

    def _leave(self, holder: Holder, turn: Future[None]) -> None:
        if not turn.cancelled():
            if turn.exception() is None:
                self._release(holder)  # the place was given at the same time
            return
        turns = self._waiting.get(holder, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[holder]


def _busy() -> Unavailable:
    return Unavailable("The server is too busy. Try again soon.")


def _stopping() -> Unavailable:
    return Unavailable("The server is stopping. Try again soon.")


def _next(turns: deque[Future[None]]) -> Future[None] | None:
    """The first whose caller has not gone."""
    while turns:
        turn = turns.popleft()
        if not turn.done():
            return turn
    return None


class _Place(AbstractAsyncContextManager[None]):
    __slots__ = ("_holder", "_semaphore")

    def __init__(self, semaphore: FairSemaphore, holder: Holder) -> None:
        self._semaphore = semaphore
        self._holder = holder

    async def __aenter__(self) -> None:
        if not self._semaphore._has_taken(self._holder):
            await self._semaphore._wait(self._holder)

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._semaphore._release(self._holder)
