"""The records of a CSV file, each with the number of the line where it starts.

Memory is bounded by two limits: of a line, and of a cell, which may have many lines. A quotation
mark that is never closed takes no other record with it: only its first line is malformed.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from app.errors import CommandFailed

LINE_LIMIT = CELL_LIMIT = 32 * 1024 * 1024  # characters

DELIMITERS = ",;\t|"
_SAMPLE_RECORDS = 50


@dataclass(frozen=True, slots=True)
class Record:
    line: int
    cells: list[str]
    fault: str | None = None


def lines_of(text: TextIO) -> Iterator[str]:
    """Raises CommandFailed for a line that is too long."""
    number = 0
    while line := text.readline(LINE_LIMIT + 1):
        number += 1
        if len(line) > LINE_LIMIT:
            raise CommandFailed(f"Line {number:,} must have at most {LINE_LIMIT:,} characters.")
        yield line


class _Feed:
    """Lines for the reader of one record, which can be given back."""

    def __init__(self, lines: Iterator[str], line: int) -> None:
        self._lines = lines
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.line = line  # where the record starts

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        return line

    def finish(self) -> None:
        """The lines that were taken are the record."""
        self.line += len(self.taken)
        self.taken.clear()

    def finish_first(self) -> str:
        """The first line that was taken is the record; the others are given back."""
        first = self.taken[0]
        self._back.extendleft(reversed(self.taken[1:]))
        self.line += 1
        self.taken.clear()
        return first


def records(lines: Iterator[str], delimiter: str, line: int = 1) -> Iterator[Record]:
    """Those that are not empty; `line` is the number of the first line."""
    csv.field_size_limit(CELL_LIMIT)
    feed = _Feed(lines, line)
    while True:
        start = feed.line
        try:
            cells = next(csv.reader(feed, delimiter=delimiter, strict=True))
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(start, _leniently(feed.finish_first(), delimiter), _reason(error))
            continue
        feed.finish()
        if any(cells):
            yield Record(start, cells)


def _leniently(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter))


def _reason(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"A cell must have at most {CELL_LIMIT:,} characters."
    return "A quotation mark is missing, or is not doubled within a quoted cell."


def delimiter_of(lines: Sequence[str]) -> str:
    """The delimiter by which most of the first records have as many cells as the header."""

    def merit(delimiter: str) -> tuple[float, int]:
        found = []
        for record in records(iter(lines), delimiter):
            found.append(len(record.cells))
            if len(found) == _SAMPLE_RECORDS:
                break
        if not found or found[0] == 1:
            return 0.0, 0
        return found.count(found[0]) / len(found), found[0]

    return max(DELIMITERS, key=merit)
