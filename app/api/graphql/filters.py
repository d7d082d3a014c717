"""The filter inputs: every given member must hold."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Optional
from uuid import UUID

import strawberry
from pydantic.alias_generators import to_camel

from app.api.graphql.assignments import AssigneeInput
from app.api.graphql.contact import described
from app.api.graphql.context import Context
from app.contacts.limits import CONDITION_DEPTH_LIMIT, LIST_VALUES_LIMIT
from app.contacts.listing.conditions import (
    All,
    AnyOf,
    AssignedTo,
    Comparison,
    Condition,
    CustomComparison,
    Not,
    Operator,
    Tagged,
    text_operand,
)
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import API_NAMES
from app.fields.normalise import email_key, plain_text
from app.timestamps import parse_timestamp
from app.workspaces.keys import Scope

_EQ = "Equal to this."
_IN = f"Equal to one of these, up to {LIST_VALUES_LIMIT}."
_IS_NULL = "Whether the field has no value."
_GT, _GTE = "Greater than this.", "Greater than or equal to this."
_LT, _LTE = "Less than this.", "Less than or equal to this."


def _member(description: str, name: str | None = None) -> Any:
    return strawberry.field(description=description, name=name)


@strawberry.input(
    description="Conditions on a text. Case and accents are significant, unless `ignoreCase` is "
    "true; the case of an email never is. `%` and `_` have no special meaning."
)
class StringFilter:
    eq: strawberry.Maybe[str | None] = _member(_EQ)
    in_: strawberry.Maybe[list[str] | None] = _member(_IN, "in")
    contains: strawberry.Maybe[str | None] = _member("Contains this text.")
    starts_with: strawberry.Maybe[str | None] = _member("Starts with this text.")
    ignore_case: bool = strawberry.field(
        default=False, description="Whether all other members ignore case."
    )
    is_null: strawberry.Maybe[bool | None] = _member(_IS_NULL)


@strawberry.input(description="Conditions on an id.")
class IDFilter:
    eq: strawberry.Maybe[strawberry.ID | None] = _member(_EQ)
    in_: strawberry.Maybe[list[strawberry.ID] | None] = _member(_IN, "in")
    is_null: strawberry.Maybe[bool | None] = _member(_IS_NULL)


@strawberry.input(description="Conditions on an integer.")
class IntFilter:
    eq: strawberry.Maybe[int | None] = _member(_EQ)
    in_: strawberry.Maybe[list[int] | None] = _member(_IN, "in")
    gt: strawberry.Maybe[int | None] = _member(_GT)
    gte: strawberry.Maybe[int | None] = _member(_GTE)
    lt: strawberry.Maybe[int | None] = _member(_LT)
    lte: strawberry.Maybe[int | None] = _member(_LTE)
    is_null: strawberry.Maybe[bool | None] = _member(_IS_NULL)


@strawberry.input(description="Conditions on a number.")
class FloatFilter:
    eq: strawberry.Maybe[float | None] = _member(_EQ)
    in_: strawberry.Maybe[list[float] | None] = _member(_IN, "in")
    gt: strawberry.Maybe[float | None] = _member(_GT)
    gte: strawberry.Maybe[float | None] = _member(_GTE)
    lt: strawberry.Maybe[float | None] = _member(_LT)
    lte: strawberry.Maybe[float | None] = _member(_LTE)
    is_null: strawberry.Maybe[bool | None] = _member(_IS_NULL)


@strawberry.input(description="Conditions on a timestamp.")
class DateTimeFilter:
    gt: strawberry.Maybe[datetime | None] = _member("Later than this time.")
    gte: strawberry.Maybe[datetime | None] = _member("At this time or later.")
    lt: strawberry.Maybe[datetime | None] = _member("Earlier than this time.")
    lte: strawberry.Maybe[datetime | None] = _member("At this time or earlier.")
    is_null: strawberry.Maybe[bool | None] = _member(_IS_NULL)


@strawberry.input(description="Conditions on tags, which are compared case-sensitively.")
class TagsFilter:
    has_all: strawberry.Maybe[list[str] | None] = _member("Has all of these tags.")
    has_any: strawberry.Maybe[list[str] | None] = _member("Has at least one of these tags.")
    has_none: strawberry.Maybe[list[str] | None] = _member("Has none of these tags.")


@strawberry.input(
    description="Conditions on a custom field. They are met only by a value of the type that they "
    "name; `exists` and `isNull` regard a value of any type. A datetime is RFC 3339 text."
)
class CustomFieldFilter:
    key: str = _member("The custom field's key.")
    string: strawberry.Maybe[StringFilter | None] = _member("Conditions on a text.")
    number: strawberry.Maybe[FloatFilter | None] = _member("Conditions on a number.")
    boolean: strawberry.Maybe[bool | None] = _member("Equal to this boolean.")
    datetime: strawberry.Maybe[DateTimeFilter | None] = _member("Conditions on a timestamp.")
    exists: strawberry.Maybe[bool | None] = _member(
        "Whether there is a value. A null counts as none."
    )


@strawberry.input(
    description="Conditions on a contact, all of which must hold. A field without a value meets "
    "only `isNull: true`, so that a `not` of any other condition holds. No member may be null."
)
@described
class ContactFilter:
    and_: strawberry.Maybe[list["ContactFilter"] | None] = _member(
        "All of these filters hold.", "and"
    )
    or_: strawberry.Maybe[list["ContactFilter"] | None] = _member(
        "At least one of these filters holds.", "or"
    )
    not_: strawberry.Maybe[Optional["ContactFilter"]] = _member("This filter does not hold.", "not")
    id: strawberry.Maybe[IDFilter | None]
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
    assigned_to: strawberry.Maybe[AssigneeInput | None] = _member(
        "The contact is assigned to this."
    )

    def condition(self, context: Context, path: str) -> Condition:
        """Raises InvalidInput that names the member. A filter tells what is stored, so it needs the
        scope `contacts:read` in a mutation too."""
        context.caller.require(Scope.CONTACTS_READ)
        condition = _all(self, path, 1, context.caller.source)
        context.budget.spend(condition, path)
        return condition


def _all(filter: ContactFilter, path: str, depth: int, source: str) -> Condition:  # noqa: A002
    if depth > CONDITION_DEPTH_LIMIT:
        message = f"must have at most {CONDITION_DEPTH_LIMIT} levels"
        raise _invalid(FieldErrorCode.TOO_MANY, path, message)
    return All(
        [
            condition
            for name, value in _given(filter, path)
            for condition in _conditions(name, value, path, depth, source)
        ]
    )


def _given(members: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The given members. Raises InvalidInput for null."""
    for name in members.__dataclass_fields__:
        some = getattr(members, name)
        if isinstance(some, strawberry.Some):
            if some.value is None:
                raise _invalid(FieldErrorCode.INVALID_FORMAT, _at(path, name), "must not be null")
            yield name, some.value


def _at(path: str, name: str) -> str:
    return f"{path}.{_api_name(name)}"


def _api_name(name: str) -> str:
    return API_NAMES.get(name) or to_camel(name.rstrip("_"))


def _conditions(name: str, value: Any, path: str, depth: int, source: str) -> Iterator[Condition]:
    path = _at(path, name)
    match name, value:
        case "and_", list():
            yield All([_all(one, f"{path}.{i}", depth + 1, source) for i, one in enumerate(value)])
        case "or_", list():
            yield AnyOf(
                [_all(one, f"{path}.{i}", depth + 1, source) for i, one in enumerate(value)]
            )
        case "not_", ContactFilter():
            yield Not(_all(value, path, depth + 1, source))
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
            ignore_case = _ignores_case(value)
            for operator, operand in _operands(value, parse, path):
                from_source = source if name == "external_id" else ""
                yield Comparison(name, operator, operand, ignore_case, from_source)


def _custom(filter: CustomFieldFilter, path: str) -> Iterator[Condition]:  # noqa: A002
    key = _text(filter.key, f"{path}.key")
    for name, given in _given(filter, path):
        match name, given:
            case "exists", bool() as exists:
                yield CustomComparison(key, Operator.IS_NULL, not exists)
            case "boolean", bool() as value:
                yield CustomComparison(key, Operator.EQ, value)
            case _, value:
                ignore_case = _ignores_case(value)
                for operator, operand in _operands(value, _PARSERS[type(value)], f"{path}.{name}"):
                    yield CustomComparison(key, operator, operand, ignore_case)


def _ignores_case(filter: object) -> bool:  # noqa: A002
    return isinstance(filter, StringFilter) and filter.ignore_case


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
    return tuple(text_operand(value, Operator.EQ, path) for value in _bounded(values, path))


def _operands(
    filter: object,  # noqa: A002
    parse: Callable[[Any, str], Any],
    path: str,
) -> Iterator[tuple[Operator, Any]]:
    for name, given in _given(filter, path):
        operator, at = Operator(_api_name(name)), _at(path, name)
        match given:
            case bool() as wanted:
                yield operator, wanted
            case list() as values:
                yield (
                    operator,
                    tuple(_operand(one, operator, parse, at) for one in _bounded(values, at)),
                )
            case value:
                yield operator, _operand(value, operator, parse, at)


def _operand(value: Any, operator: Operator, parse: Callable[[Any, str], Any], path: str) -> Any:
    if isinstance(value, str):
        text_operand(value, operator, path)
    return parse(value, path)


def _bounded(values: list[Any], path: str) -> list[Any]:
    if len(values) > LIST_VALUES_LIMIT:
        message = f"must have at most {LIST_VALUES_LIMIT} values"
        raise _invalid(FieldErrorCode.TOO_MANY, path, message)
    return values


def _text(value: str, path: str) -> str:
    plain_text(value, path)
    return value


def _email(value: str, path: str) -> str:
    return email_key(_text(value, path))


def _number(value: float, path: str) -> float:
    if not math.isfinite(value):  # a literal may overflow to infinity
        raise _invalid(FieldErrorCode.OUT_OF_RANGE, path, "must be a finite number")
    return float(value)


def _whole(value: int, _: str) -> int:
    return value


def _moment(value: object, path: str) -> datetime:
    try:
        return parse_timestamp(value)
    except ValueError as error:
        raise _invalid(FieldErrorCode.INVALID_FORMAT, path, str(error)) from error


def _uuid(value: str, path: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise _invalid(FieldErrorCode.INVALID_FORMAT, path, "must be a UUID") from error


_PARSERS: dict[type, Callable[[Any, str], Any]] = {
    StringFilter: _text,
    IDFilter: _uuid,
    IntFilter: _whole,
    FloatFilter: _number,
    DateTimeFilter: _moment,
}


def _invalid(code: FieldErrorCode, path: str, message: str) -> InvalidInput:
    return InvalidInput([FieldError(code, path, message)])
