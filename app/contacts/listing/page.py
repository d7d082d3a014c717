"""Keyset pages: each starts where the one before ended, and costs the same wherever it is.

What many contacts meet is found soon by a walk along the index of the order. What few meet is
looked up by an index of the condition. Where neither is so, a page looks at WALK_LIMIT contacts,
and ends there with what it has found: the next one goes on behind them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.listing.access import Access, meets
from app.contacts.listing.conditions import EVERY, Condition
from app.contacts.listing.estimate import worst_cost
from app.contacts.listing.lookups import rare, rarest
from app.contacts.listing.order import Order, Position, Window
from app.contacts.listing.segments import Segment, segments
from app.contacts.store.find import record
from app.database.sessions import is_sqlite
from app.tables import Contact, ContactTable
from app.workspaces.keys import Caller

# How many contacts a page walks along before it tries an index of the condition, and in all; and
# to how many such an index may lead.
FIRST_WALK = 10_000
WALK_LIMIT = 25_000
LOOKUP_LIMIT = 50_000

# What plans of PostgreSQL's may cost at worst, by its estimate: the one that it chooses, to be
# taken before a walk, and one by another index than the order's, after that.
TRUSTED_COST = 1_000
LOOKUP_COST = 25_000


@dataclass(frozen=True, slots=True)
class Page:
    contacts: Sequence[Contact]
    has_more: bool  # in the direction of travel
    stopped_at: Position | None = None  # of a page without contacts: where to go on


async def page(
    session: AsyncSession,
    caller: Caller,
    order: Order,
    window: Window,
    condition: Condition = EVERY,
    *,
    whole: bool = False,
) -> Page:
    """The contacts of the window; with `whole` all of them, however many it has to look at."""
    access = Access(caller, condition, order.field, is_sqlite(session))
    few = await rare(session, caller, condition)
    rows: list[Any] = []
    stopped_at = None
    for segment in segments(order, window):
        missing = window.size + 1 - len(rows)
        if not missing or stopped_at:
            break
        if access.excludes(segment):
            continue
        if few is not None:
            rows += await _rows(session, access.by_other(segment, few).limit(missing))
        else:
            found, stopped_at = await _search(session, access, segment, missing, whole=whole)
            rows += found
    contacts = [record(row) for row in rows[: window.size]]
    if window.backward:
        contacts.reverse()
    has_more = len(rows) > window.size or stopped_at is not None
    return Page(contacts, has_more, None if contacts else stopped_at)


async def reaches_beyond(
    session: AsyncSession,
    caller: Caller,
    order: Order,
    window: Window,
    condition: Condition = EVERY,
    *,
    forward: bool,
) -> bool:
    """Whether there is a contact outside of the window: behind `before`, or ahead of `after`.

    True as well where none is found among WALK_LIMIT contacts, as one may stand behind these.
    """
    edge = window.before if forward else window.after
    if edge is None:
        return False
    places = {"after": edge} if forward else {"before": edge}
    beyond = Window(size=0, backward=not forward, inclusive=True, **places)
    return (await page(session, caller, order, beyond, condition)).has_more


async def count(session: AsyncSession, caller: Caller, condition: Condition = EVERY) -> int:
    few = await rare(session, caller, condition)
    met = meets(caller, condition, sqlite=is_sqlite(session), lookup=few)
    statement = select(func.count()).select_from(ContactTable).where(met)
    return (await session.exec(statement)).one()


async def _search(
    session: AsyncSession, access: Access, segment: Segment, missing: int, *, whole: bool
) -> tuple[Sequence[Any], Position | None]:
    """Up to `missing` rows; and where it stopped, if it did so before the end."""
    planned = access.by_order(segment).limit(missing)
    if access.is_direct or await _is_cheap(session, access, planned):
        return await _rows(session, planned), None
    midway = await _position(session, access, segment, FIRST_WALK)
    rows = await _rows(session, access.by_order(segment, end=midway).limit(missing))
    if midway is None or len(rows) == missing:
        return rows, None
    if (looked_up := await _looked_up(session, access, segment, missing)) is not None:
        return await _rows(session, looked_up), None
    end = None if whole else await _position(session, access, segment, WALK_LIMIT)
    further = access.by_order(segment, midway, end).limit(missing - len(rows))
    rows = [*rows, *await _rows(session, further)]
    return rows, end if len(rows) < missing else None


async def _is_cheap(session: AsyncSession, access: Access, planned: Any) -> bool:
    """SQLite has no estimate, and what few meet was looked up before."""
    return not access.sqlite and await worst_cost(session, planned) <= TRUSTED_COST


async def _looked_up(
    session: AsyncSession, access: Access, segment: Segment, missing: int
) -> Any | None:
    """By an index that leads to a bounded number of contacts; None if there is none."""
    if access.sqlite:
        lookup = await rarest(session, access.caller, access.condition, LOOKUP_LIMIT)
        return None if lookup is None else access.by_other(segment, lookup).limit(missing)
    chosen = access.by_other(segment).limit(missing)
    return chosen if await worst_cost(session, chosen) <= LOOKUP_COST else None


async def _position(
    session: AsyncSession, access: Access, segment: Segment, steps: int
) -> Position | None:
    """Where a walk stands after so many contacts; None where there are no more."""
    here = await _rows(session, access.keys(segment).offset(steps - 1).limit(2))
    return Position(*here[0]) if len(here) > 1 else None


async def _rows(session: AsyncSession, statement: Any) -> Sequence[Any]:
    rows: Sequence[Any] = (await session.exec(statement)).all()
    return rows
