"""The terms of a contact: its tags, custom values and assignments, as they are indexed."""

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from app.tables import Contact
from app.timestamps import timestamp_in

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


def terms(contact: Contact, other: Contact | None = None) -> set[Term]:
    """Of what the other contact has too, the terms may be left out."""
    found: set[Term] = set()
    if not other or contact.tags != other.tags:
        kind = TermKind.TAG.value
        found.update(Term(kind, "", tag) for tag in contact.tags)
    if not other or contact.assignments != other.assignments:
        kind = TermKind.ASSIGNMENT.value
        found.update(Term(kind, one["kind"], one["target_id"]) for one in contact.assignments)
    others = other.custom_fields if other else {}
    for key, value in contact.custom_fields.items():
        same = key in others and type(others[key]) is type(value) and others[key] == value
        if not same and len(key) <= TERM_LENGTH:
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
            if at := timestamp_in(value):
                yield custom_term(key, at)


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
