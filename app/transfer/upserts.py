"""Upserts of rows. One that has faults is invalid and is not sent."""

from collections.abc import Awaitable, Callable, Sequence

from app.transfer.execution import Contacts, Execution, Policy, Refused
from app.transfer.outcomes import Kind, Outcome
from app.transfer.rows import Fault, Row

Outcomes = Sequence[Outcome]


async def predict(execution: Execution, rows: Sequence[Row], policy: Policy) -> Outcomes:
    """What an upsert of the rows would do. If the API refuses all of them together, this is of the
    first ones only; a row that it refuses alone is invalid."""

    async def predicted(some: Sequence[Row]) -> Outcomes:
        sent = _sent(some)
        return _with_faults(some, await execution.predict(sent, policy) if sent else [])

    return await _as_many_as_accepted(rows, predicted)


async def upsert(
    execution: Execution,
    rows: Sequence[Row],
    policy: Policy,
    announce: Callable[[Sequence[Row], Outcomes], None],
) -> Outcomes:
    """Writes the rows, or the first ones only, as `predict` does. Announces the rows that are
    written, with their outcomes."""

    async def written(some: Sequence[Row]) -> Outcomes:
        def announced(outcomes: Outcomes) -> None:
            announce(some, _with_faults(some, outcomes))

        if not (sent := _sent(some)):
            announced([])
            return _with_faults(some, [])
        return _with_faults(some, await execution.upsert(sent, policy, announced))

    return await _as_many_as_accepted(rows, written)


async def _as_many_as_accepted(
    rows: Sequence[Row], ask: Callable[[Sequence[Row]], Awaitable[Outcomes]]
) -> Outcomes:
    while True:
        try:
            return await ask(rows)
        except Refused as error:
            if len(rows) == 1:
                rows[0].faults.append(Fault(error.reason, error.message))
            else:
                rows = rows[: len(rows) // 2]


def _sent(rows: Sequence[Row]) -> Contacts:
    return [row.contact for row in rows if not row.faults]


def _with_faults(rows: Sequence[Row], answered: Outcomes) -> Outcomes:
    answers = iter(answered)
    return [
        Outcome(Kind.INVALID, faults=row.faults) if row.faults else next(answers) for row in rows
    ]
