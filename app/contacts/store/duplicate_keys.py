"""What makes two contacts likely duplicates: for each reason a value that both of them have."""

from enum import Enum
from hashlib import blake2b

from app.tables import Contact
from app.text import fold


class DuplicateReason(Enum):
    """Each by the column that holds its value."""

    SAME_PHONE = "phone_e164"
    SAME_NAME_AND_COMPANY = "name_company_key"
    SIMILAR_EMAIL = "email_alike"


def email_alike(email_key: str) -> str:
    """The email without what many providers overlook: dots and a plus-tag in the local part."""
    local, _, domain = email_key.rpartition("@")
    plain = local.partition("+")[0].replace(".", "")
    return f"{plain or local}@{domain}"


def name_company_key(contact: Contact) -> str | None:
    """A digest, as the two together may be too long for an index. None where one is missing."""
    name = contact.name or f"{contact.first_name or ''} {contact.last_name or ''}"
    parts = [" ".join(fold(text).split()) for text in (name, contact.company or "")]
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest() if all(parts) else None


def likenesses(contact: Contact) -> dict[DuplicateReason, str | None]:
    return {
        DuplicateReason.SAME_PHONE: contact.phone_e164,
        DuplicateReason.SAME_NAME_AND_COMPANY: name_company_key(contact),
        DuplicateReason.SIMILAR_EMAIL: email_alike(contact.email_key),
    }


def reasons(left: Contact, right: Contact) -> list[DuplicateReason]:
    theirs = likenesses(right)
    return [
        reason
        for reason, value in likenesses(left).items()
        if value is not None and value == theirs[reason]
    ]
