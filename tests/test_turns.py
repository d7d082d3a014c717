"""Long work takes turns with whatever else the event loop has to do."""

import asyncio
from uuid import UUID

import pytest

from app.turns import in_turns, turn, work_for

AT_ONCE = -1.0  # each value is more work than a turn
NEVER = 3600.0


async def test_others_run_between_two_values() -> None:
    seen: list[str] = []

    async def other() -> None:
        for step in range(3):
            seen.append(f"other {step}")
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    async for value in in_turns("abc", AT_ONCE):
        seen.append(value)
    await task
    assert [one for one in seen if len(one) == 1] == ["a", "b", "c"]
    assert seen.index("other 0") < seen.index("c")


async def test_short_work_is_not_interrupted() -> None:
    task = asyncio.create_task(asyncio.sleep(0))
    async for _ in in_turns("abc", NEVER):
        assert not task.done()
    await task


async def test_one_pass_of_the_event_loop_has_one_turn_however_many_wait() -> None:
    loop = asyncio.get_running_loop()
    passes = 0
    is_over = False
    taken: list[int] = []

    def count() -> None:
        nonlocal passes
        passes += 1
        if not is_over:
            loop.call_soon(count)

    async def work() -> None:
        async for step in in_turns(range(4), AT_ONCE):
            if step:  # the first one needs no turn
                taken.append(passes)

    loop.call_soon(count)
    await asyncio.gather(*(work() for _ in range(20)))
    is_over = True
    assert len(taken) == 60
    assert len(set(taken)) == 60


async def test_turn_of_one_who_has_gone_goes_to_the_next() -> None:
    async def work() -> int:
        return sum([step async for step in in_turns(range(5), AT_ONCE)])

    tasks = [asyncio.create_task(work()) for _ in range(5)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[3].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in results] == [
        *(True, False, False, True, False)
    ]
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]


async def test_work_that_waits_for_a_turn_is_done_one_a_pass() -> None:
    done = 0

    async def work() -> None:
        nonlocal done
        await turn()
        done += 1

    tasks = [asyncio.create_task(work()) for _ in range(10)]
    most = 0
    while not all(task.done() for task in tasks):
        before = done
        await asyncio.sleep(0)
        most = max(most, done - before)
    assert (done, most) == (10, 1)


async def test_workspaces_take_turns_however_many_tasks_each_of_them_has() -> None:
    ours, theirs = UUID(int=1), UUID(int=2)
    taken: list[UUID] = []

    async def work(workspace_id: UUID) -> None:
        work_for(workspace_id)
        async for _ in in_turns(range(4), AT_ONCE):
            taken.append(workspace_id)

    await asyncio.gather(*(work(ours) for _ in range(20)), work(theirs))
    first = taken[:20]  # each of them before its first turn
    assert first == [ours] * 20
    assert taken[20:27] == [theirs, ours, theirs, ours, theirs, ours, theirs]
