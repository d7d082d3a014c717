"""Calls that come while another one runs are answered together, and none depends on another."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from app.database.errors import LostRace
from app.database.sharing import BACKLOG, BATCH, Shared
from app.errors import InvalidInput, TimedOut, Unavailable

OURS, THEIRS = UUID(int=1), UUID(int=2)


class Runs:
    """Runs that last until they are released. A call that is an error is raised."""

    def __init__(self, lanes: int = 1) -> None:
        self.batches: list[Sequence[object]] = []
        self.released = asyncio.Semaphore(0)
        self.cancelled = 0
        self.shared: Shared[object, object] = Shared(self._run, lanes)

    async def _run(self, calls: Sequence[object]) -> Sequence[object]:
        self.batches.append(calls)
        try:
            await self.released.acquire()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        for call in calls:
            if isinstance(call, Exception):
                raise call
        return [f"answer to {call}" for call in calls]

    def call(self, call: object, workspace_id: UUID = OURS) -> asyncio.Task[object]:
        return asyncio.create_task(self.shared.answer(workspace_id, call))

    def release(self, runs: int = 1) -> None:
        for _ in range(runs):
            self.released.release()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_call_of_an_idle_workspace_runs_at_once() -> None:
    runs = Runs()
    one = runs.call(1)
    await settled()
    assert runs.batches == [[1]]
    runs.release()
    assert await one == "answer to 1"


async def test_calls_of_one_turn_of_the_loop_run_together() -> None:
    runs = Runs()
    calls = [runs.call(number) for number in range(10)]
    await settled()
    assert runs.batches == [list(range(10))]
    runs.release()
    assert await asyncio.gather(*calls) == [f"answer to {number}" for number in range(10)]


async def test_calls_that_come_during_a_run_share_the_next_one_in_their_order() -> None:
    runs = Runs()
    calls = [runs.call("first")]
    await settled()
    for number in range(3):
        calls.append(runs.call(number))
        await settled()
    assert runs.batches == [["first"]]
    runs.release(2)
    answers = await asyncio.gather(*calls)
    assert answers == ["answer to first", "answer to 0", "answer to 1", "answer to 2"]
    assert runs.batches == [["first"], [0, 1, 2]]


async def test_a_run_takes_a_bounded_number_of_calls() -> None:
    runs = Runs()
    calls = [runs.call(number) for number in range(2 * BATCH + 1)]
    runs.release(3)
    await asyncio.gather(*calls)
    assert [len(batch) for batch in runs.batches] == [BATCH, BATCH, 1]


async def test_a_call_that_fails_does_no_harm_to_those_that_shared_its_run() -> None:
    runs = Runs()
    wrong = InvalidInput([])
    calls = [runs.call(1), runs.call(wrong), runs.call(2)]
    runs.release(4)
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert results == ["answer to 1", wrong, "answer to 2"]
    assert sorted(map(str, runs.batches)) == sorted(map(str, [[1, wrong, 2], [1], [wrong], [2]]))


async def test_a_lost_race_of_several_calls_is_no_failure_of_each() -> None:
    runs = Runs()
    calls = [runs.call(1), runs.call(LostRace())]
    runs.release(3)
    first, second = await asyncio.gather(*calls, return_exceptions=True)
    assert first == "answer to 1"
    assert isinstance(second, LostRace)


@pytest.mark.parametrize("error", [Unavailable("away"), TimedOut("late")])
async def test_calls_fail_together_without_the_database(error: Exception) -> None:
    runs = Runs()
    calls = [runs.call(1), runs.call(error)]
    runs.release()
    assert await asyncio.gather(*calls, return_exceptions=True) == [error, error]
    assert len(runs.batches) == 1


async def test_cancelled_call_leaves_the_others_of_its_run_alone() -> None:
    runs = Runs()
    calls = [runs.call(1), runs.call(2)]
    await settled()
    calls[0].cancel()
    await settled()
    runs.release()
    assert await calls[1] == "answer to 2"
    assert calls[0].cancelled()
    assert runs.cancelled == 0


async def test_call_that_is_cancelled_while_it_waits_does_not_run() -> None:
    runs = Runs()
    first, second, third = runs.call(1), runs.call(2), runs.call(3)
    await settled()
    waiting = [runs.call(4), runs.call(5)]
    await settled()
    waiting[0].cancel()
    runs.release(2)
    await asyncio.gather(first, second, third)
    assert await waiting[1] == "answer to 5"
    assert runs.batches == [[1, 2, 3], [5]]


async def test_a_run_ends_when_all_of_its_callers_have_gone() -> None:
    runs = Runs()
    calls = [runs.call(1), runs.call(2)]
    await settled()
    later = runs.call(3)
    for call in calls:
        call.cancel()
    await settled()
    assert runs.cancelled == 1
    runs.release()
    assert await later == "answer to 3"


async def test_workspaces_take_turns() -> None:
    runs = Runs()
    ours = [runs.call(number) for number in range(3 * BATCH)]
    await settled()
    theirs = runs.call("theirs", THEIRS)
    await settled()
    runs.release(4)
    assert await theirs == "answer to theirs"
    await asyncio.gather(*ours)
    assert [len(batch) for batch in runs.batches] == [BATCH, 1, BATCH, BATCH]


async def test_a_workspace_has_one_run_at_a_time_and_others_beside_it() -> None:
    runs = Runs(lanes=2)
    ours, theirs = runs.call("ours"), runs.call("theirs", THEIRS)
    await settled()
    again = runs.call("again")
    await settled()
    assert runs.batches == [["ours"], ["theirs"]]
    runs.release(3)
    await asyncio.gather(ours, theirs, again)


async def test_too_many_waiting_calls_of_a_workspace_are_refused() -> None:
    runs = Runs()
    running = runs.call("running")
    await settled()
    waiting = [runs.call(number) for number in range(BACKLOG)]
    await settled()
    with pytest.raises(Unavailable, match="Too many requests of the workspace wait"):
        await runs.call("one more")
    runs.release()
    other = runs.call("theirs", THEIRS)
    runs.release(BACKLOG // BATCH + 1)
    await asyncio.gather(running, other, *waiting)


async def test_close_waits_for_the_runs_under_way() -> None:
    runs = Runs()
    call = runs.call(1)
    await settled()
    closing = asyncio.create_task(runs.shared.close())
    await settled()
    assert not closing.done()
    runs.release()
    await closing
    assert await call == "answer to 1"
