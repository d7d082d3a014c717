"""Conditions as SQL on the row of a contact, without any other table."""

from collections.abc import Callable
from datetime import datetime
from operator import eq, ge, gt, le, lt
from typing import Any, Protocol

import orjson
from sqlalchemy import ColumnElement, Float, Text, and_, func, literal, not_, or_

from app.contacts.listing.conditions import (
    All,
    AnyOf,
    AssignedTo,
    Comparison,
    Condition,
    CustomComparison,
    Found,
    Not,
    Operator,
    Tagged,
)
from app.database import words
from app.text import lower_case


class Columns(Protocol):
    """The columns of a row, by the names of the attributes of `ContactTable`."""

    def __getitem__(self, name: str, /) -> Any: ...


# Not true() and false(), which SQLAlchemy simplifies away with their siblings.
_ALWAYS: ColumnElement[bool] = literal(value=True)
_NEVER: ColumnElement[bool] = literal(value=False)

COMPARE: dict[Operator, Callable[[Any, Any], ColumnElement[bool]]] = {
    Operator.EQ: eq,
    Operator.IN: lambda held, values: held.in_(values),
    Operator.GT: gt,
    Operator.GTE: ge,
    Operator.LT: lt,
    Operator.LTE: le,
    Operator.CONTAINS: words.contains,
    Operator.STARTS_WITH: lambda held, prefix: starts_with(held, prefix),
    Operator.IS_NULL: lambda held, wanted: held.is_(None) if wanted else held.is_not(None),
}


def predicate(condition: Condition, columns: Columns) -> ColumnElement[bool]:
    """The condition on a row with the columns of `contact`."""
    match condition:
        case All(conditions):
            return and_(_ALWAYS, *(predicate(one, columns) for one in conditions))
        case AnyOf(conditions):
            return or_(_NEVER, *(predicate(one, columns) for one in conditions))
        case Not(negated):
            return not_(func.coalesce(predicate(negated, columns), _NEVER))
        case Comparison(field, operator, value):
            held = _held(columns, field, condition.source)
            return compared(held, operator, value, ignore_case=condition.ignore_case)
        case CustomComparison():
            return _custom(condition, columns)
        case Tagged((tag,)):
            return words.has_text(columns["tags"], _json(tag), literal(tag, Text))
        case Tagged(tags):
            return words.has_any(columns["tags"], _json(tags))
        case AssignedTo(assignee):
            members = {"kind": assignee.kind, "target_id": assignee.target_id}
            return words.has_object(columns["assignments"], _json(members))
        case Found(folded):
            return words.contains(columns["search_text"], folded)


def compared(
    held: Any, operator: Operator, value: Any, *, ignore_case: bool = False
) -> ColumnElement[bool]:
    if ignore_case and operator is not Operator.IS_NULL:
        held, value = words.in_lower_case(held), of_each(lower_case, value)
    return COMPARE[operator](held, value)


def of_each(convert: Callable[[Any], Any], value: Any) -> Any:
    """What is made of a value, or of each in a list."""
    return tuple(map(convert, value)) if isinstance(value, tuple) else convert(value)


def starts_with(held: Any, prefix: str) -> ColumnElement[bool]:
    """As a range in the order of code points, in which both databases compare."""
    from_here: ColumnElement[bool] = held >= prefix
    rising = prefix.rstrip("\U0010ffff")
    if not rising:
        return from_here
    following = ord(rising[-1]) + 1
    if 0xD800 <= following <= 0xDFFF:
        following = 0xE000
    return and_(from_here, held < rising[:-1] + chr(following))


def _held(columns: Columns, field: str, source: str) -> Any:
    if field == "external_id":
        return words.text_member(columns["external_ids"], literal(source, Text))
    return columns["email_key" if field == "email" else field]


def _custom(condition: CustomComparison, columns: Columns) -> ColumnElement[bool]:
    document, key = columns["custom_fields"], literal(condition.key, Text)
    operator, value = condition.operator, condition.value
    if operator is Operator.IS_NULL:
        present = words.has_member(document, key)
        return not_(present) if value else present
    wanted: Any = value
    match value:
        case bool():
            held = words.boolean_member(document, key)
        case float() | (float(), *_):
            held, wanted = words.number_member(document, key), of_each(_exact, value)
        case datetime():
            held = words.number_member(columns["custom_datetimes"], key)
            wanted = _exact(value.timestamp())
        case _:
            held = words.text_member(document, key)
    return compared(held, operator, wanted, ignore_case=condition.ignore_case)


def _exact(number: float) -> ColumnElement[Any]:
    return words.exact(literal(number, Float))


def _json(value: Any) -> ColumnElement[str]:
    return literal(orjson.dumps(value).decode(), Text)
