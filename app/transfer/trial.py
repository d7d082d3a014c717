"""A dry run: what an import would do, with the first row of each outcome."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app.transfer.batches import Batches
from app.transfer.execution import Execution, patiently
from app.transfer.outcomes import Kind, Outcome
from app.transfer.rows import Row
from app.transfer.upserts import predict


@dataclass
class Trial:
    """`first` has the row and the outcome of each kind that came first."""

    rows: int = 0
    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    first: dict[Kind, tuple[Row, Outcome]] = field(default_factory=dict)


async def try_out(
    execution: Execution,
    batches: Batches,
    policy: Mapping[str, Any],
    advance: Callable[[int], object],
) -> Trial:
    """Each batch is judged by what the database has now, without the batches before."""
    trial = Trial()
    while batch := await batches.take():
        outcomes = await patiently(partial(predict, execution, batch, dict(policy)))
        batches.give_back(batch[len(outcomes) :])
        for row, outcome in zip(batch, outcomes, strict=False):
            trial.counts[outcome.kind] += 1
            trial.first.setdefault(outcome.kind, (row, outcome))
        trial.rows += len(outcomes)
        advance(trial.rows)
    return trial
