"""Filters as clients send them: every member given must hold."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Optional
from uuid import UUID

import strawberry
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from app.api.graphql.assignments import AssigneeInput
from app.api.graphql.contact import described
from app.contacts.listing.conditions import (
    DEPTH_LIMIT,
    VALUES_LIMIT,
    All,
    AnyOf,
    AssignedTo,
    Comparison,
    Condition,
    CustomComparison,
    Not,
    Operator,
    Tagged,
    within_limits,
)
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import API_NAMES, email_key, parse_timestamp, plain_text

_OPERATORS = {
    "eq": Operator.EQ,
    "in_": Operator.IN,
    "contains": Operator.CONTAINS,
    "starts_with": Operator.STARTS_WITH,
    "gt": Operator.GT,
    "gte": Operator.GTE,
    "lt": Operator.LT,
    "lte": Operator.LTE,
    "is_null": Operator.IS_NULL,
}

_EQ = "Equal to this."
_IN = f"Equal to one of these, up to {VALUES_LIMIT}."
_IS_NULL = "Whether the field is empty."
_GT, _GTE = "Greater than this.", "Greater than or equal to this."
_LT, _LTE = "Less than this.", "Less than or equal to this."


def _member(description: str, name: str | None = None) -> Any:
    return strawberry.field(description=description, name=name)


@strawberry.input(
    description="On text, letter by letter: case and accents count, except in an email. "
    "`%` and `_` are letters like any other."
)
class StringFilter:
    eq: strawberry.Maybe[str | None] = _member(_EQ)
    in_: strawberry.Maybe[list[str] | None] = _member(_IN, "in")
    contains: strawberry.Maybe[str | None] = _member("Has this in it.")
    starts_with: strawberry.Maybe[str | None] = _member("Begins with this.")
    is_null: strawberry.Maybe[bool | None] = _member(_IS_NULL)


@strawberry.input(description="On an identifier.")
class IDFilter:
    eq: strawberry.Maybe[strawberry.ID | None] = _member(_EQ)
    in_: strawberry.Maybe[list[strawberry.ID] | None] = _member(_IN, "in")
    is_null: strawberry.Maybe[bool | None] = _member(_IS_NULL)


@strawberry.input(description="On a whole number.")
class IntFilter:
    eq: strawberry.Maybe[int | None] = _member(_EQ)
    gt: strawberry.Maybe[int | None] = _member(_GT)
    gte: strawberry.Maybe[int | None] = _member(_GTE)
    lt: strawberry.Maybe[int | None] = _member(_LT)
    lte: strawberry.Maybe[int | None] = _member(_LTE)
    is_null: strawberry.Maybe[bool | None] = _member(_IS_NULL)


@strawberry.input(description="On a number.")
class FloatFilter:
    eq: strawberry.Maybe[float | None] = _member(_EQ)
    gt: strawberry.Maybe[float | None] = _member(_GT)
    gte: strawberry.Maybe[float | None] = _member(_GTE)
    lt: strawberry.Maybe[float | None] = _member(_LT)
    lte: strawberry.Maybe[float | None] = _member(_LTE)
    is_null: strawberry.Maybe[bool | None] = _member(_IS_NULL)


@strawberry.input(description="On a moment in time.")
class DateTimeFilter:
    gt: strawberry.Maybe[datetime | None] = _member("Later than this.")
    gte: strawberry.Maybe[datetime | None] = _member("At this or later.")
    lt: strawberry.Maybe[datetime | None] = _member("Earlier than this.")
    lte: strawberry.Maybe[datetime | None] = _member("At this or earlier.")
    is_null: strawberry.Maybe[bool | None] = _member(_IS_NULL)


@strawberry.input(description="On tags, letter by letter.")
class TagsFilter:
    has_all: strawberry.Maybe[list[str] | None] = _member("Has every one of these.")
    has_any: strawberry.Maybe[list[str] | None] = _member("Has at least one of these.")
    has_none: strawberry.Maybe[list[str] | None] = _member("Has none of these.")


@strawberry.input(
    description="On a custom field. The value's type has to be the one asked for: a text is no "
    "number; `isNull` alone asks of any type. A datetime is RFC 3339 text."
)
class CustomFieldFilter:
    key: str = _member("The custom field's key.")
    string: strawberry.Maybe[StringFilter | None] = _member("On a text.")
    number: strawberry.Maybe[FloatFilter | None] = _member("On a number.")
    boolean: strawberry.Maybe[bool | None] = _member("On true or false.")
    datetime: strawberry.Maybe[DateTimeFilter | None] = _member("On a moment in time.")
    exists: strawberry.Maybe[bool | None] = _member("Whether there is a value: null is none.")


@strawberry.input(
    description="Every member given must hold. A field without a value meets `isNull` alone, so "
    "that `not` holds for it with any other. None of the members may be null."
)
@described
class ContactFilter:
    and_: strawberry.Maybe[list["ContactFilter"] | None] = _member("All of these hold.", "and")
    or_: strawberry.Maybe[list["ContactFilter"] | None] = _member(
        "At least one of these holds.", "or"
    )
    not_: strawberry.Maybe[Optional["ContactFilter"]] = _member("This does not hold.", "not")
    external_id: strawberry.Maybe[StringFilter | None]
    email: strawberry.Maybe[StringFilter | None]
    name: strawberry.Maybe[StringFilter | None]
    prefix: strawberry.Maybe[StringFilter | None]
    first_name: strawberry.Maybe[StringFilter | None]
    last_name: strawberry.Maybe[StringFilter | None]
    suffix: strawberry.Maybe[StringFilter | None]
    phone: strawberry.Maybe[StringFilter | None]
    phone_e164: strawberry.Maybe[StringFilter | None]
    company: strawberry.Maybe[StringFilter | None]
    job_title: strawberry.Maybe[StringFilter | None]
    notes: strawberry.Maybe[StringFilter | None]
    address_line1: strawberry.Maybe[StringFilter | None]
    address_line2: strawberry.Maybe[StringFilter | None]
    city: strawberry.Maybe[StringFilter | None]
    state: strawberry.Maybe[StringFilter | None]
    postcode: strawberry.Maybe[StringFilter | None]
    country: strawberry.Maybe[StringFilter | None]
    timezone: strawberry.Maybe[StringFilter | None]
    language: strawberry.Maybe[StringFilter | None]
    professional_id: strawberry.Maybe[IDFilter | None]
    tags: strawberry.Maybe[TagsFilter | None]
    is_active: strawberry.Maybe[bool | None]
    is_unsubscribed: strawberry.Maybe[bool | None]
    unsubscribed_at: strawberry.Maybe[DateTimeFilter | None]
    lifetime_value: strawberry.Maybe[FloatFilter | None]
    orders_count: strawberry.Maybe[IntFilter | None]
    last_order_at: strawberry.Maybe[DateTimeFilter | None]
    created_at: strawberry.Maybe[DateTimeFilter | None]
    updated_at: strawberry.Maybe[DateTimeFilter | None]
    version: strawberry.Maybe[IntFilter | None]
    custom_fields: strawberry.Maybe[list[CustomFieldFilter] | None]
    assigned_to: strawberry.Maybe[AssigneeInput | None] = _member("Contacts assigned to this.")

    def condition(self) -> Condition:
        """Raises InvalidInput that names the member."""
        return within_limits(_all(self, "filter", 1), "filter")


def _all(filter: ContactFilter, path: str, depth: int) -> Condition:  # noqa: A002
    if depth > DEPTH_LIMIT:
        raise _invalid(FieldErrorCode.TOO_MANY, path, f"must have at most {DEPTH_LIMIT} levels")
    return All(
        [
            condition
            for name, value in _given(filter, path)
            for condition in _conditions(name, value, path, depth)
        ]
    )


def _given(members: object, path: str) -> Iterator[tuple[str, Any]]:
    """Those that were given. Raises InvalidInput for a null, which would say nothing."""
    for name, some in vars(members).items():
        if isinstance(some, strawberry.Some):
            if some.value is None:
                raise _invalid(FieldErrorCode.INVALID_FORMAT, _at(path, name), "cannot be null")
            yield name, some.value


def _at(path: str, name: str) -> str:
    return f"{path}.{API_NAMES.get(name) or to_camel(name.rstrip('_'))}"


def _conditions(name: str, value: Any, path: str, depth: int) -> Iterator[Condition]:
    path = _at(path, name)
    match name, value:
        case "and_", list():
            yield All([_all(one, f"{path}.{i}", depth + 1) for i, one in enumerate(value)])
        case "or_", list():
            yield AnyOf([_all(one, f"{path}.{i}", depth + 1) for i, one in enumerate(value)])
        case "not_", ContactFilter():
            yield Not(_all(value, path, depth + 1))
        case "custom_fields", list():
            for index, one in enumerate(value):
                yield from _custom(one, f"{path}.{index}")
        case _, TagsFilter():
            yield from _tags(value, path)
        case _, AssigneeInput():
            yield AssignedTo(value.assignee(path))
        case _, bool():
            yield Comparison(name, Operator.EQ, value)
        case _:
            parse = _email if name == "email" else _PARSERS[type(value)]
            for operator, operand in _operands(value, parse, path):
                yield Comparison(name, operator, operand)


def _custom(filter: CustomFieldFilter, path: str) -> Iterator[Condition]:  # noqa: A002
    key = _text(filter.key, f"{path}.key")
    for name, given in _given(filter, path):
        match name, given:
            case "exists", bool() as exists:
                yield CustomComparison(key, Operator.IS_NULL, not exists)
            case "boolean", bool() as value:
                yield CustomComparison(key, Operator.EQ, value)
            case _, value:
                for operator, operand in _operands(value, _PARSERS[type(value)], f"{path}.{name}"):
                    yield CustomComparison(key, operator, operand)


def _tags(filter: TagsFilter, path: str) -> Iterator[Condition]:  # noqa: A002
    for name, tags in _given(filter, path):
        texts = _texts(tags, _at(path, name))
        match name:
            case "has_all":
                yield All([Tagged((tag,)) for tag in texts])
            case "has_any":
                yield Tagged(texts)
            case "has_none":
                yield Not(Tagged(texts))


def _texts(values: list[str], path: str) -> tuple[str, ...]:
    return tuple(_text(value, path) for value in _bounded(values, path))


def _operands(
    filter: object,  # noqa: A002
    parse: Callable[[Any, str], Any],
    path: str,
) -> Iterator[tuple[Operator, Any]]:
    for name, given in _given(filter, path):
        operator, at = _OPERATORS[name], _at(path, name)
        match given:
            case bool() as wanted:
                yield operator, wanted
            case list() as values:
                yield operator, tuple(parse(one, at) for one in _bounded(values, at))
            case value:
                yield operator, parse(value, at)


def _bounded(values: list[Any], path: str) -> list[Any]:
    if len(values) > VALUES_LIMIT:
        raise _invalid(FieldErrorCode.TOO_MANY, path, f"must have at most {VALUES_LIMIT} values")
    return values


def _text(value: str, path: str) -> str:
    plain_text(value, path)
    return value


def _email(value: str, path: str) -> str:
    return email_key(_text(value, path))


def _number(value: float, path: str) -> float:
    if not math.isfinite(value):  # a literal may be larger than any number
        raise _invalid(FieldErrorCode.OUT_OF_RANGE, path, "must be a finite number")
    return float(value)


def _whole(value: int, _: str) -> int:
    return value


def _moment(value: object, path: str) -> datetime:
    try:
        return parse_timestamp(value)
    except PydanticCustomError as error:
        raise _invalid(FieldErrorCode.INVALID_FORMAT, path, error.message()) from error


def _uuid(value: str, path: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise _invalid(FieldErrorCode.INVALID_FORMAT, path, "is not a UUID") from error


_PARSERS: dict[type, Callable[[Any, str], Any]] = {
    StringFilter: _text,
    IDFilter: _uuid,
    IntFilter: _whole,
    FloatFilter: _number,
    DateTimeFilter: _moment,
}


def _invalid(code: FieldErrorCode, path: str, message: str) -> InvalidInput:
    return InvalidInput([FieldError(code, path, message)])
