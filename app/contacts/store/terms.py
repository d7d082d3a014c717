"""The terms of a contact: its tags, custom values and assignments, as they are indexed."""

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


_TAG, _ASSIGNMENT, _STRING, _NUMBER, _BOOLEAN, _DATETIME = (kind.value for kind in TermKind)


class Term(NamedTuple):
    """A value in `text` or in `number`: numbers as doubles, datetimes as seconds since 1970."""

    kind: str
    key: str
    text: str = ""
    number: float = 0


def terms(contact: Contact, other: Contact | None = None) -> set[Term]:
    """Of what the other contact has too, the terms may be left out."""
    found: list[Term] = []
    if other is None or contact.tags != other.tags:
        found += [Term(_TAG, "", tag) for tag in contact.tags]
    if other is None or contact.assignments != other.assignments:
        found += [Term(_ASSIGNMENT, one["kind"], one["target_id"]) for one in contact.assignments]
    held, others = contact.custom_fields, other.custom_fields if other else {}
    if held is not others:
        for key, value in held.items():
            same = key in others and type(others[key]) is type(value) and others[key] == value
            if not same and len(key) <= TERM_LENGTH:
                found += _custom(key, value)
    return set(found)


def _custom(key: str, value: Any) -> list[Term]:
    if isinstance(value, str):
        found = [custom_term(key, value)] if len(value) <= TERM_LENGTH else []
        at = timestamp_in(value)
        return [*found, custom_term(key, at)] if at else found
    if isinstance(value, bool):
        return [custom_term(key, value)]
    return [custom_term(key, float(value))] if isinstance(value, int | float) else []


def custom_term(key: str, value: bool | float | str | datetime) -> Term:
    match value:
        case bool():
            return Term(_BOOLEAN, key, number=int(value))
        case str():
            return Term(_STRING, key, value)
        case datetime():
            return Term(_DATETIME, key, number=value.timestamp())
        case _:
            return Term(_NUMBER, key, number=value)
