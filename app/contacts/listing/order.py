"""Orders of contacts, and positions in them: Relay's arguments, cursors, and their SQL.

Contacts without a value come last in both directions.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from operator import attrgetter
from typing import Any, NamedTuple, TypeGuard
from uuid import UUID

from app import cursors
from app.contacts.limits import PAGE_DEFAULT, PAGE_LIMIT
from app.contacts.listing.conditions import RANGES, Comparison, Condition, Operator
from app.contacts.listing.predicates import Columns, predicate
from app.database.composed import Composition
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.tables import Contact
from app.text import fold
from app.timestamps import parse_timestamp
from app.workspaces.keys import Caller


class OrderField(Enum):
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    EMAIL = "email_key"
    NAME = "name_key"
    LIFETIME_VALUE = "lifetime_value"
    LAST_ORDER_AT = "last_order_at"

    @property
    def filtered_as(self) -> str:
        """The field of a filter that the index of the order has."""
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
    backward: bool = False
    after: "Position | None" = None
    before: "Position | None" = None


Value = str | float | datetime | None


class Position(NamedTuple):
    """The position of a contact in an order; the value is None for a contact without one."""

    value: Value
    contact_id: UUID

    @classmethod
    def of(cls, contact: Contact, order: Order) -> "Position":
        return cls(value_in(order)(contact), contact.id)


def value_in(order: Order) -> Callable[[Contact], Value]:
    if order.field is OrderField.NAME:
        return lambda contact: fold(contact.name) if contact.name else None
    read: Callable[[Contact], Value] = attrgetter(order.field.value)
    return read


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
        raise _invalid(
            FieldErrorCode.INVALID_FORMAT, "last", "must not be given together with first"
        )
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


def cursor(caller: Caller, order: Order, position: Position) -> str:
    return cursors.encoder(caller.workspace_id, order.name)(
        position.value, str(position.contact_id)
    )


def cursor_of(caller: Caller, order: Order) -> Callable[[Contact], str]:
    """Writes the cursors of many contacts."""
    encode, value_of = cursors.encoder(caller.workspace_id, order.name), value_in(order)
    return lambda contact: encode(value_of(contact), str(contact.id))


def _position(caller: Caller, order: Order, name: str, cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    try:
        value, contact_id = cursors.decode(caller.workspace_id, order.name, cursor)
        return Position(_value(order, value), UUID(contact_id))
    except (ValueError, TypeError, AttributeError) as error:
        message = "must be a cursor of this list in this order"
        raise _invalid(FieldErrorCode.INVALID_FORMAT, name, message) from error


def _value(order: Order, value: Any) -> Value:
    """Raises ValueError for a value that no contact can have, because a cursor can be forged."""
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


def compares_values(condition: Condition, order: Order) -> TypeGuard[Comparison]:
    """Whether the condition is on the values of the order, and so bounds a stretch of its index."""
    return (
        isinstance(condition, Comparison)
        and condition.field == order.field.filtered_as
        and (condition.operator in RANGES or condition.operator is Operator.IS_NULL)
        and not condition.ignore_case
    )


def stretches(
    sql: Composition,
    order: Order,
    window: Window,
    compared: Sequence[Comparison],
    columns: Columns,
) -> Iterator[list[str]]:
    """The bounds of the stretches of the index within the window, in the direction of travel.

    The contacts with a value are one stretch of the index of the order, those without one are
    another. `compared` are conditions on the values of the order. A stretch that cannot have any
    contact is left out.
    """
    value = columns[order.field.value]
    parts: list[tuple[bool, list[str | bool]]] = [(True, [])]
    if order.field in NULLABLE:
        parts = [(True, [f"{value} IS NOT NULL"]), (False, [f"{value} IS NULL"])]
    for has_values, bounds in reversed(parts) if window.backward else parts:
        for position, forward in ((window.after, True), (window.before, False)):
            if position is not None:
                key = value, columns["id"]
                bounds.append(_beyond(sql, order, key, position, has_values, forward))
        bounds += [_is_met(sql, one, has_values, columns) for one in compared]
        if False not in bounds:
            yield [bound for bound in bounds if isinstance(bound, str)]


def _is_met(
    sql: Composition, condition: Comparison, has_values: bool, columns: Columns
) -> str | bool:
    """The condition on the contacts of a stretch; or whether all of them meet it, or none."""
    wants_value = condition.operator is not Operator.IS_NULL or not condition.value
    if has_values != wants_value:
        return False
    return predicate(sql, condition, columns) if condition.operator in RANGES else True


def _beyond(
    sql: Composition,
    order: Order,
    key: tuple[str, str],
    position: Position,
    has_values: bool,
    forward: bool,
) -> str | bool:
    """The condition on the contacts of a stretch after the position, or before it; or whether all
    of them are there, or none."""
    if (position.value is None) == has_values:
        return forward != has_values
    first = 0 if has_values else 1  # without values, contacts are in the order of their ids
    row, edge = ", ".join(key[first:]), ", ".join(map(sql.value, position[first:]))
    return f"({row}) {'<' if order.descending == forward else '>'} ({edge})"


def within(sql: Composition, order: Order, window: Window, columns: Columns) -> str:
    """The condition that the contacts of all stretches meet."""
    found = stretches(sql, order, window, (), columns)
    each = [" AND ".join(bounds) or "true" for bounds in found]
    return f"({' OR '.join(each) or 'false'})"


def along(order: Order, window: Window, columns: Columns) -> str:
    """The sort keys of one stretch, in the direction of travel."""
    direction = "DESC" if order.descending != window.backward else "ASC"
    return f"{columns[order.field.value]} {direction}, {columns['id']} {direction}"


def across(order: Order, window: Window, columns: Columns) -> str:
    """The sort keys of all stretches together."""
    direction = "DESC" if window.backward else "ASC"
    missing = f"({columns[order.field.value]} IS NULL) {direction}"
    return f"{missing}, {along(order, window, columns)}"


def _invalid(code: FieldErrorCode, field: str, message: str) -> InvalidInput:
    return InvalidInput([FieldError(code, field, message)])
