"""How many large operations a process executes at once, so that small ones need not wait for them.

An operation takes the event loop between its statements, for some milliseconds if it is a large
one. A small operation of another workspace waits for each of them, some ten times until it is
answered.
"""

from contextlib import AbstractAsyncContextManager, nullcontext
from uuid import UUID

from app.fairness import FairSemaphore

# Bulks of some hundred rows, whole pages of all fields, counts.
LARGE_POINTS = 5_000

# Two of them keep both Python and the database busy.
LARGE_AT_ONCE = 4
LARGE_OF_ONE = 2


class Admission:
    def __init__(self) -> None:
        self._large = FairSemaphore(LARGE_AT_ONCE, LARGE_OF_ONE)

    def place(self, workspace_id: UUID, cost: int) -> AbstractAsyncContextManager[None]:
        return self._large.place(workspace_id) if cost > LARGE_POINTS else nullcontext()
