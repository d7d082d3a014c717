"""Imports the rows of a file, batch by batch, each decided by `upsertContacts`.

A batch is one transaction, and its answer can be lost: with the connection, or with this process.
So each batch is predicted by a dry run first, and the prediction is kept in the checkpoint before
the batch is sent. Whoever goes on predicts the same batch again: if none of its changes is still to
come, it has been written, and what was predicted is what has happened.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from app.errors import CommandFailed
from app.transfer.checkpoint import Checkpoint, Done, Pending, digest_of
from app.transfer.execution import Execution, patiently
from app.transfer.outcomes import BATCH_ROWS, BATCH_SIZE, Kind, Outcome, predict, upsert
from app.transfer.rejected import RejectedFile
from app.transfer.rows import Row
from app.transfer.unsubscribes import unsubscribe

Policy = Mapping[str, Any]


class Batches:
    """The rows, some at a time."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._back: list[Row] = []

    def take(self, most: int = BATCH_ROWS) -> list[Row]:
        """Fewer than `most` if they are long; none at the end."""
        batch: list[Row] = []
        size = 0
        while len(batch) < most and size < BATCH_SIZE:
            row = self._back.pop() if self._back else next(self._rows, None)
            if row is None:
                break
            batch.append(row)
            size += row.size
        return batch

    def give_back(self, rows: Sequence[Row]) -> None:
        self._back.extend(reversed(rows))


def counts_of(outcomes: Sequence[Outcome]) -> dict[str, int]:
    found = Counter(outcome.kind for outcome in outcomes)
    return {kind.value: found[kind] for kind in Kind}


class Import:
    def __init__(
        self,
        execution: Execution,
        batches: Batches,
        policy: Policy,
        checkpoint: Checkpoint,
        rejected: RejectedFile,
    ) -> None:
        self.checkpoint = checkpoint
        self._execution = execution
        self._batches = batches
        self._policy = dict(policy)
        self._rejected = rejected

    async def run(self, advance: Callable[[Done], object]) -> Done:
        """Raises CommandFailed if it cannot go on; the same import then continues it."""
        self._skip_done()
        while batch := self._batches.take(self._next_size()):
            used = await patiently(partial(self._import, batch))
            self._batches.give_back(batch[used:])
            advance(self.checkpoint.done)
        self.checkpoint.remove()
        return self.checkpoint.done

    def _skip_done(self) -> None:
        done = self.checkpoint.done
        digest = ""
        for _ in range(done.rows):
            digest = digest_of(self._batches.take(1), digest)
        if digest != done.digest:
            raise CommandFailed(
                f"The file has changed since its import stopped. Remove {self.checkpoint.path} to "
                "import it from its start."
            )

    def _next_size(self) -> int:
        pending = self.checkpoint.pending
        return BATCH_ROWS if pending is None else len(pending.effects)

    async def _import(self, batch: Sequence[Row]) -> int:
        """The number of rows that were imported, which are the first ones. Safe to repeat."""
        outcomes: Sequence[Outcome] = await predict(self._execution, batch, self._policy)
        pending = self.checkpoint.pending
        if pending is None or not pending.was_written([one.effect for one in outcomes]):
            pending, outcomes = await self._write(batch[: len(outcomes)], outcomes)
        used = len(pending.effects)
        ids = [
            outcome.contact_id
            for row, outcome, effect in zip(batch, outcomes, pending.effects, strict=False)
            if row.is_unsubscribed and effect >= 0 and outcome.contact_id is not None
        ]
        await unsubscribe(self._execution, ids)
        self.checkpoint = self.checkpoint.with_done(pending.done)
        return used

    async def _write(
        self, rows: Sequence[Row], predicted: Sequence[Outcome]
    ) -> tuple[Pending, Sequence[Outcome]]:
        pending = self._record(rows, predicted)
        if not any(effect > 0 for effect in pending.effects):
            return pending, predicted
        outcomes = await upsert(self._execution, rows, self._policy, dry_run=False)
        if [one.effect for one in outcomes] == pending.effects:
            return pending, outcomes
        return self._record(rows, outcomes), outcomes  # another client was faster

    def _record(self, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> Pending:
        done = self.checkpoint.done
        length = self._rejected.replace(done.rejected_bytes, rows, outcomes)
        pending = Pending(
            [one.effect for one in outcomes], done.after(rows, counts_of(outcomes), length)
        )
        self.checkpoint = self.checkpoint.with_pending(pending)
        self.checkpoint.save()
        return pending
