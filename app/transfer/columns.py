"""The columns of a CSV file: which field of a contact each one gives."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.errors import CommandFailed
from app.transfer.kinds import (
    CUSTOM_FIELDS,
    CUSTOM_KINDS,
    FIELD_KINDS,
    READ_ONLY,
    UNSUBSCRIBED,
    Kind,
)
from app.transfer.rows import REJECTED

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Column:
    """`field` is a field of ContactInput, or isUnsubscribed. It is None if the column is left out,
    and empty if no field has the name. `key` is that of a custom field."""

    header: str
    field: str | None = None
    kind: Kind = Kind.TEXT
    key: str | None = None

    @property
    def target(self) -> str:
        return f"{self.field}.{self.key}" if self.key is not None else str(self.field)


def _letters(name: str) -> str:
    """`First Name`, `first_name` and `firstName` are one name."""
    return re.sub(r"[\s_\-]", "", name).casefold()


_FIELDS = {_letters(name): name for name in [*FIELD_KINDS, UNSUBSCRIBED]}
_LEFT_OUT = {_letters(name) for name in [*READ_ONLY, *REJECTED]}


def columns_of(
    header: Sequence[str], mapping: Mapping[str, str], definitions: Mapping[str, str]
) -> list[Column]:
    """Raises CommandFailed unless every column has a field of its own, or is left out."""
    names = [name.strip() for name in header]
    if absent := [name for name in mapping if name not in names]:
        raise CommandFailed(f"--map names columns that the file does not have: {_few(absent)}.")
    fields = {name: field or None for name, field in mapping.items()}
    columns = [
        _column(name, fields[name] if name in fields else _found(name, definitions), definitions)
        for name in names
    ]
    if unknown := [one.header for one in columns if one.field == ""]:
        raise CommandFailed(
            f"No field has the name of these columns: {_few(unknown)}. Give each one a field by "
            '--map "COLUMN=FIELD", or leave it out by --map "COLUMN=".'
        )
    taken = Counter(one.target for one in columns if one.field)
    if twice := [target for target, count in taken.items() if count > 1]:
        raise CommandFailed(f"More than one column gives {_few(twice)}. Leave all but one out.")
    return columns


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name[:100] or '""' for name in names[:_SHOWN]) + more


def _found(name: str, definitions: Mapping[str, str]) -> str | None:
    """The field of the name; an empty text where there is none, None of one that is left out."""
    letters = _letters(name)
    if letters in _LEFT_OUT or not name:
        return None
    if letters in _FIELDS:
        return _FIELDS[letters]
    prefix, dot, key = name.partition(".")
    if dot and _letters(prefix) == _letters(CUSTOM_FIELDS):
        return f"{CUSTOM_FIELDS}.{key}"
    return f"{CUSTOM_FIELDS}.{name}" if name in definitions else ""


def _column(header: str, target: str | None, definitions: Mapping[str, str]) -> Column:
    if target is None:
        return Column(header)
    field, dot, key = target.partition(".")
    if dot and field == CUSTOM_FIELDS and key:
        kind = CUSTOM_KINDS.get(definitions.get(key, ""), Kind.TEXT)
        return Column(header, field, kind, key)
    if not target:
        return Column(header, "")
    if target == UNSUBSCRIBED:
        return Column(header, target, Kind.BOOLEAN)
    if target not in FIELD_KINDS:
        raise CommandFailed(f"--map gives {header} to {target}, which is not a field of a contact.")
    return Column(header, target, FIELD_KINDS[target])


def shown(columns: Sequence[Column]) -> Iterator[str]:
    """A line for each column whose field has another name, or that is left out."""
    for column in columns:
        if column.field is None:
            yield f"{column.header or 'a column without a name'} is left out"
        elif column.header != column.target:
            yield f"{column.header} = {column.target}"
