"""Conditions as SQL, in either dialect."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Numeric,
    Text,
    Uuid,
    and_,
    case,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    table,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.expression import UnaryExpression
from sqlalchemy.sql.operators import custom_op
from sqlmodel import col

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
from app.tables import Assignment, ContactTable
from app.text import fold

TRIGRAM = 3
SEARCHED = {"external_id", "email", "name", "first_name", "last_name", "company", "phone"}

# pg_trgm leaves out what is no letter or digit, and so would take example.example for what every
# address has. Its indexes are of text with digits for what often stands between words.
TRIGRAMS = {"search_text", "notes"}
UNBROKEN = str.maketrans(". @-_+',&\n", "0123456789")

TAG = table("contact_tag", column("workspace_id", Uuid), column("tag"), column("contact_id", Uuid))
# Not false(), for which SQLAlchemy leaves out what stands beside it, the workspace included.
NEVER: ColumnElement[bool] = literal(value=False)

COMPARE: dict[Operator, Callable[[Any, Any], ColumnElement[bool]]] = {
    Operator.EQ: lambda left, right: left == right,
    Operator.IN: lambda left, right: left.in_(right),
    Operator.GT: lambda left, right: left > right,
    Operator.GTE: lambda left, right: left >= right,
    Operator.LT: lambda left, right: left < right,
    Operator.LTE: lambda left, right: left <= right,
}


def predicate(
    condition: Condition, *, sqlite: bool, indexed: str | None = None
) -> ColumnElement[bool]:
    """The condition on a row of `contact`; on SQLite such that it draws no index to itself.

    Only what compares the field that is `indexed` may say where in its index to begin and to end.
    """
    match condition:
        case All(conditions):
            parts = (predicate(one, sqlite=sqlite, indexed=indexed) for one in conditions)
            return and_(true(), *parts)
        case AnyOf(conditions):
            if not conditions:
                return NEVER
            return or_(*(predicate(one, sqlite=sqlite) for one in conditions))
        case Not(negated):
            return not_(func.coalesce(predicate(negated, sqlite=sqlite), false()))
        case Comparison():
            by_index = not sqlite or condition.field == indexed
            return comparison(condition, sqlite=sqlite, by_index=by_index)
        case CustomComparison():
            return _custom_sqlite(condition) if sqlite else _custom_postgresql(condition)
        case Tagged(tags):
            if not sqlite:
                held: Any = type_coerce(col(ContactTable.tags), JSONB)
                met: ColumnElement[bool] = held.has_any(cast(list(tags), ARRAY(Text)))
                return met
            return exists().where(
                TAG.c.workspace_id == ContactTable.workspace_id,
                TAG.c.contact_id == ContactTable.id,
                TAG.c.tag.in_(tags),
            )
        case AssignedTo(assignee):
            return exists().where(
                col(Assignment.workspace_id) == col(ContactTable.workspace_id),
                col(Assignment.contact_id) == col(ContactTable.id),
                col(Assignment.kind) == assignee.kind,
                col(Assignment.target_id) == assignee.target_id,
            )
        case Found(folded):
            return _contains(col(ContactTable.search_text), folded, sqlite=sqlite)


def comparison(condition: Comparison, *, sqlite: bool, by_index: bool) -> ColumnElement[bool]:
    name = "email_key" if condition.field == "email" else condition.field
    held: Any = col(getattr(ContactTable, name))
    value = condition.value
    met = _met(held if by_index else without_index(held, sqlite=sqlite), condition, sqlite=sqlite)
    if not by_index:
        return met
    # Each index knows a superset of what meets the condition.
    if condition.operator is Operator.CONTAINS and condition.field in SEARCHED:
        folded = fold(str(value))
        if len(folded) >= TRIGRAM:
            return and_(_contains(col(ContactTable.search_text), folded, sqlite=sqlite), met)
    if condition.field == "name" and has_name_key(condition.operator, value):
        key = col(ContactTable.name_key)
        if condition.operator is Operator.STARTS_WITH:
            return and_(starts_with(key, fold(str(value))), met)
        names = value if isinstance(value, tuple) else (value,)
        return and_(key.in_([fold(str(name)) for name in names]), met)
    return met


def has_name_key(operator: Operator, value: object) -> bool:
    """Whether the index of folded names leads to what is compared: not to an empty name."""
    match operator, value:
        case Operator.STARTS_WITH, str(prefix):
            return bool(fold(prefix))
        case Operator.IN, tuple(names):
            return all(names)
    return operator is Operator.EQ and bool(value)


def _met(held: Any, condition: Comparison, *, sqlite: bool) -> ColumnElement[bool]:
    match condition.operator, condition.value:
        case Operator.IS_NULL, wanted:
            missing: ColumnElement[bool] = held.is_(None)
            return missing if wanted else not_(missing)
        case Operator.CONTAINS, str(value):
            return _contains(held, value, sqlite=sqlite)
        case Operator.STARTS_WITH, str(value):
            return starts_with(held, value)
        case operator, value:
            return COMPARE[operator](held, value)


def starts_with(held: Any, prefix: str) -> ColumnElement[bool]:
    """As a range, in the order of code points, which is that of UTF-8 and both databases' here."""
    from_here: ColumnElement[bool] = held >= prefix
    rising = prefix.rstrip("\U0010ffff")
    if not rising:
        return from_here
    following = ord(rising[-1]) + 1
    if 0xD800 <= following <= 0xDFFF:
        following = 0xE000
    return and_(from_here, held < rising[:-1] + chr(following))


def without_index(held: Any, *, sqlite: bool) -> ColumnElement[Any]:
    """The same, such that it chooses no index: on SQLite by its own way, a unary plus."""
    if sqlite:
        return UnaryExpression[Any](held, operator=custom_op("+", precedence=100), type_=held.type)
    return func.coalesce(held, held, type_=held.type)


def _contains(held: Any, text: str, *, sqlite: bool) -> ColumnElement[bool]:
    # PostgreSQL takes `<> 0` for what nearly all meet, and so counts on the share that it knows
    # of the index alone.
    position = func.instr if sqlite else func.strpos
    found: ColumnElement[bool] = position(held, text) != 0
    if sqlite or held.key not in TRIGRAMS or len(text) < TRIGRAM:
        return found
    unbroken = func.rollcall_unbroken(held)
    return and_(found, unbroken.contains(text.translate(UNBROKEN), autoescape=True))


def _custom_sqlite(condition: CustomComparison) -> ColumnElement[bool]:
    members = func.json_each(col(ContactTable.custom_fields)).table_valued("key", "value", "type")
    of_key = exists().select_from(members).where(members.c.key == condition.key)
    value = members.c.value
    match condition.operator, condition.value:
        case Operator.IS_NULL, wanted:
            present = of_key.where(members.c.type != "null")
            return not_(present) if wanted else present
        case _, bool() as flag:
            return of_key.where(members.c.type == str(flag).lower())
        case operator, datetime() as moment:
            at = COMPARE[operator](func.rollcall_moment(value), moment.timestamp())
            return of_key.where(members.c.type == "text", at)
        case Operator.CONTAINS, str(part):
            return of_key.where(members.c.type == "text", func.instr(value, part) > 0)
        case Operator.STARTS_WITH, str(prefix):
            return of_key.where(members.c.type == "text", starts_with(value, prefix))
        case operator, operand:
            is_text = isinstance(operand, str | tuple)
            types = ("text",) if is_text else ("integer", "real")
            return of_key.where(members.c.type.in_(types), COMPARE[operator](value, operand))


def _custom_postgresql(condition: CustomComparison) -> ColumnElement[bool]:
    held = type_coerce(col(ContactTable.custom_fields), JSONB)
    value, text = held[condition.key], held[condition.key].astext
    kind = func.jsonb_typeof(value)
    match condition.operator, condition.value:
        case Operator.IS_NULL, wanted:
            present = func.coalesce(kind != "null", false())
            return not_(present) if wanted else present
        case Operator.EQ, (str() | bool() | float()) as operand:
            return held.contains({condition.key: operand})
        case Operator.IN, tuple() as operands:
            if not operands:
                return NEVER
            return or_(*(held.contains({condition.key: one}) for one in operands))
        case operator, datetime() as moment:
            at = COMPARE[operator](func.rollcall_moment(text), moment)
            return case((kind == "string", at), else_=false())
        case Operator.CONTAINS, str(part):
            return and_(kind == "string", func.strpos(text, part) > 0)
        case Operator.STARTS_WITH, str(prefix):
            return and_(kind == "string", func.starts_with(text, prefix))
        case operator, operand:
            exact = literal(Decimal(str(operand)), Numeric)
            number = COMPARE[operator](cast(text, Numeric), exact)
            return case((kind == "number", number), else_=false())
