"""Imports the rows of a file, batch by batch, each decided by `upsertContacts`.

A batch is one transaction, and its answer can be lost: with the connection, or with this process.
So its outcomes are announced before its commit, and are kept in the checkpoint. An import that goes
on predicts the same batch by a dry run: if none of the announced changes is still to come, the
batch was written, and the announced outcomes are those of the import.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from app.errors import CommandFailed
from app.transfer.batches import BATCH_ROWS, Batches
from app.transfer.checkpoint import Checkpoint, Done, Pending, digest_of
from app.transfer.execution import Execution, patiently
from app.transfer.outcomes import Kind, Outcome
from app.transfer.rejected import RejectedFile
from app.transfer.rows import Row
from app.transfer.unsubscribes import unsubscribe
from app.transfer.upserts import predict, upsert


def counts_of(outcomes: Sequence[Outcome]) -> dict[str, int]:
    found = Counter(outcome.kind for outcome in outcomes)
    return {kind.value: found[kind] for kind in Kind}


class Import:
    def __init__(
        self,
        execution: Execution,
        batches: Batches,
        policy: Mapping[str, Any],
        checkpoint: Checkpoint,
        rejected: RejectedFile,
    ) -> None:
        self.checkpoint = checkpoint
        self._execution = execution
        self._batches = batches
        self._policy = dict(policy)
        self._rejected = rejected

    async def run(self, advance: Callable[[Done], object]) -> Done:
        """The checkpoint stays. Raises CommandFailed if it cannot go on; the same import then
        continues it."""
        await self._skip_done()
        while batch := await self._batches.take(self._next_size()):
            used = await patiently(partial(self._import, batch))
            self._batches.give_back(batch[used:])
            advance(self.checkpoint.done)
        return self.checkpoint.done

    async def _skip_done(self) -> None:
        done = self.checkpoint.done
        left, digest = done.rows, ""
        while left and (rows := await self._batches.take(min(left, BATCH_ROWS))):
            left, digest = left - len(rows), digest_of(rows, digest)
        if left or digest != done.digest:
            raise self._changed()

    def _changed(self) -> CommandFailed:
        return CommandFailed(
            f"The file has changed since its import stopped. Remove {self.checkpoint.path} to "
            "import it from its start."
        )

    def _next_size(self) -> int:
        pending = self.checkpoint.pending
        return BATCH_ROWS if pending is None else len(pending.effects)

    async def _import(self, batch: Sequence[Row]) -> int:
        """The number of rows that were imported, which are the first ones. Safe to repeat."""
        outcomes = await self._outcomes_of_written(batch)
        if outcomes is None:
            outcomes = await upsert(self._execution, batch, self._policy, self._record)
        pending = self.checkpoint.pending
        assert pending is not None  # noqa: S101  # what was written was announced
        ids = [
            outcome.contact_id
            for row, outcome, effect in zip(batch, outcomes, pending.effects, strict=False)
            if row.is_unsubscribed and effect >= 0 and outcome.contact_id is not None
        ]
        await unsubscribe(self._execution, ids)
        self.checkpoint = self.checkpoint.with_done(pending.done)
        return len(pending.effects)

    async def _outcomes_of_written(self, batch: Sequence[Row]) -> Sequence[Outcome] | None:
        """What an upsert would do now, if the batch was written before; else None."""
        done, pending = self.checkpoint.done, self.checkpoint.pending
        if pending is None:
            return None
        if digest_of(batch[: len(pending.effects)], done.digest) != pending.done.digest:
            raise self._changed()
        predicted = await predict(self._execution, batch, self._policy)
        return predicted if pending.was_written([one.effect for one in predicted]) else None

    def _record(self, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> None:
        done = self.checkpoint.done
        try:
            if self.checkpoint.is_new:
                self.checkpoint.save()  # so that the rejected rows are not those of another import
            length = self._rejected.replace(done.rejected_bytes, rows, outcomes)
            pending = Pending(
                [one.effect for one in outcomes], done.after(rows, counts_of(outcomes), length)
            )
            self.checkpoint = self.checkpoint.with_pending(pending)
            self.checkpoint.save()
        except OSError as error:  # in a transaction, where it would pass for one of the database
            raise CommandFailed(
                f"The import cannot write beside the file: {error.strerror}."
            ) from error
