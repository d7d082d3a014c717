"""An order as SQL: what of it a window reaches, and how far a walk along it has come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, False_, Tuple, false, true, tuple_
from sqlmodel import col

from app.contacts.order import NULLABLE, Order, Position, Window
from app.tables import ContactTable


@dataclass(frozen=True, slots=True)
class Segment:
    """The contacts that have a value, or those that have none: each a stretch of one index."""

    key: Sequence[Any]
    descending: bool  # in the direction of travel
    place: Sequence[ColumnElement[bool]]  # what holds for those that the window reaches

    def position(self, key: Sequence[Any]) -> Position:
        *value, contact_id = key
        return Position(value[0] if value else None, contact_id)

    def until(self, position: Position) -> ColumnElement[bool]:
        """What holds for those that a walk has met when it stands at the position."""
        row, end = tuple_(*self.key), _values(position)
        return row >= end if self.descending else row <= end


def segments(order: Order, window: Window) -> Iterator[Segment]:
    """Those that the window reaches into, in the direction of travel."""
    identity, value = col(ContactTable.id), col(getattr(ContactTable, order.field.value))
    descending = order.descending != window.backward
    if order.field not in NULLABLE:
        parts: list[tuple[bool, list[Any]]] = [(False, [])]
    else:
        parts = [(False, [value.is_not(None)]), (True, [value.is_(None)])]
    for nulls, place in reversed(parts) if window.backward else parts:
        key = [identity] if nulls else [value, identity]
        for position, forward in ((window.after, True), (window.before, False)):
            if position is not None:
                place.append(_beyond(order, window, key, position, forward=forward))
        if not any(isinstance(bound, False_) for bound in place):
            yield Segment(key, descending, place)


def _beyond(
    order: Order, window: Window, key: Sequence[Any], position: Position, *, forward: bool
) -> ColumnElement[bool]:
    nulls = len(key) == 1
    if (position.value is None) != nulls:
        return true() if forward == nulls else false()
    row, edge = tuple_(*key), _values(position)
    if order.descending == forward:
        return row <= edge if window.inclusive else row < edge
    return row >= edge if window.inclusive else row > edge


def _values(position: Position) -> Tuple:
    value, contact_id = position.value, position.contact_id
    return tuple_(contact_id) if value is None else tuple_(value, contact_id)
