"""Whether a contact may be written to. Only the calls here change it: no upsert resubscribes."""

from datetime import datetime

from app.contacts.decision.outcome import NOT_FOUND, FieldChange, Outcome, Updated
from app.contacts.keys import ContactKey, MatchedBy
from app.contacts.store.change import changed, locked
from app.contacts.upsert import write
from app.database.sessions import Database, try_again
from app.tables import Contact, now
from app.workspaces.keys import Caller


@try_again
async def set_subscription(
    database: Database, caller: Caller, key: ContactKey, *, unsubscribed: bool
) -> Outcome:
    async with database.write(caller.workspace_id) as session:
        contact = await locked(session, caller, key)
        if contact is None:
            return NOT_FOUND
        decided = decide(contact, key.kind, now(), unsubscribed=unsubscribed)
        await write(session, caller, {contact.id: contact}, [decided])
    return decided


def decide(contact: Contact, matched_by: MatchedBy, at: datetime, *, unsubscribed: bool) -> Updated:
    """Nothing changes where it is so already: the first `unsubscribed_at` stands."""
    if contact.is_unsubscribed == unsubscribed:
        return Updated(contact, matched_by)
    unsubscribed_at = at if unsubscribed else None
    changes = [
        FieldChange("isUnsubscribed", contact.is_unsubscribed, unsubscribed),
        FieldChange("unsubscribedAt", contact.unsubscribed_at, unsubscribed_at),
    ]
    return changed(
        contact,
        matched_by,
        changes,
        at,
        is_unsubscribed=unsubscribed,
        unsubscribed_at=unsubscribed_at,
    )
