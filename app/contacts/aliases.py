"""The aliases of a contact: identifiers of contacts that were merged into it."""

from app.contacts.change import Cause
from app.contacts.change_one import change_one
from app.contacts.decision.apply import member_path
from app.contacts.decision.outcome import FieldChange, Outcome, Updated
from app.contacts.decision.working_set import aliases
from app.contacts.keys import ContactKey
from app.database.sessions import Database
from app.fields.contact import API_NAMES
from app.tables import Contact, now
from app.workspaces.keys import Caller


async def remove_alias(
    database: Database, caller: Caller, by: ContactKey, alias: ContactKey
) -> Outcome:
    """Removes the alias, so that it no longer finds the contact.

    Changes nothing if the contact does not have it.
    """

    def change(contact: Contact) -> Updated:
        if alias not in aliases(contact):
            return Updated(contact, by.kind)
        held = [alias.kind.value, alias.source, alias.value]
        after = contact.with_values(
            {
                "aliases": [one for one in contact.aliases if one != held],
                "version": contact.version + 1,
                "updated_at": now(),
            }
        )
        kind = API_NAMES.get(alias.kind.value, alias.kind.value)
        path = member_path("aliases", *filter(None, (kind, alias.source, alias.value)))
        return Updated(after, by.kind, (FieldChange(path, alias.value, None),))

    return await change_one(database, caller, by, Cause.ALIAS, change)
