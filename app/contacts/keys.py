"""What names a contact: its own id, an external id or an email."""

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from app.fields.contact import email_key


class ContactIdentifier(Enum):
    EXTERNAL_ID = "external_id"
    EMAIL = "email"


class MatchedBy(Enum):
    ID = "id"
    EXTERNAL_ID = "external_id"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class ContactKey:
    """One way to name a contact. An email is named by its key, in lower case."""

    kind: MatchedBy
    value: str | UUID

    @classmethod
    def of(cls, kind: MatchedBy, value: str | UUID) -> "ContactKey":
        if kind is MatchedBy.EMAIL and isinstance(value, str):
            return cls(kind, email_key(value))
        return cls(kind, value)
