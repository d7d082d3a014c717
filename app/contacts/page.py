"""Keyset pages: each starts where the one before ended, and costs the same wherever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    False_,
    Uuid,
    and_,
    any_,
    cast,
    false,
    func,
    true,
    tuple_,
)
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import cursors
from app.auth import Caller
from app.contacts.filters import EVERY, Condition
from app.contacts.find import COLUMNS, of_workspace, record
from app.contacts.lookups import rare
from app.contacts.search import predicate, without_index
from app.database import is_sqlite
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields import parse_timestamp
from app.tables import Contact, ContactTable
from app.text import fold

PAGE_LIMIT = 100
PAGE_DEFAULT = 50


class OrderField(Enum):
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    EMAIL = "email_key"
    NAME = "name_key"
    LIFETIME_VALUE = "lifetime_value"
    LAST_ORDER_AT = "last_order_at"

    @property
    def walks(self) -> str:
        """The field that a filter compares, where the order has its index."""
        return "email" if self is OrderField.EMAIL else self.value


NULLABLE = {OrderField.NAME, OrderField.LIFETIME_VALUE, OrderField.LAST_ORDER_AT}


class Direction(Enum):
    ASC = "ASC"
    DESC = "DESC"


@dataclass(frozen=True, slots=True)
class Order:
    field: OrderField = OrderField.CREATED_AT
    direction: Direction = Direction.DESC

    @property
    def descending(self) -> bool:
        return self.direction is Direction.DESC

    @property
    def name(self) -> str:
        return f"{self.field.name} {self.direction.name}"


OLDEST_FIRST = Order(direction=Direction.ASC)


@dataclass(frozen=True, slots=True)
class Window:
    """Relay's arguments, checked: `size` rows of the order, from the end if `backward`."""

    size: int
    backward: bool
    after: "Position | None"
    before: "Position | None"


Value = str | float | datetime | None


@dataclass(frozen=True, slots=True)
class Position:
    """A contact's place in an order; the value is None among those at the end without one."""

    value: Value
    contact_id: UUID


@dataclass(frozen=True, slots=True)
class Page:
    contacts: Sequence[Contact]
    has_more: bool  # in the direction of travel


def window(
    caller: Caller,
    order: Order,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Window:
    """Raises InvalidInput that names the argument."""
    if first is not None and last is not None:
        raise _invalid(FieldErrorCode.INVALID_FORMAT, "last", "cannot go together with first")
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 0 <= size <= PAGE_LIMIT:
            raise _invalid(FieldErrorCode.OUT_OF_RANGE, name, f"must be from 0 to {PAGE_LIMIT}")
    size = next((size for size in (first, last) if size is not None), PAGE_DEFAULT)
    return Window(
        size=size,
        backward=last is not None,
        after=_position(caller, order, "after", after),
        before=_position(caller, order, "before", before),
    )


def cursor(caller: Caller, order: Order, contact: Contact) -> str:
    value: Any = fold(contact.name) if contact.name else None
    if order.field is not OrderField.NAME:
        value = getattr(contact, order.field.value)
    if isinstance(value, datetime):
        value = value.isoformat()
    return cursors.encode(caller.workspace_id, order.name, [value, str(contact.id)])


async def page(
    session: AsyncSession,
    caller: Caller,
    order: Order,
    window: Window,
    condition: Condition = EVERY,
) -> Page:
    """Contacts with a value come in its order, those without one behind them, each by an index."""
    candidates = await rare(session, caller, condition)
    by_index = candidates is None or not is_sqlite(session)
    rows: list[Any] = []
    for nulls in _segments(order, window):
        missing = window.size + 1 - len(rows)
        bounds = _bounds(order, window, nulls=nulls)
        if missing and bounds is not None:
            statement = _statement(order, window, nulls=nulls, by_index=by_index)
            place = (*_segment(order, nulls), *bounds)
            narrowed = _narrowed(statement, session, caller, condition, candidates, order, *place)
            rows += (await session.exec(narrowed.limit(missing))).all()
    contacts = [record(row) for row in rows[: window.size]]
    if window.backward:
        contacts.reverse()
    return Page(contacts, has_more=len(rows) > window.size)


async def reaches_beyond(
    session: AsyncSession,
    caller: Caller,
    order: Order,
    window: Window,
    condition: Condition = EVERY,
    *,
    forward: bool,
) -> bool:
    """Whether there is a contact outside of the window: behind `before`, or ahead of `after`."""
    edge = window.before if forward else window.after
    if edge is None:
        return False
    candidates = await rare(session, caller, condition)
    for nulls in _segments(order, window):
        bound = _beyond(order, edge, forward=forward, nulls=nulls, inclusive=True)
        if isinstance(bound, False_):
            continue
        statement, place = select(col(ContactTable.id)), (*_segment(order, nulls), bound)
        narrowed = _narrowed(statement, session, caller, condition, candidates, order, *place)
        if (await session.exec(narrowed.limit(1))).first() is not None:
            return True
    return False


async def count(session: AsyncSession, caller: Caller, condition: Condition = EVERY) -> int:
    candidates = await rare(session, caller, condition)
    statement = select(func.count()).select_from(ContactTable)
    narrowed = _narrowed(statement, session, caller, condition, candidates)
    counted: int = (await session.exec(narrowed)).one()
    return counted


def _narrowed(
    statement: Any,
    session: AsyncSession,
    caller: Caller,
    condition: Condition,
    candidates: set[UUID] | None,
    order: Order | None = None,
    *place: ColumnElement[bool],
) -> Any:
    walked = order.field.walks if order and candidates is None else None
    met = predicate(condition, sqlite=is_sqlite(session), walked=walked)
    statement = statement.where(of_workspace(caller), met)
    if candidates is None:
        return statement.where(*place)
    if not is_sqlite(session):
        by_ids = col(ContactTable.id) == any_(cast(list(candidates), ARRAY(Uuid)))
        return statement.where(by_ids, *place)
    # SQLite takes a workspace for smaller than a few candidates. It goes by their ids where no
    # other index can serve: not to find the place, nor by holding all that is asked, as no index
    # holds the version.
    by_id = col(ContactTable.id).in_(candidates)
    return statement.where(
        by_id, without_index(and_(true(), *place)), col(ContactTable.version) > 0
    )


def _segments(order: Order, window: Window) -> list[bool]:
    """Whether each part of the order is the one without a value, in the direction of travel."""
    if order.field not in NULLABLE:
        return [False]
    return [True, False] if window.backward else [False, True]


def _segment(order: Order, nulls: bool) -> list[ColumnElement[bool]]:
    if order.field not in NULLABLE:
        return []
    column = _column(order)
    return [column.is_(None) if nulls else column.is_not(None)]


def _statement(order: Order, window: Window, *, nulls: bool, by_index: bool) -> Any:
    key = _key(order, nulls)
    if not by_index:
        key = [without_index(column) for column in key]
    descending = order.descending != window.backward
    return select(*COLUMNS).order_by(
        *(column.desc() if descending else column.asc() for column in key)
    )


def _column(order: Order) -> Any:
    return col(getattr(ContactTable, order.field.value))


def _key(order: Order, nulls: bool) -> list[Any]:
    identity = col(ContactTable.id)
    return [identity] if nulls else [_column(order), identity]


def _bounds(order: Order, window: Window, *, nulls: bool) -> list[ColumnElement[bool]] | None:
    """None where the window lies outside of this part of the order."""
    bounds = []
    for position, forward in ((window.after, True), (window.before, False)):
        if position is not None:
            bounds.append(_beyond(order, position, forward=forward, nulls=nulls))
    return None if any(isinstance(bound, False_) for bound in bounds) else bounds


def _beyond(
    order: Order, position: Position, *, forward: bool, nulls: bool, inclusive: bool = False
) -> ColumnElement[bool]:
    if (position.value is None) != nulls:
        return true() if forward == nulls else false()
    at = [position.contact_id] if nulls else [position.value, position.contact_id]
    row, edge = tuple_(*_key(order, nulls)), tuple_(*at)
    if order.descending == forward:
        return row <= edge if inclusive else row < edge
    return row >= edge if inclusive else row > edge


def _position(caller: Caller, order: Order, name: str, cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    try:
        value, contact_id = cursors.decode(caller.workspace_id, order.name, cursor)
        return Position(_value(order, value), UUID(contact_id))
    except (ValueError, TypeError, AttributeError) as error:
        message = "is not a cursor of this list in this order"
        raise _invalid(FieldErrorCode.INVALID_FORMAT, name, message) from error


def _value(order: Order, value: Any) -> Value:
    """Raises ValueError for what no contact has, as a cursor may be forged."""
    if value is None and order.field in NULLABLE:
        return None
    match order.field, value:
        case OrderField.LIFETIME_VALUE, float():
            return value
        case OrderField.NAME | OrderField.EMAIL, str() if "\x00" not in value:
            return value
        case OrderField.LIFETIME_VALUE | OrderField.NAME | OrderField.EMAIL, _:
            raise ValueError(value)
        case _:
            return parse_timestamp(value)


def _invalid(code: FieldErrorCode, field: str, message: str) -> InvalidInput:
    return InvalidInput([FieldError(code, field, message)])
