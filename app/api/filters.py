"""Filters as clients send them: every member given must hold."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from app.api.assignments import AssigneeInput
from app.api.contact import described
from app.contacts.filters import (
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
from app.fields import API_NAMES, email_key, parse_timestamp, plain_text

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
    eq: strawberry.Maybe[str] = _member(_EQ)
    in_: strawberry.Maybe[list[str]] = _member(_IN, "in")
    contains: strawberry.Maybe[str] = _member("Has this in it.")
    starts_with: strawberry.Maybe[str] = _member("Begins with this.")
    is_null: strawberry.Maybe[bool] = _member(_IS_NULL)


@strawberry.input(description="On an identifier.")
class IDFilter:
    eq: strawberry.Maybe[strawberry.ID] = _member(_EQ)
    in_: strawberry.Maybe[list[strawberry.ID]] = _member(_IN, "in")
    is_null: strawberry.Maybe[bool] = _member(_IS_NULL)


@strawberry.input(description="On a whole number.")
class IntFilter:
    eq: strawberry.Maybe[int] = _member(_EQ)
    gt: strawberry.Maybe[int] = _member(_GT)
    gte: strawberry.Maybe[int] = _member(_GTE)
    lt: strawberry.Maybe[int] = _member(_LT)
    lte: strawberry.Maybe[int] = _member(_LTE)
    is_null: strawberry.Maybe[bool] = _member(_IS_NULL)


@strawberry.input(description="On a number.")
class FloatFilter:
    eq: strawberry.Maybe[float] = _member(_EQ)
    gt: strawberry.Maybe[float] = _member(_GT)
    gte: strawberry.Maybe[float] = _member(_GTE)
    lt: strawberry.Maybe[float] = _member(_LT)
    lte: strawberry.Maybe[float] = _member(_LTE)
    is_null: strawberry.Maybe[bool] = _member(_IS_NULL)


@strawberry.input(description="On a moment in time.")
class DateTimeFilter:
    gt: strawberry.Maybe[datetime] = _member("Later than this.")
    gte: strawberry.Maybe[datetime] = _member("At this or later.")
    lt: strawberry.Maybe[datetime] = _member("Earlier than this.")
    lte: strawberry.Maybe[datetime] = _member("At this or earlier.")
    is_null: strawberry.Maybe[bool] = _member(_IS_NULL)


@strawberry.input(description="On tags, letter by letter.")
class TagsFilter:
    has_all: strawberry.Maybe[list[str]] = _member("Has every one of these.")
    has_any: strawberry.Maybe[list[str]] = _member("Has at least one of these.")
    has_none: strawberry.Maybe[list[str]] = _member("Has none of these.")


@strawberry.input(
    description="On a custom field. The value's type has to be the one asked for: a text is no "
    "number. A datetime is RFC 3339 text."
)
class CustomFieldFilter:
    key: str = _member("The custom field's key.")
    string: strawberry.Maybe[StringFilter] = _member("On a text.")
    number: strawberry.Maybe[FloatFilter] = _member("On a number.")
    boolean: strawberry.Maybe[bool] = _member("On true or false.")
    datetime: strawberry.Maybe[DateTimeFilter] = _member("On a moment in time.")
    exists: strawberry.Maybe[bool] = _member("Whether there is a value: null is none.")


@strawberry.input(
    description="Every member given must hold. A field without a value meets `isNull` alone, so "
    "that `not` holds for it with any other."
)
@described
class ContactFilter:
    and_: strawberry.Maybe[list["ContactFilter"]] = _member("All of these hold.", "and")
    or_: strawberry.Maybe[list["ContactFilter"]] = _member("At least one of these holds.", "or")
    not_: strawberry.Maybe["ContactFilter"] = _member("This does not hold.", "not")
    external_id: strawberry.Maybe[StringFilter]
    email: strawberry.Maybe[StringFilter]
    name: strawberry.Maybe[StringFilter]
    prefix: strawberry.Maybe[StringFilter]
    first_name: strawberry.Maybe[StringFilter]
    last_name: strawberry.Maybe[StringFilter]
    suffix: strawberry.Maybe[StringFilter]
    phone: strawberry.Maybe[StringFilter]
    phone_e164: strawberry.Maybe[StringFilter]
    company: strawberry.Maybe[StringFilter]
    job_title: strawberry.Maybe[StringFilter]
    notes: strawberry.Maybe[StringFilter]
    address_line1: strawberry.Maybe[StringFilter]
    address_line2: strawberry.Maybe[StringFilter]
    city: strawberry.Maybe[StringFilter]
    state: strawberry.Maybe[StringFilter]
    postcode: strawberry.Maybe[StringFilter]
    country: strawberry.Maybe[StringFilter]
    timezone: strawberry.Maybe[StringFilter]
    language: strawberry.Maybe[StringFilter]
    professional_id: strawberry.Maybe[IDFilter]
    tags: strawberry.Maybe[TagsFilter]
    is_active: strawberry.Maybe[bool]
    is_unsubscribed: strawberry.Maybe[bool]
    unsubscribed_at: strawberry.Maybe[DateTimeFilter]
    lifetime_value: strawberry.Maybe[FloatFilter]
    orders_count: strawberry.Maybe[IntFilter]
    last_order_at: strawberry.Maybe[DateTimeFilter]
    created_at: strawberry.Maybe[DateTimeFilter]
    updated_at: strawberry.Maybe[DateTimeFilter]
    version: strawberry.Maybe[IntFilter]
    custom_fields: strawberry.Maybe[list[CustomFieldFilter]]
    assigned_to: strawberry.Maybe[AssigneeInput] = _member("Contacts assigned to this.")

    def condition(self) -> Condition:
        """Raises InvalidInput that names the member."""
        return within_limits(_all(self, "filter", 1), "filter")


def _all(filter: ContactFilter, path: str, depth: int) -> Condition:  # noqa: A002
    if depth > DEPTH_LIMIT:
        raise _invalid(FieldErrorCode.TOO_MANY, path, f"must have at most {DEPTH_LIMIT} levels")
    return All(
        [
            condition
            for name, some in vars(filter).items()
            if some is not None
            for condition in _conditions(name, some.value, path, depth)
        ]
    )


def _conditions(name: str, value: Any, path: str, depth: int) -> Iterator[Condition]:
    path = f"{path}.{API_NAMES.get(name) or to_camel(name.rstrip('_'))}"
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
    for name, some in vars(filter).items():
        if name == "key" or some is None:
            continue
        match name, some.value:
            case "exists", bool() as exists:
                yield CustomComparison(key, Operator.IS_NULL, not exists)
            case "boolean", bool() as value:
                yield CustomComparison(key, Operator.EQ, value)
            case _, value:
                for operator, operand in _operands(value, _PARSERS[type(value)], f"{path}.{name}"):
                    yield CustomComparison(key, operator, operand)


def _tags(filter: TagsFilter, path: str) -> Iterator[Condition]:  # noqa: A002
    if filter.has_all is not None:
        yield All([Tagged((tag,)) for tag in _texts(filter.has_all.value, f"{path}.hasAll")])
    if filter.has_any is not None:
        yield Tagged(_texts(filter.has_any.value, f"{path}.hasAny"))
    if filter.has_none is not None:
        yield Not(Tagged(_texts(filter.has_none.value, f"{path}.hasNone")))


def _texts(values: list[str], path: str) -> tuple[str, ...]:
    return tuple(_text(value, path) for value in _bounded(values, path))


def _operands(
    filter: object,  # noqa: A002
    parse: Callable[[Any, str], Any],
    path: str,
) -> Iterator[tuple[Operator, Any]]:
    for name, some in vars(filter).items():
        if some is None:
            continue
        operator = _OPERATORS[name]
        at = f"{path}.{operator.value}"
        match some.value:
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


def _number(value: float, _: str) -> float:
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
