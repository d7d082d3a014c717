"""The contacts that a call may touch, as they stand after the rows decided so far."""

from collections.abc import Iterable
from uuid import UUID

from app.contacts.keys import ContactKey, MatchedBy
from app.tables import Contact


def keys_of(contact: Contact) -> list[ContactKey]:
    keys = [
        ContactKey(MatchedBy.ID, contact.id),
        ContactKey(MatchedBy.EMAIL, contact.email_key),
    ]
    if contact.external_id is not None:
        keys.append(ContactKey(MatchedBy.EXTERNAL_ID, contact.external_id))
    return keys


class WorkingSet:
    """Keys are the contacts' own, and the aliases that were asked for."""

    def __init__(self, contacts: Iterable[Contact] = ()) -> None:
        self._contacts: dict[UUID, Contact] = {}
        self._ids: dict[ContactKey, UUID] = {}
        for contact in contacts:
            self.put(contact)

    def get(self, key: ContactKey) -> Contact | None:
        contact_id = self._ids.get(key)
        return None if contact_id is None else self._contacts[contact_id]

    def lead(self, alias: ContactKey, contact_id: UUID) -> None:
        self._ids[alias] = contact_id

    def contacts(self) -> dict[UUID, Contact]:
        return dict(self._contacts)

    def put(self, contact: Contact) -> None:
        before = self._contacts.get(contact.id)
        if before is not None:
            for key in keys_of(before):
                del self._ids[key]
        self._contacts[contact.id] = contact
        for key in keys_of(contact):
            self._ids[key] = contact.id
