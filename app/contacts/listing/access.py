"""The ways to the contacts that meet a condition: by the index of an order, or by another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, cast, select, true
from sqlmodel import col

from app.contacts.listing.conditions import All, Comparison, Condition, Operator, conjuncts
from app.contacts.listing.lookups import RANGES, Lookup
from app.contacts.listing.order import OrderField, Position
from app.contacts.listing.predicates import predicate, without_index
from app.contacts.listing.segments import Segment
from app.contacts.store.find import COLUMNS, of_workspace
from app.tables import ContactTable
from app.workspaces.keys import Caller


@dataclass(frozen=True, slots=True)
class Access:
    caller: Caller
    condition: Condition
    field: OrderField
    sqlite: bool

    @property
    def is_direct(self) -> bool:
        """Whether all that the order's index leads to meets the condition."""
        return all(self._is_range(one) for one in conjuncts(self.condition))

    def excludes(self, segment: Segment) -> bool:
        """Whether the condition says itself that nobody there meets it."""
        return any(
            (one.operator is Operator.IS_NULL and one.value is True) == segment.has_values
            for one in conjuncts(self.condition)
            if self._is_ordered_by(one)
        )

    def by_order(
        self, segment: Segment, start: Position | None = None, end: Position | None = None
    ) -> Any:
        """By the index of the order, behind the start and up to the end; PostgreSQL may know a
        better one."""
        bounds = [*segment.bounds]
        if start is not None:
            bounds.append(segment.behind(start))
        if end is not None:
            bounds.append(segment.until(end))
        met = self._met_along(self.condition)
        return _ordered(select(*COLUMNS).where(met, *bounds), segment, segment.key)

    def by_other(self, segment: Segment, lookup: Lookup | None = None) -> Any:
        """By another index: that of the look-up, or the one that PostgreSQL chooses."""
        met = meets(self.caller, self.condition, sqlite=self.sqlite, lookup=lookup)
        bounds, *key = (
            without_index(one, sqlite=self.sqlite)
            for one in (and_(true(), *segment.bounds), *segment.key)
        )
        return _ordered(select(*COLUMNS).where(met, bounds), segment, key)

    def keys(self, segment: Segment) -> Any:
        """The places of all that a walk along the order sees, whether or not it meets the rest."""
        seen = self._met_along(All([c for c in conjuncts(self.condition) if self._is_range(c)]))
        return _ordered(select(*segment.key).where(seen, *segment.bounds), segment, segment.key)

    def _met_along(self, condition: Condition) -> ColumnElement[bool]:
        walked = predicate(condition, sqlite=self.sqlite, indexed=self.field.filtered_as)
        return and_(of_workspace(self.caller), walked)

    def _is_range(self, condition: Condition) -> bool:
        """Whether it says where in the order's index to begin or to end."""
        return self._is_ordered_by(condition) and condition.operator in RANGES

    def _is_ordered_by(self, condition: Condition) -> TypeGuard[Comparison]:
        return isinstance(condition, Comparison) and condition.field == self.field.filtered_as


def meets(
    caller: Caller, condition: Condition, *, sqlite: bool, lookup: Lookup | None
) -> ColumnElement[bool]:
    """The condition on the caller's contacts, such that these are found by the look-up."""
    field = lookup.field if lookup else None
    met = and_(of_workspace(caller), predicate(condition, sqlite=sqlite, indexed=field))
    if lookup is None or field:
        return met
    if sqlite:
        # SQLite takes a workspace for smaller than a few candidates. It goes by their ids where
        # no other index can serve: not by holding all that is asked, as none holds the version.
        return and_(met, col(ContactTable.id).in_(lookup.ids), col(ContactTable.version) > 0)
    return and_(met, col(ContactTable.id) == any_(cast(list(lookup.ids), ARRAY(Uuid))))


def _ordered(statement: Any, segment: Segment, key: Sequence[Any]) -> Any:
    return statement.order_by(*(one.desc() if segment.descending else one.asc() for one in key))
