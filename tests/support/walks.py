"""Walks through a list of contacts, page by page, and the order that they should meet."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

import pytest

from app.contacts.listing import page as pages
from app.contacts.listing.conditions import EVERY, Condition
from app.contacts.listing.order import Order, OrderField, Position, cursor, window
from app.contacts.listing.page import page, reaches_beyond
from app.database.sessions import Database
from app.tables import Contact
from app.text import fold
from app.workspaces.keys import Caller

ENDLESS = 60


def bound(
    monkeypatch: pytest.MonkeyPatch, *, first_walk: int, limit: int, lookup_cost: float = 0
) -> None:
    """How many contacts a page looks at, so that few make one that ends early."""
    monkeypatch.setattr(pages, "FIRST_WALK", first_walk)
    monkeypatch.setattr(pages, "WALK_LIMIT", limit)
    monkeypatch.setattr(pages, "LOOKUP_LIMIT", limit)
    monkeypatch.setattr(pages, "TRUSTED_COST", 0)
    monkeypatch.setattr(pages, "LOOKUP_COST", lookup_cost)


def value_in(order: Order, contact: Contact) -> Any:
    if order.field is OrderField.NAME:
        return fold(contact.name) if contact.name else None
    return getattr(contact, order.field.value)


def in_order(order: Order, contacts: Iterable[Contact]) -> list[Contact]:
    """By value, then by id, either way; those without a value behind, either way."""
    valued: list[Contact] = []
    empty: list[Contact] = []
    for contact in contacts:
        (empty if value_in(order, contact) is None else valued).append(contact)
    descending = order.descending
    valued.sort(key=lambda contact: (value_in(order, contact), contact.id), reverse=descending)
    empty.sort(key=lambda contact: contact.id, reverse=descending)
    return valued + empty


async def walk(
    database: Database,
    caller: Caller,
    order: Order,
    condition: Condition = EVERY,
    *,
    size: int,
    backward: bool = False,
    between: Callable[[], Awaitable[None]] | None = None,
    short: bool = False,
) -> list[Contact]:
    """All pages from one end to the other; `between` runs behind each page but the last.

    The list is as it stands, whichever way it was walked. Pages may be `short` of their size.
    """
    seen: list[Contact] = []
    edge: str | None = None
    while True:
        if backward:
            here = window(caller, order, last=size, before=edge)
        else:
            here = window(caller, order, first=size, after=edge)
        async with database.read() as session:
            found = await page(session, caller, order, here, condition)
            came_from = await reaches_beyond(
                session, caller, order, here, condition, forward=here.backward
            )
        if short:
            assert came_from or not seen or between is not None
        else:
            assert came_from == (edge is not None) or between is not None
        seen = [*found.contacts, *seen] if backward else [*seen, *found.contacts]
        assert len(seen) < ENDLESS, "the walk goes round in circles"
        if not found.has_more:
            return seen
        assert short or len(found.contacts) == size
        if found.contacts:
            end = Position.of(found.contacts[0 if backward else -1], order)
        else:
            assert found.stopped_at
            end = found.stopped_at
        edge = cursor(caller, order, end)
        if between is not None:
            await between()


def ids(contacts: Iterable[Contact]) -> list[UUID]:
    return [contact.id for contact in contacts]
