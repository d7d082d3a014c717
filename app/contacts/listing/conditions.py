"""Filters as data: a tree of conditions that hold or do not hold, never unknown.

A field without a value meets no condition but `IS_NULL`, so that the negation of any other does
hold for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from app.contacts.assignments import Assignee
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import plain_text
from app.text import fold

CONDITIONS_LIMIT = 100
DEPTH_LIMIT = 10
VALUES_LIMIT = 1000
FILTER_VALUES_LIMIT = 10_000  # in all lists together: a statement has up to 32,766 parameters
SEARCH_LETTERS = 3

Value = str | int | float | bool | datetime | UUID


class Operator(Enum):
    EQ = "eq"
    IN = "in"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IS_NULL = "isNull"


BOUNDS = {Operator.GT, Operator.GTE, Operator.LT, Operator.LTE}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A contact's own field compared with a value."""

    field: str
    operator: Operator
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class CustomComparison:
    """A custom field compared with a value of the same type; another type does not meet it."""

    key: str
    operator: Operator
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Tagged:
    """Has at least one of the tags."""

    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssignedTo:
    assignee: Assignee


@dataclass(frozen=True, slots=True)
class Found:
    """`folded` stands in one of the fields that are searched."""

    folded: str


@dataclass(frozen=True, slots=True)
class All:
    conditions: "Sequence[Condition]" = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: "Sequence[Condition]"


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


Condition = Comparison | CustomComparison | Tagged | AssignedTo | Found | All | AnyOf | Not

EVERY = All()


def within_limits(condition: Condition, path: str) -> Condition:
    """Raises InvalidInput where a filter has too many conditions, or values in all its lists."""
    found = list(leaves(condition, empty=True))
    if len(found) > CONDITIONS_LIMIT:
        raise _too_many(path, f"must have at most {CONDITIONS_LIMIT} conditions, has {len(found)}")
    if (count := sum(map(_list_length, found))) > FILTER_VALUES_LIMIT:
        message = f"must have at most {FILTER_VALUES_LIMIT} values in its lists, has {count}"
        raise _too_many(path, message)
    return condition


def search_for(text: str, path: str) -> Found:
    """Raises InvalidInput where the text is too short to be found by an index."""
    folded = fold(plain_text(text, path))
    if len(folded) < SEARCH_LETTERS:
        message = f"must have at least {SEARCH_LETTERS} letters"
        raise InvalidInput([FieldError(FieldErrorCode.OUT_OF_RANGE, path, message)])
    return Found(folded)


def conjuncts(condition: Condition) -> Iterator[Condition]:
    """The conditions that are to be met all: none, where everyone meets it."""
    if isinstance(condition, All):
        for one in condition.conditions:
            yield from conjuncts(one)
    else:
        yield condition


def leaves(condition: Condition, *, empty: bool = False) -> Iterator[Condition]:
    """What is no group of other conditions; with `empty`, groups of none as well."""
    match condition:
        case All(conditions) | AnyOf(conditions) if conditions or not empty:
            for one in conditions:
                yield from leaves(one, empty=empty)
        case Not(negated):
            yield from leaves(negated, empty=empty)
        case _:
            yield condition


def narrows(condition: Condition) -> bool:
    """Whether it asks for anything: no empty group, list or part of a text does."""
    match condition:
        case All(conditions):
            return any(map(narrows, conditions))
        case AnyOf(conditions):
            return bool(conditions) and all(map(narrows, conditions))
        case Not(negated):
            return narrows(negated)
        case (
            Comparison(operator=operator, value="") | CustomComparison(operator=operator, value="")
        ):
            return operator not in (Operator.CONTAINS, Operator.STARTS_WITH)
    return condition != Tagged(()) and getattr(condition, "value", None) != ()


def _list_length(condition: Condition) -> int:
    match condition:
        case (
            Tagged(values) | Comparison(value=tuple(values)) | CustomComparison(value=tuple(values))
        ):
            return len(values)
    return 0


def _too_many(path: str, message: str) -> InvalidInput:
    return InvalidInput([FieldError(FieldErrorCode.TOO_MANY, path, message)])
