"""Unsubscribes and resubscribes contacts. No upsert does either."""

from datetime import datetime

from app.contacts.change import Cause
from app.contacts.change_one import change_one
from app.contacts.decision.outcome import FieldChange, Outcome, Updated
from app.contacts.keys import ContactKey, MatchedBy
from app.database.sessions import Database
from app.tables import Contact, now
from app.workspaces.keys import Caller


async def set_unsubscribed(
    database: Database, caller: Caller, key: ContactKey, *, unsubscribed: bool
) -> Outcome:
    def change(contact: Contact) -> Updated:
        return decide(contact, key.kind, now(), unsubscribed=unsubscribed)

    return await change_one(database, caller, key, Cause.SUBSCRIPTION, change)


def decide(contact: Contact, matched_by: MatchedBy, at: datetime, *, unsubscribed: bool) -> Updated:
    """Changes nothing if the contact is already so: the first `unsubscribed_at` is kept."""
    if contact.is_unsubscribed == unsubscribed:
        return Updated(contact, matched_by)
    unsubscribed_at = at if unsubscribed else None
    changes = (
        FieldChange("isUnsubscribed", contact.is_unsubscribed, unsubscribed),
        FieldChange("unsubscribedAt", contact.unsubscribed_at, unsubscribed_at),
    )
    after = contact.with_values(
        {
            "is_unsubscribed": unsubscribed,
            "unsubscribed_at": unsubscribed_at,
            "version": contact.version + 1,
            "updated_at": at,
        }
    )
    return Updated(after, matched_by, changes)
