"""The terms of a contact: its tags, custom values and assignments, as they are indexed."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from app.tables import Contact
from app.timestamps import parse_timestamp

# A longer value is not a term: PostgreSQL limits the size of an index entry.
TERM_LENGTH = 255


class TermKind(Enum):
    TAG = "tag"
    ASSIGNMENT = "assignment"
    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATETIME = "datetime"


class Term(NamedTuple):
    """A value in `text` or in `number`: numbers as doubles, datetimes as seconds since 1970."""

    kind: str
    key: str
    text: str = ""
    number: float = 0


def terms(contact: Contact) -> set[Term]:
    found = {Term(TermKind.TAG.value, "", tag) for tag in contact.tags}
    for assignment in contact.assignments:
        kind = TermKind.ASSIGNMENT.value
        found.add(Term(kind, assignment["kind"], assignment["target_id"]))
    for key, value in contact.custom_fields.items():
        if len(key) <= TERM_LENGTH:
            found.update(_custom(key, value))
    return found


def _custom(key: str, value: Any) -> Iterator[Term]:
    match value:
        case bool():
            yield custom_term(key, value)
        case int() | float():
            yield custom_term(key, float(value))
        case str():
            if len(value) <= TERM_LENGTH:
                yield custom_term(key, value)
            with suppress(ValueError):
                yield custom_term(key, parse_timestamp(value))


def custom_term(key: str, value: bool | float | str | datetime) -> Term:
    match value:
        case bool():
            return Term(TermKind.BOOLEAN.value, key, number=int(value))
        case str():
            return Term(TermKind.STRING.value, key, text=value)
        case datetime():
            return Term(TermKind.DATETIME.value, key, number=value.timestamp())
        case _:
            return Term(TermKind.NUMBER.value, key, number=value)
