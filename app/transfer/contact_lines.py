"""Exported contacts as lines of CSV or NDJSON, which an import reads as the same contacts."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.fields.contact import STAMPS
from app.text import normalised
from app.transfer.formulas import defused
from app.transfer.kinds import CUSTOM_FIELDS, CUSTOM_KINDS, FIELD_KINDS, UNSUBSCRIBED, Kind
from app.transfer.values import from_text

METADATA = "metadata"

# Those that an import sets, and two that only tell.
FIELDS = ("id", *FIELD_KINDS, UNSUBSCRIBED, "unsubscribedAt")

TAG_SEPARATOR = ","


class Lines(Protocol):
    defused: int  # cells that would be formulas

    def header(self) -> str: ...

    def line(self, contact: dict[str, Any]) -> str: ...


def _without_stamps(contact: dict[str, Any]) -> dict[str, Any]:
    """The server sets the stamps of each contact anew."""
    own = {key: value for key, value in contact[METADATA].items() if key not in STAMPS}
    return contact | {METADATA: own}


class NdjsonLines:
    defused = 0

    def header(self) -> str:
        return ""

    def line(self, contact: dict[str, Any]) -> str:
        given = _without_stamps(contact)
        members = {name: value for name, value in given.items() if value is not None}
        return json.dumps(members, ensure_ascii=False) + "\n"


@dataclass
class CsvLines:
    """`definitions` are the types of the workspace's custom fields, each of which is a column.
    Values that a column cannot hold, and other custom fields, are JSON in one more column."""

    definitions: Mapping[str, str]
    raw: bool = False
    defused: int = field(default=0, init=False)

    def header(self) -> str:
        return _csv([*FIELDS, *(f"{CUSTOM_FIELDS}.{key}" for key in self.definitions)])

    def line(self, contact: dict[str, Any]) -> str:
        given = _without_stamps(contact)
        columns = {
            key: self._cell(given[CUSTOM_FIELDS].get(key), CUSTOM_KINDS[kind])
            for key, kind in self.definitions.items()
        }
        given[CUSTOM_FIELDS] = {
            key: value for key, value in given[CUSTOM_FIELDS].items() if columns.get(key, "") == ""
        }
        own = [self._cell(given[name], _kind(name)) for name in FIELDS]
        return _csv([*own, *columns.values()])

    def _cell(self, value: Any, kind: Kind) -> str:
        """Empty if an import would not read the value as it is."""
        text = _text(value, kind)
        if not self._is_read_as(text, kind, value):
            if kind is not Kind.TAGS:
                return ""
            text = json.dumps(value, ensure_ascii=False)
        if self.raw or kind not in _TEXTS or (safe := defused(text)) == text:
            return text
        self.defused += 1
        return safe

    def _is_read_as(self, text: str, kind: Kind, value: Any) -> bool:
        if not normalised(text):
            return False
        try:
            found = from_text(text, kind, TAG_SEPARATOR)
        except ValueError:
            return False
        return found == value and type(found) is type(value)


_TEXTS = (Kind.TEXT, Kind.TIMESTAMP, Kind.TAGS)


def _kind(name: str) -> Kind:
    return Kind.BOOLEAN if name == UNSUBSCRIBED else FIELD_KINDS.get(name, Kind.TEXT)


def _text(value: Any, kind: Kind) -> str:
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, str):
        return value if kind in _TEXTS else ""
    if kind is Kind.TAGS:
        return TAG_SEPARATOR.join(value)
    return json.dumps(value, ensure_ascii=False)


def _csv(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
