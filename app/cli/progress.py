"""Shows progress on standard error: a bar on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread

import typer

from app.progress import Report

LINE_SECONDS = 12  # five lines a minute


def shown_progress() -> AbstractContextManager[Report]:
    return _bar() if sys.stderr.isatty() else _lines()


@contextmanager
def _bar() -> Iterator[Report]:
    # Takes longer to import than most commands take to run.
    from rich.console import Console
    from rich.progress import Progress, TaskProgressColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        *Progress.get_default_columns()[:2],
        TaskProgressColumn(show_speed=True),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def report(label: str, done: int = 0, total: int = 0) -> None:
            if not bar.tasks or bar.tasks[0].description != label:
                for task in bar.task_ids:
                    bar.remove_task(task)
                bar.add_task(label, total=None)
            bar.update(bar.task_ids[0], completed=done, total=total or None)

        yield report


@contextmanager
def _lines() -> Iterator[Report]:
    line = ""
    ended = Event()

    def report(label: str, done: int = 0, total: int = 0) -> None:
        nonlocal line
        count = f": {done:,}" if done or total else ""
        line = f"{label}{count} of {total:,}" if total else f"{label}{count}"

    def print_lines() -> None:
        while not ended.wait(LINE_SECONDS):
            typer.echo(line, err=True)

    printer = Thread(target=print_lines, daemon=True)
    printer.start()
    try:
        yield report
    finally:
        ended.set()
        printer.join()
