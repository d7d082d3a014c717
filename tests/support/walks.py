"""Walks through a list of contacts page by page, and the expected order."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

import pytest

from app.contacts.listing import candidates as sources
from app.contacts.listing import page as pages
from app.contacts.listing.conditions import EVERY, Condition
from app.contacts.listing.order import Order, OrderField, Position, cursor, window
from app.contacts.listing.page import page
from app.database.sessions import Database
from app.tables import Contact
from app.text import fold
from app.workspaces.keys import Caller

ENDLESS = 60


def bound(monkeypatch: pytest.MonkeyPatch, *, walk: int, candidates: int) -> None:
    """How many contacts a page looks at, so that few make one that ends early."""
    monkeypatch.setattr(pages, "WALK", walk)
    monkeypatch.setattr(sources, "CANDIDATES", candidates)


def value_in(order: Order, contact: Contact) -> Any:
    if order.field is OrderField.NAME:
        return fold(contact.name) if contact.name else None
    return getattr(contact, order.field.value)


def in_order(order: Order, contacts: Iterable[Contact]) -> list[Contact]:
    """Ordered by value, then by id; contacts without a value last in both directions."""
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
        async with database.read(caller) as session:
            found = await page(session, order, here, condition)
        seen = [*found.contacts, *seen] if backward else [*seen, *found.contacts]
        assert len(seen) < ENDLESS, "the walk goes round in circles"
        if not found.has_more:
            return seen
        if found.stopped_at:
            assert short, "a page ended early"
            end = found.stopped_at
        else:
            assert len(found.contacts) == size
            end = Position.of(found.contacts[0 if backward else -1], order)
        edge = cursor(caller, order, end)
        if between is not None:
            await between()


def ids(contacts: Iterable[Contact]) -> list[UUID]:
    return [contact.id for contact in contacts]
