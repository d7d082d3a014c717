"""An order as SQL: what of it a window reaches, and how far a walk along it has come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, False_, Tuple, false, true, tuple_
from sqlmodel import col

from app.contacts.listing.order import NULLABLE, Order, Position, Window
from app.tables import ContactTable

IDENTITY = col(ContactTable.id)


@dataclass(frozen=True, slots=True)
class Segment:
    """The contacts that have a value, or those that have none: each a stretch of one index."""

    value: Any
    has_values: bool
    descending: bool  # in the direction of travel
    bounds: Sequence[ColumnElement[bool]]  # met by those that the window reaches

    @property
    def key(self) -> list[Any]:
        """Of the index, which PostgreSQL knows by the value as well where there is none."""
        return [self.value, IDENTITY]

    def until(self, position: Position) -> ColumnElement[bool]:
        """Met by those that a walk has seen when it stands at the position."""
        row, end = _compared(self.value, position)
        return row >= end if self.descending else row <= end

    def behind(self, position: Position) -> ColumnElement[bool]:
        """Met by those that it has not seen then."""
        row, start = _compared(self.value, position)
        return row < start if self.descending else row > start


def segments(order: Order, window: Window) -> Iterator[Segment]:
    """Those that the window reaches into, in the direction of travel."""
    value = col(getattr(ContactTable, order.field.value))
    descending = order.descending != window.backward
    parts: list[tuple[bool, list[Any]]] = [(True, [])]
    if order.field in NULLABLE:
        parts = [(True, [value.is_not(None)]), (False, [value.is_(None)])]
    for has_values, bounds in reversed(parts) if window.backward else parts:
        for position, forward in ((window.after, True), (window.before, False)):
            if position is not None:
                bounds.append(_beyond(order, window, value, position, has_values, forward))
        if not any(isinstance(bound, False_) for bound in bounds):
            yield Segment(value, has_values, descending, bounds)


def _beyond(
    order: Order, window: Window, value: Any, position: Position, has_values: bool, forward: bool
) -> ColumnElement[bool]:
    """Met by those of a segment that come behind the position, or ahead of it."""
    if (position.value is None) == has_values:
        return false() if forward == has_values else true()
    row, edge = _compared(value, position)
    if order.descending == forward:
        return row <= edge if window.inclusive else row < edge
    return row >= edge if window.inclusive else row > edge


def _compared(value: Any, position: Position) -> tuple[Tuple, Tuple]:
    """A contact's place and the position, as they compare; without a value by the id alone."""
    if position.value is None:
        return tuple_(IDENTITY), tuple_(position.contact_id)
    return tuple_(value, IDENTITY), tuple_(position.value, position.contact_id)
