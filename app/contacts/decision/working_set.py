"""The contacts that a call may change, in their state after the rows decided so far."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from app.contacts.keys import ContactKey, MatchedBy
from app.tables import Contact


def own_keys(contact: Contact) -> Iterator[ContactKey]:
    yield ContactKey.of_id(contact.id)
    yield ContactKey(MatchedBy.EMAIL, contact.email_key)
    for source, value in contact.external_ids.items():
        yield ContactKey.of_external_id(source, value)


def aliases(contact: Contact) -> Iterator[ContactKey]:
    """The keys of contacts that were merged into this one."""
    for kind, source, value in contact.aliases:
        yield ContactKey(MatchedBy(kind), value, source)


def keys_of(contact: Contact) -> Iterator[ContactKey]:
    yield from own_keys(contact)
    yield from aliases(contact)


class WorkingSet:
    def __init__(self, contacts: Iterable[Contact] = ()) -> None:
        self._contacts: dict[UUID, Contact] = {}
        self._ids: dict[ContactKey, UUID] = {}
        for contact in contacts:
            self.put(contact)

    def get(self, key: ContactKey) -> Contact | None:
        contact_id = self._ids.get(key)
        return None if contact_id is None else self._contacts[contact_id]

    def by_id(self, contact_id: UUID) -> Contact | None:
        return self._contacts.get(contact_id)

    def put(self, contact: Contact) -> None:
        before = self._contacts.get(contact.id)
        if before is not None and have_same_keys(before, contact):
            self._contacts[contact.id] = contact
            return
        self.remove(contact.id)
        self._contacts[contact.id] = contact
        for key in keys_of(contact):
            self._ids[key] = contact.id

    def remove(self, contact_id: UUID) -> None:
        before = self._contacts.pop(contact_id, None)
        if before is not None:
            for key in keys_of(before):
                del self._ids[key]


def have_same_keys(before: Contact, after: Contact) -> bool:
    return (
        before.email_key == after.email_key
        and before.external_ids == after.external_ids
        and before.aliases == after.aliases
    )
