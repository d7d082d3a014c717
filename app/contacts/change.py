"""The change of one contact by a call, as a value that the store saves."""

from enum import Enum
from typing import NamedTuple
from uuid import UUID

from app.contacts.decision.outcome import FieldChange
from app.tables import Contact


class Cause(Enum):
    """The use case that a change comes from."""

    UPSERT = "UPSERT"
    UPDATE = "UPDATE"
    MERGE = "MERGE"
    ASSIGNMENT = "ASSIGNMENT"
    SUBSCRIPTION = "SUBSCRIPTION"
    ALIAS = "ALIAS"
    DELETION = "DELETION"


class Change(NamedTuple):
    """`before` is None for a contact that was created, `after` for one that was deleted.

    `key_id` is the API key of the call.
    """

    before: Contact | None
    after: Contact | None
    cause: Cause
    key_id: UUID
    fields: tuple[FieldChange, ...] = ()

    @property
    def contact_id(self) -> UUID:
        contact = self.after or self.before
        assert contact is not None  # noqa: S101  # a change has at least one of them
        return contact.id
