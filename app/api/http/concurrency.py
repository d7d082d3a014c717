"""How many operations run at the same time."""

from uuid import UUID

from app.errors import Unavailable


class Concurrency:
    """A limit, half of which one workspace may use: the others are served beside it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._share = max(limit // 2, 1)
        self._running: dict[UUID, int] = {}
        self._total = 0

    def start(self, workspace_id: UUID) -> None:
        """Raises Unavailable if as many as may run do."""
        running = self._running.get(workspace_id, 0)
        if running >= self._share or self._total >= self._limit:
            raise Unavailable(
                f"At most {self._limit:,} requests run at the same time, {self._share:,} of them "
                "of one workspace."
            )
        self._running[workspace_id] = running + 1
        self._total += 1

    def end(self, workspace_id: UUID) -> None:
        self._total -= 1
        running = self._running[workspace_id] - 1
        if running:
            self._running[workspace_id] = running
        else:
            del self._running[workspace_id]
