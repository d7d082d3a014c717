"""Rows of a file: what each gives a contact, or why it cannot."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from app.transfer.encoding import Encoding

# Columns and members that a rejected row has beside its own, and that an import leaves out.
REJECTED_LINE, REJECTED_CODES, REJECTED_MESSAGES = REJECTED = (
    "rejectedLine",
    "rejectedCodes",
    "rejectedMessages",
)

MALFORMED_ROW = "MALFORMED_ROW"
INVALID_FORMAT = "INVALID_FORMAT"


class Fault(NamedTuple):
    code: str
    message: str


@dataclass(slots=True)
class Row:
    """`original` is the row as it was read; `contact` is a ContactInput. A row with faults is not
    sent."""

    line: int
    original: list[str] | str
    contact: dict[str, Any] = field(default_factory=dict)
    is_unsubscribed: bool = False
    faults: list[Fault] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Characters."""
        if isinstance(self.original, str):
            return len(self.original)
        return sum(map(len, self.original))

    def refuse(self, field: str, error: ValueError) -> None:
        self.faults.append(Fault(INVALID_FORMAT, f"{field}: {error}"))


class RowFile(Protocol):
    """A file of rows, read once from its start."""

    @property
    def description(self) -> str: ...

    @property
    def encoding(self) -> Encoding: ...

    def rows(self) -> Iterator[Row]: ...

    def rejected_header(self) -> str: ...

    def rejected(self, row: Row, faults: list[Fault]) -> str:
        """The row as text, with its line, codes and messages, which can be imported again."""


def texts(row: Row, faults: list[Fault]) -> tuple[str, str, str]:
    """The values of REJECTED."""
    codes = ", ".join(dict.fromkeys(fault.code for fault in faults))
    return str(row.line), codes, "; ".join(fault.message for fault in faults)
