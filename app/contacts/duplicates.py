"""Pages of likely duplicates.

Contacts that share a value form a group. The first contact of a group forms a pair with each of
the others, so a group of n has n - 1 pairs, ordered by reason, value and contact id. A page walks
this order along an index, for at most WALK_LIMIT contacts of each reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, tuple_
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col, select

from app import cursors
from app.contacts.keys import ContactKey
from app.contacts.limits import PAGE_DEFAULT, PAGE_LIMIT
from app.contacts.store.duplicate_keys import DuplicateReason, reasons
from app.contacts.store.find import find
from app.database.sessions import WorkspaceSession
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
    """The first contact of a group, another one, and every reason that they share."""

    contact: Contact
    duplicate: Contact
    reasons: Sequence[DuplicateReason]
    position: Position


@dataclass(frozen=True, slots=True)
class Pairs:
    """A page. `end` is where the next page starts, or None if there is none."""

    pairs: Sequence[Pair]
    end: Position | None


def page_size(first: int | None) -> int:
    """Raises InvalidInput that names the argument."""
    if first is not None and not 1 <= first <= PAGE_LIMIT:
        message = f"must be from 1 to {PAGE_LIMIT}"
        raise InvalidInput([FieldError(FieldErrorCode.OUT_OF_RANGE, "first", message)])
    return PAGE_DEFAULT if first is None else first


def cursor(caller: Caller, position: Position) -> str:
    encode = cursors.encoder(caller.workspace_id, _ORDER)
    return encode(position.reason.name, position.value, str(position.contact_id))


def position_at(caller: Caller, cursor: str) -> Position:
    """Raises InvalidInput that names the argument."""
    try:
        reason, value, contact_id = cursors.decode(caller.workspace_id, _ORDER, cursor)
        if not isinstance(value, str) or "\x00" in value:  # the cursor is forged
            raise ValueError(value)
        return Position(DuplicateReason[reason], value, UUID(contact_id))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = "must be a cursor of this list"
        broken = FieldError(FieldErrorCode.INVALID_FORMAT, "after", message)
        raise InvalidInput([broken]) from error


async def duplicates(session: WorkspaceSession, size: int, after: Position | None) -> Pairs:
    found: list[Position] = []
    end = None
    for reason in _REASONS[_REASONS.index(after.reason) if after else 0 :]:
        start = after if after and after.reason is reason else None
        positions, stopped_at = await _walk(session, reason, start, size + 1 - len(found))
        found += positions
        end = found[size - 1] if len(found) > size else stopped_at
        if end is not None:
            break
    return Pairs(await _pairs(session, found[:size]), end)


async def _walk(
    session: WorkspaceSession,
    reason: DuplicateReason,
    after: Position | None,
    size: int,
) -> tuple[list[Position], Position | None]:
    """The contacts that are not the first of their group, and where the walk met its limit."""
    value, identity = _value(ContactTable, reason), col(ContactTable.id)
    bounds: list[ColumnElement[bool]] = [value.is_not(None)]
    if after is not None:
        bounds.append(tuple_(value, identity) > tuple_(after.value, after.contact_id))
    steps = select(value, identity).order_by(value, identity)
    last = (await session.exec(steps.where(*bounds).offset(WALK_LIMIT - 1).limit(1))).first()
    if last is not None:
        bounds.append(tuple_(value, identity) <= tuple_(*last))
    statement = steps.where(*bounds, identity != _first(reason)).limit(size)
    later = [Position(reason, *row) for row in await session.exec(statement)]
    return later, Position(reason, *last) if last else None


async def _pairs(session: WorkspaceSession, found: Sequence[Position]) -> list[Pair]:
    """Two contacts that share several values form one pair, at the first of these values."""
    firsts = await _firsts(session, [position.contact_id for position in found])
    wanted = {one for each in firsts.values() for one in each.values() if one is not None}
    keys = [ContactKey.of_id(contact_id) for contact_id in wanted | firsts.keys()]
    contacts = await find(session, keys)
    pairs = []
    for position in found:
        first_of = firsts.get(position.contact_id, {})
        first_id = first_of.get(position.reason)
        contact = contacts.by_id(first_id) if first_id else None
        duplicate = contacts.by_id(position.contact_id)
        if contact is None or duplicate is None or contact is duplicate:
            continue
        shared = reasons(contact, duplicate)
        if position.reason is next((one for one in shared if first_of[one] == first_id), None):
            pairs.append(Pair(contact, duplicate, shared, position))
    return pairs


async def _firsts(
    session: WorkspaceSession, contact_ids: Sequence[UUID]
) -> dict[UUID, dict[DuplicateReason, UUID | None]]:
    """For each contact, the first contact of each group that it belongs to."""
    first_ids = [_first(reason) for reason in _REASONS]
    statement: Any = select(col(ContactTable.id), *first_ids).where(
        col(ContactTable.id).in_(contact_ids)
    )
    return {
        contact_id: dict(zip(_REASONS, ids, strict=True))
        for contact_id, *ids in await session.exec(statement)
    }


def _first(reason: DuplicateReason) -> ScalarSelect[UUID]:
    """The first contact of the group that a row of `contact` belongs to."""
    other = aliased(ContactTable)
    return (
        select(col(other.id))
        .where(_value(other, reason) == _value(ContactTable, reason))
        .order_by(col(other.id))
        .limit(1)
        .scalar_subquery()
    )


def _value(table: type[ContactTable], reason: DuplicateReason) -> Mapped[str]:
    return col(getattr(table, reason.value))
