"""Conditions as SQL on the row of a contact, without any other table."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson

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
from app.database.composed import Composition
from app.text import lower_case


class Columns(Protocol):
    """The columns of a row, by the names of the attributes of `ContactTable`."""

    def __getitem__(self, name: str, /) -> str: ...


Operand = Callable[[Any], str]  # the SQL of a value
Compare = Callable[[Composition, str, Any, Operand], str]

COMPARE: dict[Operator, Compare] = {
    Operator.EQ: lambda _, held, value, operand: f"{held} = {operand(value)}",
    Operator.IN: lambda _, held, values, operand: _is_in(held, values, operand),
    Operator.GT: lambda _, held, value, operand: f"{held} > {operand(value)}",
    Operator.GTE: lambda _, held, value, operand: f"{held} >= {operand(value)}",
    Operator.LT: lambda _, held, value, operand: f"{held} < {operand(value)}",
    Operator.LTE: lambda _, held, value, operand: f"{held} <= {operand(value)}",
    Operator.CONTAINS: lambda sql, held, part, operand: sql.word(
        words.CONTAINS, held, operand(part)
    ),
    Operator.STARTS_WITH: lambda _, held, prefix, operand: _starts_with(held, prefix, operand),
    Operator.IS_NULL: lambda _, held, wanted, __: f"{held} IS {'' if wanted else 'NOT '}NULL",
}


def predicate(sql: Composition, condition: Condition, columns: Columns) -> str:
    """The condition on a row with the columns of `contact`, in parentheses where it needs them."""
    match condition:
        case All(conditions):
            return _joined(" AND ", sql, conditions, columns) or "true"
        case AnyOf(conditions):
            return _joined(" OR ", sql, conditions, columns) or "false"
        case Not(negated):
            return f"NOT coalesce({predicate(sql, negated, columns)}, false)"
        case Comparison(field, operator, value):
            held = _held(sql, columns, field, condition.source)
            return _compared(sql, held, operator, value, condition.ignore_case)
        case CustomComparison():
            return _custom(sql, condition, columns)
        case Tagged((tag,)):
            return sql.word(words.HAS_TEXT, columns["tags"], _json(sql, tag), sql.value(tag))
        case Tagged(tags):
            return sql.word(words.HAS_ANY, columns["tags"], _json(sql, tags))
        case AssignedTo(assignee):
            members = {"kind": assignee.kind, "target_id": assignee.target_id}
            return sql.word(words.HAS_OBJECT, columns["assignments"], _json(sql, members))
        case Found(folded):
            return sql.word(words.CONTAINS, columns["search_text"], sql.value(folded))


def of_each(convert: Callable[[Any], Any], value: Any) -> Any:
    """What is made of a value, or of each in a list."""
    return tuple(map(convert, value)) if isinstance(value, tuple) else convert(value)


def _joined(
    word: str, sql: Composition, conditions: Sequence[Condition], columns: Columns
) -> str | None:
    """None for no conditions."""
    each = [predicate(sql, one, columns) for one in conditions]
    return f"({word.join(each)})" if each else None


def _compared(
    sql: Composition,
    held: str,
    operator: Operator,
    value: Any,
    ignore_case: bool,
    operand: Operand | None = None,
) -> str:
    if ignore_case and operator is not Operator.IS_NULL:
        held, value = sql.word(words.IN_LOWER_CASE, held), of_each(lower_case, value)
    return COMPARE[operator](sql, held, value, operand or sql.value)


def _is_in(held: str, values: Sequence[Any], operand: Operand) -> str:
    """The last value is repeated until their number is a power of two, so that there are few
    texts."""
    if not values:
        return "false"
    repeats = (1 << (len(values) - 1).bit_length()) - len(values)
    operands = [operand(value) for value in values]
    return f"{held} IN ({', '.join(operands + operands[-1:] * repeats)})"


def _starts_with(held: str, prefix: str, operand: Operand) -> str:
    """As a range in the order of code points, in which both databases compare."""
    from_here = f"{held} >= {operand(prefix)}"
    rising = prefix.rstrip("\U0010ffff")
    if not rising:
        return from_here
    following = ord(rising[-1]) + 1
    if 0xD800 <= following <= 0xDFFF:
        following = 0xE000
    return f"({from_here} AND {held} < {operand(rising[:-1] + chr(following))})"


def _held(sql: Composition, columns: Columns, field: str, source: str) -> str:
    if field == "external_id":
        return sql.word(words.TEXT_MEMBER, columns["external_ids"], sql.value(source))
    return columns["email_key" if field == "email" else field]


def _custom(sql: Composition, condition: CustomComparison, columns: Columns) -> str:
    key, operator, value = sql.value(condition.key), condition.operator, condition.value
    document = "custom_datetimes" if isinstance(value, datetime) else "custom_fields"
    held = columns[document]
    if operator is Operator.IS_NULL:
        present = sql.word(words.HAS_MEMBER, held, key)
        return f"NOT {present}" if value else present

    def exact(number: float) -> str:
        return sql.word(words.EXACT, sql.value(number))

    match value:
        case bool():
            member = sql.word(words.BOOLEAN_MEMBER, held, key)
        case float() | (float(), *_):
            member = sql.word(words.NUMBER_MEMBER, held, key)
            return _compared(sql, member, operator, value, False, exact)
        case datetime():
            member = sql.word(words.NUMBER_MEMBER, held, key)
            return _compared(sql, member, operator, value.timestamp(), False, exact)
        case _:
            member = sql.word(words.TEXT_MEMBER, held, key)
    return _compared(sql, member, operator, value, condition.ignore_case)


def _json(sql: Composition, value: Any) -> str:
    return sql.value(orjson.dumps(value).decode())
