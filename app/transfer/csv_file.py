"""CSV: a header, and a contact in each record."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.text import normalised
from app.transfer.columns import Column
from app.transfer.encoding import Encoding
from app.transfer.formulas import undefused
from app.transfer.kinds import UNSUBSCRIBED, Kind
from app.transfer.records import Record
from app.transfer.rows import MALFORMED_ROW, REJECTED, Fault, Row, texts
from app.transfer.values import from_text

# A byte that the encoding does not have is read as one of these.
_UNDECODED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Cells:
    """How the cells of a file are read."""

    tag_separator: str = ","
    empty_clears: bool = False
    raw: bool = False  # apostrophes before formulas are part of the text


@dataclass(frozen=True, slots=True)
class CsvFile:
    records: Iterator[Record]
    header: list[str]
    columns: list[Column]
    delimiter: str
    encoding: Encoding
    cells: Cells = field(default_factory=Cells)

    @property
    def description(self) -> str:
        named = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "vertical bars"}
        parted = named.get(self.delimiter, repr(self.delimiter))
        return f"CSV in {self.encoding.name}, separated by {parted}"

    def rows(self) -> Iterator[Row]:
        for record in self.records:
            yield self._row(record)

    def rejected_header(self) -> str:
        return self._line([*REJECTED, *self._own(self.header)])

    def rejected(self, row: Row, faults: list[Fault]) -> str:
        return self._line([*texts(row, faults), *self._own(row.original)])

    def _own(self, cells: list[str] | str) -> list[str]:
        """Without the cells that were added when the row was rejected before."""
        start = len(REJECTED) if tuple(self.header[: len(REJECTED)]) == REJECTED else 0
        return list(cells[start:])

    def _line(self, cells: list[str]) -> str:
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter).writerow(cells)
        return out.getvalue()

    def _row(self, record: Record) -> Row:
        row = Row(record.line, record.cells)
        if record.fault is not None:
            row.faults.append(Fault(MALFORMED_ROW, record.fault))
        elif len(record.cells) != len(self.columns):
            found, wanted = len(record.cells), len(self.columns)
            message = f"The row has {found:,} cells, and the header has {wanted:,}."
            row.faults.append(Fault(MALFORMED_ROW, message))
        else:
            for column, cell in zip(self.columns, record.cells, strict=True):
                try:
                    self._add(row, column, cell)
                except ValueError as error:
                    row.refuse(column.header or "a column without a name", error)
        return row

    def _add(self, row: Row, column: Column, cell: str) -> None:
        """Raises ValueError."""
        is_empty = not normalised(cell)
        if column.field is None:
            if not is_empty and not column.header:
                raise ValueError("must be empty, because the header does not name its column")
            return
        if _UNDECODED.search(cell):
            raise ValueError(f"must be text in {self.encoding.name}")
        if is_empty:
            if not self.cells.empty_clears or column.field == UNSUBSCRIBED:
                return
            value = None
        else:
            text = cell if self.cells.raw else undefused(cell)
            value = from_text(text, column.kind, self.cells.tag_separator)
        if column.field == UNSUBSCRIBED:
            row.is_unsubscribed = value is True
        elif column.kind is Kind.OBJECT or column.key is not None:
            members = value if column.key is None else {column.key: value}
            row.contact[column.field] = _together(row.contact.get(column.field), members)
        else:
            row.contact[column.field] = value


def _together(found: dict[str, Any] | None, added: dict[str, Any] | None) -> dict[str, Any] | None:
    """The members of both columns; None only where neither has any."""
    return None if found is None and added is None else (found or {}) | (added or {})
