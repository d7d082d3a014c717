"""The ways to the contacts that meet a condition: along the index of an order, or by another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, cast, select, true
from sqlmodel import col

from app.auth import Caller
from app.contacts.filters import All, Comparison, Condition, conjuncts
from app.contacts.find import COLUMNS, of_workspace
from app.contacts.lookups import Lookup
from app.contacts.order import OrderField, Position
from app.contacts.search import predicate, without_index
from app.contacts.segments import Segment
from app.tables import ContactTable


@dataclass(frozen=True, slots=True)
class Access:
    caller: Caller
    condition: Condition
    field: OrderField
    sqlite: bool

    def along(self, segment: Segment, end: Position | None = None) -> Any:
        """By the index of the order, up to the end; PostgreSQL may know a better one."""
        place = segment.place if end is None else [*segment.place, segment.until(end)]
        met = self._meets(self.condition)
        return _ordered(select(*COLUMNS).where(met, *place), segment, segment.key)

    def apart(self, segment: Segment, lookup: Lookup | None = None) -> Any:
        """By another index than the order's: that of the look-up, or what PostgreSQL chooses."""
        met = meets(self.caller, self.condition, sqlite=self.sqlite, lookup=lookup)
        place = and_(true(), *segment.place)
        place, *key = (without_index(one, sqlite=self.sqlite) for one in (place, *segment.key))
        return _ordered(select(*COLUMNS).where(met, place), segment, key)

    def keys(self, segment: Segment) -> Any:
        """What a walk along the order meets, whether it meets the condition or not."""
        walked = [one for one in conjuncts(self.condition) if self._is_walked(one)]
        passed = select(*segment.key).where(self._meets(All(walked)), *segment.place)
        return _ordered(passed, segment, segment.key)

    def _meets(self, condition: Condition) -> ColumnElement[bool]:
        """Where only what says where to begin and end in the order's index draws an index."""
        walked = predicate(condition, sqlite=self.sqlite, indexed=self.field.walks)
        return and_(of_workspace(self.caller), walked)

    def _is_walked(self, condition: Condition) -> bool:
        """Whether it says where in the order's index to begin or to end."""
        return isinstance(condition, Comparison) and condition.field == self.field.walks


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
