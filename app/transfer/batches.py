"""The rows of a file in batches, the next of which is read while the last one is written."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from app.contacts.limits import ROWS_LIMIT
from app.transfer.rows import Row

# A batch has fewer rows if they are long: a request has at most MAX_BODY_BYTES.
BATCH_ROWS = ROWS_LIMIT
BATCH_SIZE = 1024 * 1024  # characters


class Batches:
    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._held: deque[Row] = deque()
        self._reading: asyncio.Task[list[Row]] | None = None

    async def take(self, most: int = BATCH_ROWS) -> list[Row]:
        """Fewer than `most` if they are long; none at the end."""
        batch: list[Row] = []
        size = 0
        while len(batch) < most and size < BATCH_SIZE:
            if not self._held and not await self._read():
                break
            row = self._held.popleft()
            batch.append(row)
            size += row.size
        return batch

    def give_back(self, rows: Sequence[Row]) -> None:
        self._held.extendleft(reversed(rows))

    async def stop(self) -> None:
        """Waits until nothing is read any more."""
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> bool:
        """Whether there were more rows."""
        rows = await (self._reading or self._next())
        self._held.extend(rows)
        self._reading = self._next() if rows else None
        return bool(rows)

    def _next(self) -> asyncio.Task[list[Row]]:
        return asyncio.create_task(asyncio.to_thread(_piece, self._rows))


@asynccontextmanager
async def read_ahead(rows: Iterator[Row]) -> AsyncIterator[Batches]:
    batches = Batches(rows)
    try:
        yield batches
    finally:
        await batches.stop()


def _piece(rows: Iterator[Row]) -> list[Row]:
    piece: list[Row] = []
    size = 0
    while len(piece) < BATCH_ROWS and size < BATCH_SIZE and (row := next(rows, None)):
        piece.append(row)
        size += row.size
    return piece
