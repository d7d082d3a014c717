"""Keyset pages: each starts where the one before ended, and costs the same wherever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, cast, func, true
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth import Caller
from app.contacts.filters import EVERY, Condition
from app.contacts.find import COLUMNS, of_workspace, record
from app.contacts.lookups import rare
from app.contacts.order import Order, Window
from app.contacts.search import predicate, without_index
from app.contacts.segments import Segment, segments
from app.database import is_sqlite
from app.tables import Contact, ContactTable


@dataclass(frozen=True, slots=True)
class Page:
    contacts: Sequence[Contact]
    has_more: bool  # in the direction of travel


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
    for segment in segments(order, window):
        if missing := window.size + 1 - len(rows):
            statement = _statement(segment, by_index=by_index)
            narrowed = _narrowed(
                statement, session, caller, condition, candidates, order, *segment.place
            )
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
    if (window.before if forward else window.after) is None:
        return False
    edge = {"after": window.before} if forward else {"before": window.after}
    beyond = Window(size=0, backward=not forward, inclusive=True, **edge)
    return (await page(session, caller, order, beyond, condition)).has_more


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


def _statement(segment: Segment, *, by_index: bool) -> Any:
    key = segment.key if by_index else map(without_index, segment.key)
    return select(*COLUMNS).order_by(
        *(column.desc() if segment.descending else column.asc() for column in key)
    )
