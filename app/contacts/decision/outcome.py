"""The outcomes of an upsert."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from app.contacts.keys import ContactIdentifier, MatchedBy
from app.errors import FieldError
from app.tables import Contact


class WarningCode(Enum):
    EMAIL_KEPT = "EMAIL_KEPT"
    EXTERNAL_ID_KEPT = "EXTERNAL_ID_KEPT"
    CREATED_AT_KEPT = "CREATED_AT_KEPT"
    UPDATED_AT_KEPT = "UPDATED_AT_KEPT"
    RESERVED_METADATA = "RESERVED_METADATA"


class ConflictCode(Enum):
    ALREADY_EXISTS = "ALREADY_EXISTS"
    NOT_FOUND = "NOT_FOUND"
    IDENTIFIER_TAKEN = "IDENTIFIER_TAKEN"
    EXTERNAL_ID_MISMATCH = "EXTERNAL_ID_MISMATCH"
    VERSION_MISMATCH = "VERSION_MISMATCH"


class FieldChange(NamedTuple):
    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class FieldWarning:
    """A given value that was not applied."""

    code: WarningCode
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class ConflictReason:
    code: ConflictCode
    message: str
    identifier: ContactIdentifier | None = None
    contact: Contact | None = None


@dataclass(frozen=True, slots=True)
class Created:
    contact: Contact
    warnings: tuple[FieldWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Updated:
    """`changes` is empty if the call changed nothing."""

    contact: Contact
    matched_by: MatchedBy
    changes: tuple[FieldChange, ...] = ()
    warnings: tuple[FieldWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    reasons: tuple[ConflictReason, ...]

    @property
    def message(self) -> str:
        return " ".join(reason.message for reason in self.reasons)


NOT_FOUND = Conflict((ConflictReason(ConflictCode.NOT_FOUND, "The contact does not exist."),))


@dataclass(frozen=True, slots=True)
class Invalid:
    errors: tuple[FieldError, ...]


Outcome = Created | Updated | Conflict | Invalid
