"""NDJSON: each line is a ContactInput."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.transfer.encoding import Encoding
from app.transfer.kinds import FIELD_KINDS, READ_ONLY, UNSUBSCRIBED, Kind
from app.transfer.rows import MALFORMED_ROW, REJECTED, Fault, Row, texts
from app.transfer.values import from_json, loads

# Of a rejected line that is no JSON object.
REJECTED_TEXT = "rejectedText"


@dataclass(frozen=True, slots=True)
class NdjsonFile:
    lines: Iterator[str]
    first: int  # the number of the first line
    encoding: Encoding

    @property
    def description(self) -> str:
        return f"NDJSON in {self.encoding.name}"

    def rows(self) -> Iterator[Row]:
        for number, line in enumerate(self.lines, self.first):
            if text := line.strip():
                yield _row(number, text)

    def rejected_header(self) -> str:
        return ""

    def rejected(self, row: Row, faults: list[Fault]) -> str:
        assert isinstance(row.original, str)  # noqa: S101  # as _row makes it
        added = dict(zip(REJECTED, texts(row, faults), strict=True))
        try:
            given = _object(row.original)
        except ValueError:
            given = {REJECTED_TEXT: row.original}
        return json.dumps(added | given) + "\n"


def _object(text: str) -> dict[str, Any]:
    """The members of a line, without those that a rejected one has. Raises ValueError."""
    given = loads(text)
    if not isinstance(given, dict):
        raise ValueError("must be a JSON object")
    if isinstance(inner := given.get(REJECTED_TEXT), str):
        return _object(inner)
    return {name: value for name, value in given.items() if name not in REJECTED}


def _row(number: int, text: str) -> Row:
    row = Row(number, text)
    try:
        given = _object(text)
    except ValueError as error:
        row.faults.append(Fault(MALFORMED_ROW, f"The line {error}."))
        return row
    row.is_unsubscribed = _unsubscribed(row, given)
    for name, value in given.items():
        _add(row, name, value)
    return row


def _unsubscribed(row: Row, given: Mapping[str, Any]) -> bool:
    try:
        return from_json(given.get(UNSUBSCRIBED), Kind.BOOLEAN) is True
    except ValueError as error:
        row.refuse(UNSUBSCRIBED, error)
        return False


def _add(row: Row, name: str, value: Any) -> None:
    if name in READ_ONLY or name == UNSUBSCRIBED:
        return
    try:
        if name not in FIELD_KINDS:
            raise ValueError("is not a field of a contact")
        # The API checks the objects themselves, row by row.
        kind = Kind.ANY if FIELD_KINDS[name] is Kind.OBJECT else FIELD_KINDS[name]
        row.contact[name] = from_json(value, kind)
    except ValueError as error:
        row.refuse(name[:100], error)
