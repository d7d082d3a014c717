"""Converts between a contact and the row of its table."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from app.contacts.store.duplicate_keys import name_company_key, similar_email_key
from app.tables import CONTACT, Contact
from app.text import fold
from app.timestamps import parse_timestamp

# The columns of a contact itself, by the contact's names for them.
NAMES = {name: "metadata" if name == "meta" else name for name in Contact.model_fields}
COLUMNS = {name: CONTACT.c[column] for name, column in NAMES.items()}


def record(row: Mapping[str, Any]) -> Contact:
    return Contact.of(row)


def row(contact: Contact) -> dict[str, Any]:
    """Includes the columns that only serve to find and order the contact."""
    values = {column: getattr(contact, name) for name, column in NAMES.items()}
    return values | {
        "name_key": fold(contact.name) if contact.name else None,
        "search_text": "\n".join(dict.fromkeys(fold(text) for text in _searched(contact) if text)),
        "custom_datetimes": dict(_datetimes(contact.custom_fields)),
        "name_company_key": name_company_key(contact),
        "similar_email_key": similar_email_key(contact.email_key),
    }


def _searched(contact: Contact) -> tuple[str | None, ...]:
    return (
        *contact.external_ids.values(),
        contact.email,
        contact.email_key,
        contact.name,
        " ".join(part for part in (contact.first_name, contact.last_name) if part),
        contact.company,
        contact.phone,
        contact.phone_e164,
    )


def _datetimes(custom_fields: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in custom_fields.items():
        if isinstance(value, str):
            with suppress(ValueError):
                yield key, parse_timestamp(value).timestamp()
