"""How many large operations a process executes at once, so that small ones need not wait for them.

An operation takes the event loop between its statements, for some milliseconds if it is a large
one. A small operation of another workspace waits for each of them, some ten times until it is
answered.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from uuid import UUID

from app.errors import Unavailable
from app.fairness import FairSemaphore

# Bulks of some hundred rows, whole pages of all fields, counts.
LARGE_POINTS = 5_000

# Two of them keep both Python and the database busy.
LARGE_AT_ONCE = 4
LARGE_OF_ONE = 2

# Bulks of some hundred rows. Their objects take several times as much memory as their JSON.
LONG_BODY_BYTES = 64 * 1024

# Of long bodies that wait, of one workspace: six full bulks, which are executed in some seconds.
WAITING_BYTES = 2 * 1024 * 1024


class Admission:
    def __init__(self) -> None:
        self._large = FairSemaphore(LARGE_AT_ONCE, LARGE_OF_ONE)

    def place(self, workspace_id: UUID, cost: int) -> AbstractAsyncContextManager[None]:
        return self._large.place(workspace_id) if cost > LARGE_POINTS else nullcontext()


class LongBodies:
    """Long bodies are parsed a few at a time, and held as objects until they are answered. Others
    wait as bytes: of each workspace one of any length, or several within WAITING_BYTES."""

    def __init__(self, wait_seconds: float) -> None:
        self._parsed = FairSemaphore(LARGE_AT_ONCE, LARGE_OF_ONE, wait_seconds)
        self._waiting: Counter[UUID] = Counter()  # bytes

    def place(self, workspace_id: UUID, size: int) -> AbstractAsyncContextManager[None]:
        """Raises Unavailable at once if too many bytes wait, and later if no place is free in
        time."""
        return self._place(workspace_id, size) if size > LONG_BODY_BYTES else nullcontext()

    @asynccontextmanager
    async def _place(self, workspace_id: UUID, size: int) -> AsyncIterator[None]:
        async with AsyncExitStack() as place:
            with self._wait(workspace_id, size):
                await place.enter_async_context(self._parsed.place(workspace_id))
            yield

    @contextmanager
    def _wait(self, workspace_id: UUID, size: int) -> Iterator[None]:
        waiting = self._waiting[workspace_id]
        if waiting and waiting + size > WAITING_BYTES:
            raise Unavailable("Too many large requests of the workspace wait. Try again soon.")
        self._waiting[workspace_id] += size
        try:
            yield
        finally:
            self._waiting[workspace_id] -= size
            if not self._waiting[workspace_id]:
                del self._waiting[workspace_id]
