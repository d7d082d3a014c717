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


class ContactKey(NamedTuple):
    """A key of a contact. Only an external id has a source; an email is in its `email_key` form."""

    kind: MatchedBy
    value: str
    source: str = ""

    @classmethod
    def of_id(cls, contact_id: UUID) -> "ContactKey":
        return cls(MatchedBy.ID, str(contact_id))

    @classmethod
    def of_external_id(cls, source: str, value: str) -> "ContactKey":
        return cls(MatchedBy.EXTERNAL_ID, value, source)

    @classmethod
    def of_email(cls, email: str) -> "ContactKey":
        return cls(MatchedBy.EMAIL, email_key(email))


def given_keys(given: Mapping[str, Any], source: str) -> list[tuple[ContactIdentifier, ContactKey]]:
    """The given identifiers, each with its key."""
    keys = []
    if given.get("external_id") is not None:
        key = ContactKey.of_external_id(source, given["external_id"])
        keys.append((ContactIdentifier.EXTERNAL_ID, key))
    if given.get("email") is not None:
        keys.append((ContactIdentifier.EMAIL, ContactKey.of_email(given["email"])))
    return keys
