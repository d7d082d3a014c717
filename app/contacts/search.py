"""Conditions as SQL, in either dialect.

PostgreSQL chooses its plan by statistics. SQLite has none, and is told: a condition that few
contacts meet is looked up first, by `rare`, and a page is then made of those; where all are met
by many, the page walks along the index of its order, where it will soon find enough. So is, on
PostgreSQL, a range of a custom field, which has a table of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

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
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.auth import Caller
from app.contacts.filters import (
    BOUNDS,
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
from app.contacts.ranges import CUSTOM_RANGE, RANGE_KEY_LENGTH
from app.database import is_sqlite
from app.tables import FILTERED, Assignment, ContactTable
from app.text import fold

RARE = 1000
TRIGRAM = 3
SEARCHED = {"external_id", "email", "name", "first_name", "last_name", "company", "phone"}
INDEXED = {
    *FILTERED,
    "external_id",
    "email",
    "name",
    "lifetime_value",
    "last_order_at",
    "created_at",
    "updated_at",
}
INDEXED_VALUE_LENGTH = 255

# pg_trgm leaves out what is no letter or digit, and so would take example.example for what every
# address has. Its indexes are of text with digits for what often stands between words.
TRIGRAMS = {"search_text", "notes"}
UNBROKEN = str.maketrans(". @-_+',&\n", "0123456789")

TAG = table("contact_tag", column("workspace_id", Uuid), column("tag"), column("contact_id", Uuid))
CUSTOM_VALUE = table(
    "contact_custom_value",
    column("workspace_id", Uuid),
    column("key"),
    column("type"),
    column("value"),
    column("contact_id", Uuid),
)
CUSTOM_MOMENT = table(
    "contact_custom_moment",
    column("workspace_id", Uuid),
    column("key"),
    column("moment"),
    column("contact_id", Uuid),
)

# Not false(), for which SQLAlchemy leaves out what stands beside it, the workspace included.
NEVER: ColumnElement[bool] = literal(value=False)

_COMPARE: dict[Operator, Callable[[Any, Any], ColumnElement[bool]]] = {
    Operator.EQ: lambda left, right: left == right,
    Operator.IN: lambda left, right: left.in_(right),
    Operator.GT: lambda left, right: left > right,
    Operator.GTE: lambda left, right: left >= right,
    Operator.LT: lambda left, right: left < right,
    Operator.LTE: lambda left, right: left <= right,
}


def predicate(
    condition: Condition, *, sqlite: bool, walked: str | None = None
) -> ColumnElement[bool]:
    """The condition on a row of `contact`; on SQLite such that it draws no index to itself.

    Only what compares the field whose index is `walked` may say where the walk begins and ends.
    """
    match condition:
        case All(conditions):
            parts = (predicate(one, sqlite=sqlite, walked=walked) for one in conditions)
            return and_(true(), *parts)
        case AnyOf(conditions):
            if not conditions:
                return NEVER
            return or_(*(predicate(one, sqlite=sqlite) for one in conditions))
        case Not(negated):
            return not_(func.coalesce(predicate(negated, sqlite=sqlite), false()))
        case Comparison():
            by_index = not sqlite or condition.field == walked
            return _comparison(condition, sqlite=sqlite, by_index=by_index)
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


async def rare(session: AsyncSession, caller: Caller, condition: Condition) -> set[UUID] | None:
    """The contacts among which all that meet the condition are; None where they may be many."""
    match condition:
        case All(conditions):
            for part in _ranges(conditions):
                is_range = len(part) > 1
                few = _few(session, caller, part) if is_range else rare(session, caller, part[0])
                if (found := await few) is not None:
                    return found
            return None
        case AnyOf(conditions):
            union: set[UUID] = set()
            for one in conditions:
                found = await rare(session, caller, one)
                if found is None or len(union := union | found) > RARE:
                    return None
            return union
        case Not():
            return None
    return await _few(session, caller, [condition])


def _ranges(conditions: Sequence[Condition]) -> Iterable[list[Condition]]:
    """Each condition for itself, but the bounds of one value together: few may lie between two
    that many meet each."""
    found: dict[object, list[Condition]] = {}
    for condition in _flat(conditions):
        match condition:
            case Comparison(field, operator) if operator in BOUNDS:
                what: object = field
            case CustomComparison(key, operator, value) if operator in BOUNDS:
                what = (key, type(value))
            case _:
                what = id(condition)
        found.setdefault(what, []).append(condition)
    return found.values()


def _flat(conditions: Sequence[Condition]) -> Iterator[Condition]:
    for condition in conditions:
        if isinstance(condition, All):
            yield from _flat(condition.conditions)
        else:
            yield condition


async def _few(
    session: AsyncSession, caller: Caller, conditions: Sequence[Condition]
) -> set[UUID] | None:
    """Those that meet one condition, or all bounds of one value."""
    if is_sqlite(session):
        one, *others = conditions
        statement = _lookup(caller, one)
        statement = statement if statement is None else statement.where(*map(_bound, others))
    else:
        statement = _custom_range(caller, conditions)
    if statement is None:
        return None
    ids = (await session.exec(statement.limit(RARE + 1))).all()
    return set(ids) if len(ids) <= RARE else None


def _lookup(caller: Caller, condition: Condition) -> SelectOfScalar[UUID] | None:
    """Reads the ids of the contacts that may meet the condition from an index of SQLite's."""
    match condition:
        case Found(folded):
            return _texts(caller, "contact_text", folded)
        case Tagged(tags):
            held = select(TAG.c.contact_id)
            return held.where(TAG.c.workspace_id == caller.workspace_id, TAG.c.tag.in_(tags))
        case AssignedTo(assignee):
            return select(col(Assignment.contact_id)).where(
                col(Assignment.workspace_id) == caller.workspace_id,
                col(Assignment.kind) == assignee.kind,
                col(Assignment.target_id) == assignee.target_id,
            )
        case CustomComparison():
            return _custom_values(caller, condition)
        case Comparison("notes", Operator.CONTAINS, str(value)):
            return _texts(caller, "contact_notes", value) if len(value) >= TRIGRAM else None
        case Comparison(field, Operator.CONTAINS, str(value)):
            trigrams = field in SEARCHED and len(fold(value)) >= TRIGRAM
            return _texts(caller, "contact_text", fold(value)) if trigrams else None
        case Comparison(field, operator, value):
            by_flag = (field, value) in (("is_active", False), ("is_unsubscribed", True))
            if operator is Operator.IS_NULL or not (field in INDEXED or by_flag):
                return None
            if field == "name" and "" in (value if isinstance(value, tuple) else (value,)):
                return None  # an empty name has no key
            return select(col(ContactTable.id)).where(
                col(ContactTable.workspace_id) == caller.workspace_id, _bound(condition)
            )
    return None


def _bound(condition: Condition) -> ColumnElement[bool]:
    """What a look-up compares, in the table that it reads."""
    match condition:
        case CustomComparison(_, operator, datetime() as moment):
            return _COMPARE[operator](CUSTOM_MOMENT.c.moment, moment.timestamp())
        case CustomComparison(_, operator, value):
            return _COMPARE[operator](CUSTOM_VALUE.c.value, value)
        case Comparison():
            return _comparison(condition, sqlite=True, by_index=True)
    raise TypeError(condition)


def _texts(caller: Caller, index: str, text: str) -> SelectOfScalar[UUID]:
    """The contacts where a text index of trigrams has the text."""
    ids = table(
        f"{index}_id", column("id"), column("workspace_id", Uuid), column("contact_id", Uuid)
    )
    texts = table(index, column("rowid"), column(index))
    phrase = '"' + text.replace('"', '""') + '"'
    return (
        select(ids.c.contact_id)
        .join(texts, texts.c.rowid == ids.c.id)
        .where(
            texts.c[index].match(phrase),
            without_index(ids.c.workspace_id) == caller.workspace_id,
        )
    )


def _custom_values(caller: Caller, condition: CustomComparison) -> SelectOfScalar[UUID] | None:
    if condition.operator not in _COMPARE:
        return None
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    of_key = select(CUSTOM_VALUE.c.contact_id).where(
        CUSTOM_VALUE.c.workspace_id == caller.workspace_id, CUSTOM_VALUE.c.key == condition.key
    )
    match values[0] if values else None:
        case datetime():
            return select(CUSTOM_MOMENT.c.contact_id).where(
                CUSTOM_MOMENT.c.workspace_id == caller.workspace_id,
                CUSTOM_MOMENT.c.key == condition.key,
                _bound(condition),
            )
        case bool() as value:
            return of_key.where(CUSTOM_VALUE.c.type == str(value).lower())
        case str() if all(len(str(value)) <= INDEXED_VALUE_LENGTH for value in values):
            kind = "text"
        case float():
            kind = "number"
        case _:
            return None
    return of_key.where(CUSTOM_VALUE.c.type == kind, _bound(condition))


def _custom_range(caller: Caller, conditions: Sequence[Condition]) -> SelectOfScalar[UUID] | None:
    """The contacts that may lie within all bounds of one value; None for what is no range."""
    held = CUSTOM_RANGE.c
    statement = select(held.contact_id).where(held.workspace_id == caller.workspace_id)
    for condition in conditions:
        match condition:
            case CustomComparison(key, operator, float() | datetime() as value) if (
                operator in BOUNDS and len(key) <= RANGE_KEY_LENGTH
            ):
                is_moment = isinstance(value, datetime)
                bound = value.timestamp() if isinstance(value, datetime) else value
                is_least = operator in (Operator.GT, Operator.GTE)
                statement = statement.where(
                    held.key == key,
                    held.is_moment.is_(is_moment),
                    held.value >= bound if is_least else held.value <= bound,
                )
            case _:
                return None
    return statement


def _comparison(condition: Comparison, *, sqlite: bool, by_index: bool) -> ColumnElement[bool]:
    name = "email_key" if condition.field == "email" else condition.field
    held: Any = col(getattr(ContactTable, name))
    value = condition.value
    met = _met(held if by_index else without_index(held), condition, sqlite=sqlite)
    if not by_index:
        return met
    # Each index knows a superset of what meets the condition.
    if condition.operator is Operator.CONTAINS and condition.field in SEARCHED:
        folded = fold(str(value))
        if len(folded) >= TRIGRAM:
            return and_(_contains(col(ContactTable.search_text), folded, sqlite=sqlite), met)
    names = value if isinstance(value, tuple) else (value,)
    if condition.field == "name" and condition.operator in (Operator.EQ, Operator.IN):
        keys = [fold(str(one)) for one in names]
        return and_(col(ContactTable.name_key).in_(keys), met) if all(names) else met
    return met


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
            return _COMPARE[operator](held, value)


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


def without_index(held: Any) -> ColumnElement[Any]:
    """SQLite's own way of keeping a term from choosing the index: a unary plus."""
    return UnaryExpression[Any](held, operator=custom_op("+", precedence=100), type_=held.type)


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
            at = _COMPARE[operator](func.rollcall_moment(value), moment.timestamp())
            return of_key.where(members.c.type == "text", at)
        case Operator.CONTAINS, str(part):
            return of_key.where(members.c.type == "text", func.instr(value, part) > 0)
        case Operator.STARTS_WITH, str(prefix):
            return of_key.where(members.c.type == "text", starts_with(value, prefix))
        case operator, operand:
            is_text = isinstance(operand, str | tuple)
            types = ("text",) if is_text else ("integer", "real")
            return of_key.where(members.c.type.in_(types), _COMPARE[operator](value, operand))


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
            at = _COMPARE[operator](func.rollcall_moment(text), moment)
            return case((kind == "string", at), else_=false())
        case Operator.CONTAINS, str(part):
            return and_(kind == "string", func.strpos(text, part) > 0)
        case Operator.STARTS_WITH, str(prefix):
            return and_(kind == "string", func.starts_with(text, prefix))
        case operator, operand:
            exact = literal(Decimal(str(operand)), Numeric)
            number = _COMPARE[operator](cast(text, Numeric), exact)
            return case((kind == "number", number), else_=false())
