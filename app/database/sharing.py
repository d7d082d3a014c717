"""Sharing across requests: calls that come while another one runs are answered together.

A call that finds its workspace idle runs at once, at the end of the event loop's present turn.
Calls that come while it runs gather, and the next run takes them all: on a busy server many calls
share one statement or one transaction, and on an idle one nobody waits.

What is shared must not depend on who shares it: `run` answers each call in order as if it came
alone, and leaves nothing behind when it raises. If it raises for several calls, each of them runs
alone, so that one that fails does no harm to the others.
"""

import asyncio
from asyncio import CancelledError, Future, Task
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

from app.database.errors import LostRace
from app.errors import TimedOut, Unavailable
from app.turns import work_for

Call = TypeVar("Call")
Answer = TypeVar("Answer")

# The calls that one run takes, and those of one workspace that may wait.
BATCH = 100
BACKLOG = 1_000


class _Alone(Exception):
    """The run failed for several calls, so that it is not known for which of them."""


class Shared(Generic[Call, Answer]):
    """Calls of one kind. Each workspace has one run at a time, and the workspaces take turns for
    the `lanes` runs that there are at most."""

    def __init__(
        self, run: Callable[[Sequence[Call]], Awaitable[Sequence[Answer]]], lanes: int
    ) -> None:
        self._run = run
        self._free_lanes = lanes
        self._waiting: dict[UUID, deque[tuple[Call, Future[Answer]]]] = {}
        self._turns: deque[UUID] = deque()  # of the workspaces that wait and have no run
        self._runs: dict[UUID, tuple[Task[None], Sequence[Future[Answer]]]] = {}
        self._is_due = False

    async def answer(self, workspace_id: UUID, call: Call) -> Answer:
        """Raises Unavailable if too many calls of the workspace wait."""
        try:
            return await self._gather(workspace_id, call)
        except _Alone:
            [answer] = await self._run([call])
            return answer
        except CancelledError:
            self._end_if_unwanted(workspace_id)
            raise

    async def close(self) -> None:
        """Waits for the runs under way."""
        if self._runs:
            await asyncio.wait([task for task, _ in self._runs.values()])

    def _gather(self, workspace_id: UUID, call: Call) -> Future[Answer]:
        loop = asyncio.get_running_loop()
        answer: Future[Answer] = loop.create_future()
        waiting = self._waiting.get(workspace_id)
        if waiting is None:
            self._waiting[workspace_id] = deque([(call, answer)])
            self._turns.append(workspace_id)
            if self._free_lanes and not self._is_due:
                self._is_due = True
                loop.call_soon(self._start)
        elif len(waiting) < BACKLOG:
            waiting.append((call, answer))
        else:
            raise Unavailable("Too many requests of the workspace wait. Try again soon.")
        return answer

    def _start(self) -> None:
        self._is_due = False
        while self._free_lanes and self._turns:
            workspace_id = self._turns.popleft()
            batch = self._taken(self._waiting[workspace_id])
            self._free_lanes -= 1
            context = Context()  # the log lines of a run belong to no request
            context.run(work_for, workspace_id)
            task = asyncio.get_running_loop().create_task(self._serve(batch), context=context)
            self._runs[workspace_id] = task, [answer for _, answer in batch]
            task.add_done_callback(partial(self._end, workspace_id))

    def _taken(
        self, waiting: deque[tuple[Call, Future[Answer]]]
    ) -> Sequence[tuple[Call, Future[Answer]]]:
        taken = [waiting.popleft() for _ in range(min(len(waiting), BATCH))]
        return [(call, answer) for call, answer in taken if not answer.cancelled()]

    async def _serve(self, batch: Sequence[tuple[Call, Future[Answer]]]) -> None:
        if not batch:
            return
        try:
            answers = await self._run([call for call, _ in batch])
        except Exception as error:  # of any kind goes to the callers
            for _, future in batch:
                if not future.done():
                    future.set_exception(error if _is_of_all(error, len(batch)) else _Alone())
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    def _end(self, workspace_id: UUID, _: Task[None]) -> None:
        _, answers = self._runs.pop(workspace_id)
        for answer in answers:
            answer.cancel()  # without effect on those that are done
        self._free_lanes += 1
        if self._waiting[workspace_id]:
            self._turns.append(workspace_id)
        else:
            del self._waiting[workspace_id]
        self._start()

    def _end_if_unwanted(self, workspace_id: UUID) -> None:
        """A run ends when all of its callers have gone, and with it what it locks."""
        task, answers = self._runs.get(workspace_id, (None, ()))
        if task is not None and all(answer.cancelled() for answer in answers):
            task.cancel()


def _is_of_all(error: Exception, calls: int) -> bool:
    """Whether each call would fail in this way: when it was the only one, or without a database."""
    is_away = isinstance(error, Unavailable | TimedOut) and not isinstance(error, LostRace)
    return calls == 1 or is_away
