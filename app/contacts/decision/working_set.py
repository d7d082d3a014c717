"""The contacts that a call may change, in their state after the rows decided so far."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from app.contacts.keys import ContactKey, MatchedBy
from app.tables import Contact

_ID, _EXTERNAL_ID, _EMAIL = MatchedBy


def own_keys(contact: Contact) -> Iterator[ContactKey]:
    yield ContactKey.of_id(contact.id)
    yield from _own_identifiers(contact)


def _own_identifiers(contact: Contact) -> list[ContactKey]:
    keys = [ContactKey(_EMAIL, contact.email_key)]
    for source, value in contact.external_ids.items():
        keys.append(ContactKey(_EXTERNAL_ID, value, source))
    return keys


def aliases(contact: Contact) -> Iterator[ContactKey]:
    """The keys of contacts that were merged into this one."""
    for kind, source, value in contact.aliases:
        yield ContactKey(MatchedBy(kind), value, source)


def keys_of(contact: Contact) -> Iterator[ContactKey]:
    yield from own_keys(contact)
    yield from aliases(contact)


def identifiers_of(contact: Contact) -> list[ContactKey]:
    """All keys but the contact's own id."""
    own = _own_identifiers(contact)
    return [*own, *aliases(contact)] if contact.aliases else own


class WorkingSet:
    def __init__(self, contacts: Iterable[Contact] = ()) -> None:
        self._contacts: dict[UUID, Contact] = {}
        self._ids: dict[ContactKey, UUID] = {}
        for contact in contacts:
            self.put(contact)

    def get(self, key: ContactKey) -> Contact | None:
        contact_id = self._ids.get(key)
        if contact_id is None and key.kind is _ID:
            contact_id = UUID(key.value)
        return None if contact_id is None else self._contacts.get(contact_id)

    def by_id(self, contact_id: UUID) -> Contact | None:
        return self._contacts.get(contact_id)

    def put(self, contact: Contact) -> None:
        before = self._contacts.get(contact.id)
        if before is not None and have_same_keys(before, contact):
            self._contacts[contact.id] = contact
            return
        self.remove(contact.id)
        self._contacts[contact.id] = contact
        for key in identifiers_of(contact):
            self._ids[key] = contact.id

    def remove(self, contact_id: UUID) -> None:
        before = self._contacts.pop(contact_id, None)
        if before is not None:
            for key in identifiers_of(before):
                del self._ids[key]


def have_same_keys(before: Contact, after: Contact) -> bool:
    return (
        before.email_key == after.email_key
        and before.external_ids == after.external_ids
        and before.aliases == after.aliases
    )
