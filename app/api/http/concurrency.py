"""How many operations run at the same time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from app.errors import Unavailable


class Concurrency:
    """A limit, half of which one workspace may use: the others are served beside it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._share = max(limit // 2, 1)
        self._running: Counter[UUID] = Counter()
        self._total = 0

    @contextmanager
    def running(self, workspace_id: UUID) -> Iterator[None]:
        """Raises Unavailable if as many as may run do."""
        if self._running[workspace_id] >= self._share or self._total >= self._limit:
            raise Unavailable(
                f"At most {self._limit:,} requests run at the same time, {self._share:,} of them "
                "of one workspace."
            )
        self._running[workspace_id] += 1
        self._total += 1
        try:
            yield
        finally:
            self._total -= 1
            self._running[workspace_id] -= 1
            if not self._running[workspace_id]:
                del self._running[workspace_id]
