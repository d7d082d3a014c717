"""Pages of likely duplicates.

The contacts that share a value make a group. Each of them but the first makes a pair with the
first, so that a group of n has n - 1 pairs, in the order of reason, value and contact id. A page
walks that order by the index alone, and no further than WALK_LIMIT contacts for each reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, tuple_
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import cursors
from app.contacts.keys import ContactKey, MatchedBy
from app.contacts.listing.order import PAGE_DEFAULT, PAGE_LIMIT
from app.contacts.store.duplicate_keys import DuplicateReason, reasons
from app.contacts.store.find import find, of_workspace
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.tables import Contact, ContactTable
from app.workspaces.keys import Caller

WALK_LIMIT = 5_000

_REASONS = list(DuplicateReason)
_ORDER = "DUPLICATES"


@dataclass(frozen=True, slots=True)
class Position:
    reason: DuplicateReason
    value: str
    contact_id: UUID


@dataclass(frozen=True, slots=True)
class Pair:
    """The first of a group, another contact of the group, and all that they share."""

    contact: Contact
    duplicate: Contact
    reasons: Sequence[DuplicateReason]
    position: Position


@dataclass(frozen=True, slots=True)
class Pairs:
    """A page. `end` is where the next one goes on, None where there is none."""

    pairs: Sequence[Pair]
    end: Position | None


def page_size(first: int | None) -> int:
    """Raises InvalidInput that names the argument."""
    if first is not None and not 1 <= first <= PAGE_LIMIT:
        message = f"must be from 1 to {PAGE_LIMIT}"
        raise InvalidInput([FieldError(FieldErrorCode.OUT_OF_RANGE, "first", message)])
    return PAGE_DEFAULT if first is None else first


def cursor(caller: Caller, position: Position) -> str:
    place = [position.reason.name, position.value, str(position.contact_id)]
    return cursors.encode(caller.workspace_id, _ORDER, place)


def position_at(caller: Caller, cursor: str) -> Position:
    """Raises InvalidInput that names the argument."""
    try:
        reason, value, contact_id = cursors.decode(caller.workspace_id, _ORDER, cursor)
        if not isinstance(value, str) or "\x00" in value:  # as no contact has; it may be forged
            raise ValueError(value)
        return Position(DuplicateReason[reason], value, UUID(contact_id))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = "is not a cursor of this list"
        broken = FieldError(FieldErrorCode.INVALID_FORMAT, "after", message)
        raise InvalidInput([broken]) from error


async def duplicates(
    session: AsyncSession, caller: Caller, size: int, after: Position | None
) -> Pairs:
    found: list[Position] = []
    end = None
    for reason in _REASONS[_REASONS.index(after.reason) if after else 0 :]:
        start = after if after and after.reason is reason else None
        alike, stopped_at = await _walk(session, caller, reason, start, size + 1 - len(found))
        found += alike
        end = found[size - 1] if len(found) > size else stopped_at
        if end is not None:
            break
    return Pairs(await _pairs(session, caller, found[:size]), end)


async def _walk(
    session: AsyncSession,
    caller: Caller,
    reason: DuplicateReason,
    after: Position | None,
    size: int,
) -> tuple[list[Position], Position | None]:
    """Contacts that are not the first of their group; where the walk reached its limit."""
    value, identity = _value(ContactTable, reason), col(ContactTable.id)
    bounds = [of_workspace(caller), value.is_not(None)]
    if after is not None:
        bounds.append(tuple_(value, identity) > tuple_(after.value, after.contact_id))
    steps = select(value, identity).order_by(value, identity)
    last = (await session.exec(steps.where(*bounds).offset(WALK_LIMIT - 1).limit(1))).first()
    if last is not None:
        bounds.append(tuple_(value, identity) <= tuple_(*last))
    statement = steps.where(*bounds, identity != _first(caller, reason)).limit(size)
    later = [Position(reason, *row) for row in await session.exec(statement)]
    return later, Position(reason, *last) if last else None


async def _pairs(session: AsyncSession, caller: Caller, found: Sequence[Position]) -> list[Pair]:
    """Two contacts that are alike in several ways make a pair at the first of these alone."""
    firsts = await _firsts(session, caller, [position.contact_id for position in found])
    wanted = {one for each in firsts.values() for one in each.values() if one is not None}
    keys = [ContactKey(MatchedBy.ID, contact_id) for contact_id in wanted | firsts.keys()]
    contacts = (await find(session, caller, keys)).contacts()
    pairs = []
    for position in found:
        first_of = firsts.get(position.contact_id, {})
        first_id = first_of.get(position.reason)
        contact = contacts.get(first_id) if first_id else None
        duplicate = contacts.get(position.contact_id)
        if contact is None or duplicate is None or contact is duplicate:
            continue
        shared = reasons(contact, duplicate)
        if position.reason is next((one for one in shared if first_of[one] == first_id), None):
            pairs.append(Pair(contact, duplicate, shared, position))
    return pairs


async def _firsts(
    session: AsyncSession, caller: Caller, contact_ids: Sequence[UUID]
) -> dict[UUID, dict[DuplicateReason, UUID | None]]:
    """For each contact the first of each group that it belongs to."""
    first_ids = [_first(caller, reason) for reason in _REASONS]
    statement: Any = select(col(ContactTable.id), *first_ids).where(
        of_workspace(caller), col(ContactTable.id).in_(contact_ids)
    )
    return {
        contact_id: dict(zip(_REASONS, ids, strict=True))
        for contact_id, *ids in await session.exec(statement)
    }


def _first(caller: Caller, reason: DuplicateReason) -> ScalarSelect[UUID]:
    """The first of the group that a row of `contact` belongs to."""
    other = aliased(ContactTable)
    return (
        select(col(other.id))
        .where(
            col(other.workspace_id) == caller.workspace_id,
            _value(other, reason) == _value(ContactTable, reason),
        )
        .order_by(col(other.id))
        .limit(1)
        .scalar_subquery()
    )


def _value(table: type[ContactTable], reason: DuplicateReason) -> Mapped[str]:
    return col(getattr(table, reason.value))
