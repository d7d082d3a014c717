"""The keys of a contact: its own id, an external id of a source, or an email."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from app.fields.normalise import email_key


class ContactIdentifier(Enum):
    EXTERNAL_ID = "external_id"
    EMAIL = "email"

    __hash__ = object.__hash__  # that of Enum takes longer than the look-up of a key


class MatchedBy(Enum):
    ID = "id"
    EXTERNAL_ID = "external_id"
    EMAIL = "email"

    __hash__ = object.__hash__


# A member of an enum is looked up by a function, which takes longer than to build a key.
_ID, _EXTERNAL_ID, _EMAIL = MatchedBy
_GIVEN_EXTERNAL_ID, _GIVEN_EMAIL = ContactIdentifier


class ContactKey(NamedTuple):
    """A key of a contact. Only an external id has a source; an email is in its `email_key` form."""

    kind: MatchedBy
    value: str
    source: str = ""

    @classmethod
    def of_id(cls, contact_id: UUID) -> "ContactKey":
        return cls(_ID, str(contact_id))

    @classmethod
    def of_external_id(cls, source: str, value: str) -> "ContactKey":
        return cls(_EXTERNAL_ID, value, source)

    @classmethod
    def of_email(cls, email: str) -> "ContactKey":
        return cls(_EMAIL, email_key(email))


def given_keys(given: Mapping[str, Any], source: str) -> dict[ContactIdentifier, ContactKey]:
    """The keys of the given identifiers."""
    keys = {}
    if (external_id := given.get("external_id")) is not None:
        keys[_GIVEN_EXTERNAL_ID] = ContactKey.of_external_id(source, external_id)
    if (email := given.get("email")) is not None:
        keys[_GIVEN_EMAIL] = ContactKey.of_email(email)
    return keys
