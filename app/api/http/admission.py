"""How many operations a process executes at once, so that those of other workspaces need not wait
for all of them.

An operation takes the event loop between its statements, for some milliseconds if it is a large
one. A small operation of another workspace waits for each of them, some ten times until it is
answered.
"""

from contextlib import AbstractAsyncContextManager
from uuid import UUID

from app.fairness import FairSemaphore

# Bulks of some hundred rows, whole pages of all fields, counts.
LARGE_POINTS = 5_000

# Two of them keep both Python and the database busy.
LARGE_AT_ONCE = 4
LARGE_OF_ONE = 2

# As many small ones of a workspace as share one statement or transaction.
SMALL_AT_ONCE = 200
SMALL_OF_ONE = 100

# Bulks of some hundred rows. Their objects take several times as much memory as their JSON.
LONG_BODY_BYTES = 64 * 1024

# Of a shorter body. An empty object takes 25 times as much memory as its JSON, and half of
# MAX_CONCURRENT_REQUESTS may hold theirs at once.
LONG_BODY_VALUES = 2_000

# Together they have as many bytes as 12 of the longest bodies, 48 MiB by default.
RECEIVED_AT_ONCE = 12
RECEIVED_OF_ONE = 6

# Of each of the others, 64 KiB have been read, and as many may be in the buffers of its connection.
WAITING_OF_ONE = 64


class Admission:
    """Places for bodies and operations.

    A long body waits for a place before the rest of it is received, and again before it is parsed:
    of the others that wait, the server holds the beginning, or the bytes. The place for parsing is
    held until the request is answered. An operation waits for a place among the large or the small
    ones, by its cost.
    """

    def __init__(self, receive_wait_seconds: float) -> None:
        self.received = FairSemaphore(
            RECEIVED_AT_ONCE, RECEIVED_OF_ONE, receive_wait_seconds, WAITING_OF_ONE
        )
        self.parsed = FairSemaphore(LARGE_AT_ONCE, LARGE_OF_ONE)
        self._large = FairSemaphore(LARGE_AT_ONCE, LARGE_OF_ONE)
        self._small = FairSemaphore(SMALL_AT_ONCE, SMALL_OF_ONE)

    def place(self, workspace_id: UUID, cost: int) -> AbstractAsyncContextManager[None]:
        places = self._large if cost > LARGE_POINTS else self._small
        return places.place(workspace_id)

    def stop_waiting(self) -> None:
        for places in (self.received, self.parsed, self._large, self._small):
            places.stop_waiting()
