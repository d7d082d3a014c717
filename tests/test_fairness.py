"""A fair semaphore: no workspace has more than its part, and those that wait take turns."""

import asyncio
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Unavailable
from app.fairness import FairSemaphore

OURS, THEIRS, OTHERS = UUID(int=1), UUID(int=2), UUID(int=3)


class Work:
    """Work that lasts until it is released, or for ever if it is cancelled before it starts."""

    def __init__(
        self, places: int, of_one: int, seconds: float | None = None, waiting: int | None = None
    ) -> None:
        self.started: list[tuple[UUID, int]] = []
        self.running: list[UUID] = []
        self._ends: dict[int, asyncio.Event] = {}
        self.semaphore = FairSemaphore(places, of_one, seconds, waiting)
        self.tasks: list[asyncio.Task[None]] = []
        self.workspaces: list[UUID] = []

    def begin(self, workspace: UUID) -> int:
        number = len(self.tasks)
        self.workspaces.append(workspace)
        self._ends[number] = asyncio.Event()
        self.tasks.append(asyncio.create_task(self._work(workspace, number)))
        return number

    def end(self, number: int) -> None:
        self._ends[number].set()

    async def _work(self, workspace: UUID, number: int) -> None:
        async with self.semaphore.place(workspace):
            self.started.append((workspace, number))
            self.running.append(workspace)
            try:
                await self._ends[number].wait()
            finally:
                self.running.remove(workspace)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_work_starts_at_once_while_there_are_places() -> None:
    work = Work(places=4, of_one=2)
    numbers = [work.begin(one) for one in (OURS, OURS, THEIRS, THEIRS)]
    await settled()
    assert work.running == [OURS, OURS, THEIRS, THEIRS]
    for number in numbers:
        work.end(number)
    await asyncio.gather(*work.tasks)
    assert work.running == []


async def test_workspace_has_no_more_places_than_its_part() -> None:
    work = Work(places=4, of_one=2)
    for _ in range(10):
        work.begin(OURS)
    await settled()
    assert work.running == [OURS] * 2
    work.begin(THEIRS)
    await settled()
    assert work.running == [OURS, OURS, THEIRS]
    for task in work.tasks:
        task.cancel()


async def test_workspaces_that_wait_take_turns_whatever_the_order_of_arrival() -> None:
    work = Work(places=1, of_one=1)
    for workspace in (OURS, OURS, OURS, OURS, THEIRS, THEIRS, OTHERS):
        work.begin(workspace)
    await settled()
    for _ in range(7):
        work.end(work.started[-1][1])
        await settled()
    order = [workspace for workspace, _ in work.started]
    assert order == [OURS, THEIRS, OTHERS, OURS, THEIRS, OURS, OURS]


async def test_work_that_waits_too_long_is_refused_and_the_next_one_is_not() -> None:
    work = Work(places=1, of_one=1, seconds=0.01)
    first, late = work.begin(OURS), work.begin(OURS)
    with pytest.raises(Unavailable, match="too busy"):
        await work.tasks[late]
    work.end(first)
    last = work.begin(OURS)
    work.end(last)
    await work.tasks[last]


async def test_work_that_would_wait_is_refused_once_the_semaphore_stops() -> None:
    work = Work(places=1, of_one=1)
    running, waiting = work.begin(OURS), work.begin(THEIRS)
    await settled()
    work.semaphore.stop_waiting()
    for number in (waiting, work.begin(OTHERS)):
        with pytest.raises(Unavailable, match="stopping"):
            await work.tasks[number]
    work.end(running)
    await work.tasks[running]


async def test_work_beyond_what_may_wait_of_a_workspace_is_refused() -> None:
    work = Work(places=2, of_one=1, waiting=1)
    running, waiting, refused = (work.begin(OURS) for _ in range(3))
    with pytest.raises(Unavailable, match="too busy"):
        await work.tasks[refused]
    others = [work.begin(THEIRS) for _ in range(2)]
    await settled()
    assert work.running == [OURS, THEIRS]
    work.end(running)
    await settled()
    after = work.begin(OURS)
    await settled()
    assert work.running == [THEIRS, OURS]
    for number in (waiting, after, *others):
        work.end(number)
    await asyncio.gather(*(work.tasks[one] for one in (running, waiting, after, *others)))


async def test_place_that_is_freed_goes_past_work_that_was_just_cancelled() -> None:
    work = Work(places=1, of_one=1)
    running, waiting, last = (work.begin(OURS) for _ in range(3))
    await settled()
    work.end(running)
    work.tasks[waiting].cancel()  # before the place is freed, and it has not noticed yet
    await settled()
    assert [number for _, number in work.started] == [running, last]
    assert work.tasks[running].exception() is None
    work.end(last)
    await work.tasks[last]


actions = st.lists(
    st.tuples(
        st.sampled_from(["begin"] * 12 + ["end", "cancel"] * 4 + ["stop"]),
        st.sampled_from([OURS, OURS, THEIRS, OTHERS]),
        st.integers(0, 20),
        st.booleans(),
    ),
    max_size=60,
)


@given(actions, st.integers(1, 4), st.integers(1, 4))
def test_places_are_neither_lost_nor_given_twice(
    steps: list[tuple[str, UUID, int, bool]], places: int, part: int
) -> None:
    async def run() -> None:
        of_one = min(part, places)
        work = Work(places, of_one)
        for action, workspace, index, is_settled in steps:
            if action == "begin":
                work.begin(workspace)
            elif action == "stop":
                work.semaphore.stop_waiting()
            elif work.tasks:
                index %= len(work.tasks)
                work.end(index) if action == "end" else work.tasks[index].cancel()
            if is_settled:
                await settled()
                check(work, places, of_one)
        for index in range(len(work.tasks)):
            work.end(index)
        ended = await asyncio.gather(*work.tasks, return_exceptions=True)
        assert {type(one) for one in ended} <= {type(None), asyncio.CancelledError, Unavailable}
        for _ in range(places):
            work.begin(UUID(int=100 + len(work.tasks)))
        await settled()
        assert len(work.running) == places
        for task in work.tasks:
            task.cancel()

    asyncio.run(run())


def check(work: Work, places: int, of_one: int) -> None:
    """No more places are taken than there are, and none is free for work that waits."""
    running = {one: work.running.count(one) for one in (OURS, THEIRS, OTHERS)}
    assert len(work.running) <= places
    assert max(running.values()) <= of_one
    begun = {number for _, number in work.started}
    if len(work.running) < places:
        waiting = [n for n, task in enumerate(work.tasks) if n not in begun and not task.done()]
        assert all(running[work.workspaces[number]] == of_one for number in waiting)
    for workspace in running:
        numbers = [number for one, number in work.started if one == workspace]
        assert numbers == sorted(numbers)
