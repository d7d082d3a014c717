"""Keyset pages: each starts where the one before ended, and costs the same wherever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import cursors
from app.auth import Caller
from app.contacts.find import COLUMNS, of_workspace, record
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.tables import Contact, ContactTable

PAGE_LIMIT = 100
PAGE_DEFAULT = 50


class OrderField(Enum):
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


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


@dataclass(frozen=True, slots=True)
class Window:
    """Relay's arguments, checked: `size` rows of the order, from the end if `backward`."""

    size: int
    backward: bool
    after: "Position | None"
    before: "Position | None"


@dataclass(frozen=True, slots=True)
class Position:
    value: datetime
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
    value: datetime = getattr(contact, order.field.value)
    return cursors.encode(caller.workspace_id, order.name, [value.isoformat(), str(contact.id)])


async def page(session: AsyncSession, caller: Caller, order: Order, window: Window) -> Page:
    key = _key(order)
    descending = order.descending != window.backward
    statement = (
        select(*COLUMNS)
        .where(of_workspace(caller), *_bounds(order, window))
        .order_by(*(column.desc() if descending else column.asc() for column in key))
        .limit(window.size + 1)
    )
    rows = (await session.exec(statement)).all()
    contacts = [record(row) for row in rows[: window.size]]
    if window.backward:
        contacts.reverse()
    return Page(contacts, has_more=len(rows) > window.size)


async def reaches_back(session: AsyncSession, caller: Caller, order: Order, window: Window) -> bool:
    """Whether there is a contact on the side that the window was opened from."""
    edge = window.before if window.backward else window.after
    if edge is None:
        return False
    beyond = _beyond(order, edge, forward=window.backward, inclusive=True)
    statement = select(col(ContactTable.id)).where(of_workspace(caller), beyond).limit(1)
    return (await session.exec(statement)).first() is not None


async def count(session: AsyncSession, caller: Caller) -> int:
    statement = select(func.count()).select_from(ContactTable).where(of_workspace(caller))
    return (await session.exec(statement)).one()


def _key(order: Order) -> list[ColumnElement[Any]]:
    return [getattr(ContactTable, order.field.value), col(ContactTable.id)]


def _bounds(order: Order, window: Window) -> list[ColumnElement[bool]]:
    bounds = []
    if window.after is not None:
        bounds.append(_beyond(order, window.after, forward=True))
    if window.before is not None:
        bounds.append(_beyond(order, window.before, forward=False))
    return bounds


def _beyond(
    order: Order, position: Position, *, forward: bool, inclusive: bool = False
) -> ColumnElement[bool]:
    row, at = tuple_(*_key(order)), tuple_(position.value, position.contact_id)
    if order.descending == forward:
        return row <= at if inclusive else row < at
    return row >= at if inclusive else row > at


def _position(caller: Caller, order: Order, name: str, cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    try:
        value, contact_id = cursors.decode(caller.workspace_id, order.name, cursor)
        return Position(datetime.fromisoformat(value), UUID(contact_id))
    except (ValueError, TypeError, AttributeError) as error:
        message = "is not a cursor of this list in this order"
        raise _invalid(FieldErrorCode.INVALID_FORMAT, name, message) from error


def _invalid(code: FieldErrorCode, field: str, message: str) -> InvalidInput:
    return InvalidInput([FieldError(code, field, message)])
