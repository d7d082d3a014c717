"""What few contacts meet, looked up first.

PostgreSQL chooses its plan by statistics. SQLite has none, and is told: what few contacts meet
is looked up by `rare`, and a page is then made of those. Ranges of custom fields are looked up
on PostgreSQL as well, where they have a table of their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, column, func, literal_column, table
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.contacts.listing.conditions import (
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
    conjuncts,
)
from app.contacts.listing.predicates import (
    COMPARE,
    SEARCHED,
    TAG,
    TRIGRAM,
    comparison,
    has_name_key,
    without_index,
)
from app.contacts.store.ranges import CUSTOM_RANGE, RANGE_KEY_LENGTH
from app.database.sessions import is_sqlite
from app.tables import FILTERED, Assignment, ContactTable
from app.text import fold
from app.workspaces.keys import Caller

RARE = 1000
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
RANGES = {Operator.EQ, Operator.STARTS_WITH, *BOUNDS}
FLAGS = {"is_active": False, "is_unsubscribed": True}

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


@dataclass(frozen=True, slots=True)
class Lookup:
    """A way to some contacts, among which all that meet a condition are: by their ids, as a set
    or as what selects them, or in SQLite by the index of a field."""

    ids: Any
    field: str | None = None

    async def members(self, session: AsyncSession) -> set[UUID]:
        return self.ids if isinstance(self.ids, set) else set(await session.exec(self.ids))


async def rare(session: AsyncSession, caller: Caller, condition: Condition) -> Lookup | None:
    """A way to at most RARE contacts; None where there may be more."""
    match condition:
        case All():
            for part in _ranges(condition):
                one, *others = part
                looked_up = _few(session, caller, part) if others else rare(session, caller, one)
                if (found := await looked_up) is not None:
                    return found
            return None
        case AnyOf(conditions):
            union: set[UUID] = set()
            for one in conditions:
                found = await rare(session, caller, one)
                if found is None:
                    return None
                union |= await found.members(session)
                if len(union) > RARE:
                    return None
            return Lookup(union)
        case Not():
            return None
    return await _few(session, caller, [condition])


async def rarest(
    session: AsyncSession, caller: Caller, condition: Condition, limit: int
) -> Lookup | None:
    """SQLite's way to the fewest contacts; None where there are more than the limit."""
    found = None
    for part in _ranges(condition):
        ids = _range(caller, part)
        if ids is not None and (count := await _count(session, ids, limit)) <= limit:
            limit, found = count, Lookup(ids, _field(part))
    return found


def _ranges(whole: Condition) -> Iterable[list[Condition]]:
    """Each condition for itself, but the bounds of one value together: few may lie between two
    that many meet each."""
    found: dict[object, list[Condition]] = {}
    for condition in conjuncts(whole):
        match condition:
            case Comparison(field, operator) if operator in BOUNDS:
                what: object = field
            case CustomComparison(key, operator, value) if operator in BOUNDS:
                what = (key, type(value))
            case _:
                what = id(condition)
        found.setdefault(what, []).append(condition)
    return found.values()


async def _few(
    session: AsyncSession, caller: Caller, conditions: Sequence[Condition]
) -> Lookup | None:
    """Those that meet one condition, or all bounds of one value."""
    sqlite = is_sqlite(session)
    statement = (_range if sqlite else _custom_range)(caller, conditions)
    if statement is None:
        return None
    if sqlite and (field := _field(conditions)):
        counted = await _count(session, statement, RARE)
        return Lookup(statement, field) if counted <= RARE else None
    ids = (await session.exec(statement.limit(RARE + 1))).all()
    return Lookup(set(ids)) if len(ids) <= RARE else None


async def _count(session: AsyncSession, ids: SelectOfScalar[UUID], limit: int) -> int:
    """How many there are, as far as that is not beyond the limit."""
    counted = ids.with_only_columns(literal_column("1")).limit(limit + 1).subquery()
    return (await session.exec(select(func.count()).select_from(counted))).one()


def _field(conditions: Sequence[Condition]) -> str | None:
    """The field by whose index SQLite goes from one value, or in one range.

    Not for a list of values, which it takes for more than the workspace has.
    """
    match conditions[0]:
        case Comparison(field, operator) if operator in RANGES and field not in FLAGS:
            return field
    return None


def _range(caller: Caller, conditions: Sequence[Condition]) -> SelectOfScalar[UUID] | None:
    one, *others = conditions
    statement = _lookup(caller, one)
    return None if statement is None else statement.where(*map(_bound, others))


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
            by_flag = field in FLAGS and value is FLAGS[field]
            if operator is Operator.IS_NULL or not (field in INDEXED or by_flag):
                return None
            if field == "name" and not has_name_key(operator, value):
                return None
            return select(col(ContactTable.id)).where(
                col(ContactTable.workspace_id) == caller.workspace_id, _bound(condition)
            )
    return None


def _bound(condition: Condition) -> ColumnElement[bool]:
    """What a look-up compares, in the table that it reads."""
    match condition:
        case CustomComparison(_, operator, datetime() as moment):
            return COMPARE[operator](CUSTOM_MOMENT.c.moment, moment.timestamp())
        case CustomComparison(_, operator, value):
            return COMPARE[operator](CUSTOM_VALUE.c.value, value)
        case Comparison():
            return comparison(condition, sqlite=True, by_index=True)
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
            without_index(ids.c.workspace_id, sqlite=True) == caller.workspace_id,
        )
    )


def _custom_values(caller: Caller, condition: CustomComparison) -> SelectOfScalar[UUID] | None:
    if condition.operator not in COMPARE:
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
