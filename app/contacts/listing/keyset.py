"""The part of an order within a window, as SQL."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, False_, Tuple, and_, false, or_, true, tuple_

from app.contacts.listing.order import NULLABLE, Order, Position, Window
from app.contacts.listing.predicates import Columns

Stretch = Sequence[ColumnElement[bool]]


def stretches(order: Order, window: Window, columns: Columns) -> Iterator[tuple[bool, Stretch]]:
    """The stretches of the index within the window, in the direction of travel.

    The contacts with a value are one stretch of the index of the order, those without one are
    another. Returns for each whether it has values, and the bounds of its contacts.
    """
    value = columns[order.field.value]
    parts: list[tuple[bool, list[Any]]] = [(True, [])]
    if order.field in NULLABLE:
        parts = [(True, [value.is_not(None)]), (False, [value.is_(None)])]
    for has_values, bounds in reversed(parts) if window.backward else parts:
        for position, forward in ((window.after, True), (window.before, False)):
            if position is not None:
                bounds.append(_beyond(order, (value, columns.id), position, has_values, forward))
        if not any(isinstance(bound, False_) for bound in bounds):
            yield has_values, bounds


def within(order: Order, window: Window, columns: Columns) -> ColumnElement[bool]:
    """The condition that the contacts of all stretches meet."""
    return or_(false(), *(and_(true(), *bounds) for _, bounds in stretches(order, window, columns)))


def along(order: Order, window: Window, columns: Columns) -> list[ColumnElement[Any]]:
    """The sort keys of one stretch, in the direction of travel."""
    key: list[ColumnElement[Any]] = [columns[order.field.value], columns.id]
    descending = order.descending != window.backward
    return [one.desc() if descending else one.asc() for one in key]


def across(order: Order, window: Window, columns: Columns) -> list[ColumnElement[Any]]:
    """The sort keys of all stretches together."""
    missing = columns[order.field.value].is_(None)
    return [missing.desc() if window.backward else missing.asc(), *along(order, window, columns)]


def _beyond(
    order: Order, key: tuple[Any, Any], position: Position, has_values: bool, forward: bool
) -> ColumnElement[bool]:
    """The condition on the contacts of a stretch after the position, or before it."""
    if (position.value is None) == has_values:
        return false() if forward == has_values else true()
    row, edge = _compared(key, position)
    return row < edge if order.descending == forward else row > edge


def _compared(key: tuple[Any, Any], position: Position) -> tuple[Tuple, Tuple]:
    """The sort key of a contact and that of the position; without a value, only the id."""
    if position.value is None:
        return tuple_(key[1]), tuple_(position.contact_id)
    return tuple_(*key), tuple_(position.value, position.contact_id)
