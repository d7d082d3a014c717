"""How many operations a process executes at once, so that small ones need not wait for large ones.

Each operation that is executed takes the event loop between its statements, and an operation of
another workspace waits for all of them, some ten times until it is answered.
"""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from uuid import UUID

from app.fairness import FairSemaphore


@dataclass(frozen=True, slots=True)
class _Class:
    """The operations that cost more points than these."""

    points: int
    places: FairSemaphore


class Admission:
    """Half of the places are enough to keep Python and the database busy. Small operations, such as
    look-ups of a few contacts and upserts of one, need no place."""

    def __init__(self) -> None:
        self._classes = [
            _Class(5_000, FairSemaphore(places=4, of_one=2)),  # bulks, whole pages of all fields
            _Class(100, FairSemaphore(places=8, of_one=4)),  # pages, filters, counts
        ]

    def place(self, workspace_id: UUID, cost: int) -> AbstractAsyncContextManager[None]:
        for one in self._classes:
            if cost > one.points:
                return one.places.place(workspace_id)
        return nullcontext()
