"""Filters as data: a tree of conditions, each of which is true or false, never unknown.

A field without a value meets only `IS_NULL`, so that the negation of any other condition is true.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from app.contacts.assignee import Assignee
from app.contacts.limits import (
    CONDITION_VALUES_LIMIT,
    CONDITIONS_LIMIT,
    PATTERN_LENGTH,
    SEARCH_LENGTH,
    TEXT_LENGTH,
)
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.normalise import plain_text
from app.text import fold

Value = str | int | float | bool | datetime | UUID


class Operator(Enum):
    """The value of each member is its name in the API."""

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
RANGES = {Operator.EQ, *BOUNDS}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field of a contact compared with a value; with `ignore_case`, ignoring the case of text.

    An external id is that of `source`.
    """

    field: str
    operator: Operator
    value: Value | tuple[Value, ...]
    ignore_case: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class CustomComparison:
    """A custom field compared with a value of the same type; another type does not meet it."""

    key: str
    operator: Operator
    value: Value | tuple[Value, ...]
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Tagged:
    """Has at least one of the tags."""

    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssignedTo:
    assignee: Assignee


@dataclass(frozen=True, slots=True)
class Found:
    """One of the searched fields contains `folded`."""

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


class Budget:
    """The conditions and list values that all filters of one operation may have together."""

    def __init__(self) -> None:
        self._conditions = 0
        self._values = 0

    def spend(self, condition: Condition, path: str) -> None:
        """Raises InvalidInput if the operation exceeds a limit."""
        for one in _leaves(condition):
            self._conditions += 1
            self._values += len(_values(one) or ())
        for count, limit, what in (
            (self._conditions, CONDITIONS_LIMIT, "conditions"),
            (self._values, CONDITION_VALUES_LIMIT, "values in lists"),
        ):
            if count > limit:
                message = f"must have at most {limit} {what} in an operation, has {count}"
                raise InvalidInput([FieldError(FieldErrorCode.TOO_MANY, path, message)])


def text_operand(text: str, operator: Operator, path: str) -> str:
    """Raises InvalidInput if the text is too long."""
    is_whole = operator in (Operator.EQ, Operator.IN)
    return _bounded(text, TEXT_LENGTH if is_whole else PATTERN_LENGTH, path)


def search_for(text: str, path: str) -> Found:
    """Raises InvalidInput if the text is too long, or too short for an index."""
    folded = fold(plain_text(_bounded(text, PATTERN_LENGTH, path), path))
    if len(folded) < SEARCH_LENGTH:
        message = f"must have at least {SEARCH_LENGTH} letters"
        raise InvalidInput([FieldError(FieldErrorCode.OUT_OF_RANGE, path, message)])
    return Found(folded)


def _bounded(text: str, limit: int, path: str) -> str:
    if len(text) > limit:
        message = f"must have at most {limit} characters"
        raise InvalidInput([FieldError(FieldErrorCode.TOO_LONG, path, message)])
    plain_text(text, path)
    return text


def conjuncts(condition: Condition) -> Iterator[Condition]:
    """The conditions that must all be met; none if every contact meets the condition."""
    if isinstance(condition, All):
        for one in condition.conditions:
            yield from conjuncts(one)
    else:
        yield condition


def _leaves(condition: Condition) -> Iterator[Condition]:
    """The conditions that are not groups, and the empty groups."""
    match condition:
        case All(conditions) | AnyOf(conditions) if conditions:
            for one in conditions:
                yield from _leaves(one)
        case Not(negated):
            yield from _leaves(negated)
        case _:
            yield condition


def narrows(condition: Condition) -> bool:
    """Whether the condition excludes anything; an empty group, list or text part does not."""
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
            return operator is Operator.EQ
    return _values(condition) != ()


def _values(condition: Condition) -> tuple[Value, ...] | None:
    """The list of values that the condition has, if it has one."""
    match condition:
        case (
            Tagged(values) | Comparison(value=tuple(values)) | CustomComparison(value=tuple(values))
        ):
            return values
    return None
