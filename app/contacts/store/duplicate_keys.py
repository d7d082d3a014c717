"""The values that make two contacts likely duplicates, one for each reason."""

from enum import Enum
from hashlib import blake2b

from app.tables import Contact
from app.text import fold


class DuplicateReason(Enum):
    """The value of each member is the name of its column."""

    SAME_PHONE = "phone_e164"
    SAME_NAME_AND_COMPANY = "name_company_key"
    SIMILAR_EMAIL = "similar_email_key"


def similar_email_key(email_key: str) -> str:
    """The email without the dots and plus-tag of its local part, which many providers ignore."""
    local, _, domain = email_key.rpartition("@")
    plain = local.partition("+")[0].replace(".", "")
    return f"{plain or local}@{domain}"


def name_company_key(contact: Contact) -> str | None:
    """A digest, because both may be too long for an index. None if either is missing."""
    if not contact.company:
        return None
    name = contact.name or f"{contact.first_name or ''} {contact.last_name or ''}"
    parts = [" ".join(fold(text).split()) for text in (name, contact.company)]
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest() if all(parts) else None


def duplicate_keys(contact: Contact) -> dict[DuplicateReason, str | None]:
    return {
        DuplicateReason.SAME_PHONE: contact.phone_e164,
        DuplicateReason.SAME_NAME_AND_COMPANY: name_company_key(contact),
        DuplicateReason.SIMILAR_EMAIL: similar_email_key(contact.email_key),
    }


def reasons(left: Contact, right: Contact) -> list[DuplicateReason]:
    theirs = duplicate_keys(right)
    return [
        reason
        for reason, value in duplicate_keys(left).items()
        if value is not None and value == theirs[reason]
    ]
