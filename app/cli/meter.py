"""Progress on standard error: a bar on a terminal, five lines a minute elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 12


class Meter:
    """Counts rows; `share`, from 0 to 1, tells how much of the work that is, where it is known."""

    def __init__(self, progress: Progress | None, console: Console) -> None:
        self._console = console
        self._progress = progress
        self._task = TaskID(0) if progress is None else progress.add_task("", total=None, note="")
        self._start = self._line = time.monotonic()
        self._first: int | None = None

    def advance(self, rows: int, share: float | None = None) -> None:
        now = time.monotonic()
        if self._first is None:  # what an earlier process has done tells nothing of the rate
            self._first, self._start = rows, now
        rate = (rows - self._first) / max(now - self._start, 0.001)
        note = f"{rows:,} rows" + (f", {rate:,.0f} a second" if rows > self._first else "")
        if self._progress is not None:
            total = None if share is None else 1.0
            self._progress.update(self._task, total=total, completed=share or 0, note=note)
        elif now - self._line >= SECONDS_BETWEEN_LINES:
            self._line = now
            self._console.print(note if share is None else f"{note}, {share:.0%}", soft_wrap=True)


@contextmanager
def meter() -> Iterator[Meter]:
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield Meter(None, console)
        return
    columns = (
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        yield Meter(progress, console)
