"""Selections of many contacts, by their keys or by a condition."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from app.contacts.keys import ContactKey
from app.contacts.limits import SELECTION_LIMIT
from app.contacts.listing.conditions import Condition, narrows
from app.contacts.listing.order import OLDEST_FIRST, window
from app.contacts.listing.page import Page, full_page
from app.database.sessions import Database
from app.errors import FieldError, FieldErrorCode, InvalidInput, LimitExceeded
from app.tables import Contact
from app.workspaces.keys import Caller

T = TypeVar("T")


def check_keys(keys: Sequence[ContactKey]) -> None:
    """Raises InvalidInput for too many keys."""
    if len(keys) > SELECTION_LIMIT:
        message = f"must have at most {SELECTION_LIMIT:,} keys, has {len(keys)}"
        raise InvalidInput([FieldError(FieldErrorCode.TOO_MANY, "selection.keys", message)])


async def oldest(
    database: Database, caller: Caller, condition: Condition, after: str | None = None
) -> Page:
    """The oldest contacts that meet the condition, up to SELECTION_LIMIT, behind a cursor.

    Raises InvalidInput if every contact meets the condition, and for a malformed cursor.
    """
    if not narrows(condition):
        message = "must have at least one condition"
        raise InvalidInput([FieldError(FieldErrorCode.REQUIRED, "selection.filter", message)])
    wanted = replace(window(caller, OLDEST_FIRST, after=after), size=SELECTION_LIMIT)
    async with database.read(caller) as session:
        return await full_page(session, OLDEST_FIRST, wanted, condition)


async def change_together(
    found: Page, change: Callable[[Sequence[Contact]], Awaitable[T]]
) -> tuple[Page, T]:
    """Changes the contacts, or the first of them if all are too large together. Returns those that
    were changed, as a page, and the result."""
    while True:
        try:
            return found, await change(found.contacts)
        except LimitExceeded:
            found = Page(found.contacts[: len(found.contacts) // 2], has_more=True)
