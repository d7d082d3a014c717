"""What changes to one contact outside of upserts have in common."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.decision.outcome import FieldChange, Updated
from app.contacts.keys import ContactKey, MatchedBy
from app.contacts.store.find import find
from app.tables import Contact
from app.workspaces.keys import Caller


async def locked(session: AsyncSession, caller: Caller, key: ContactKey) -> Contact | None:
    """The contact, which nobody else changes until the session ends."""
    return (await find(session, caller, [key], lock=True)).get(key)


def changed(
    contact: Contact,
    matched_by: MatchedBy,
    changes: Iterable[FieldChange],
    at: datetime,
    **values: Any,
) -> Updated:
    after = contact.model_copy(update=values | {"version": contact.version + 1, "updated_at": at})
    return Updated(after, matched_by, tuple(changes))
