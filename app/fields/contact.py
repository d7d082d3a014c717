"""The column, rule and description of each contact field, defined once.

The table inherits `ContactFields`. The GraphQL type and input repeat only names and types. All
other code iterates over `RULES`.
"""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from sqlalchemy import JSON, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from app.fields.emails import Email
from app.fields.rules import (
    Count,
    JsonObject,
    Language,
    Line20,
    Line50,
    Line100,
    Line255,
    Notes,
    Number,
    Tags,
    Timestamp,
    Timezone,
    json_object,
)

STAMPS = ("created_via", "api_key_id")  # in metadata, set by the server

# Byte order on both databases, so that pages, ranges and prefixes agree.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
DOCUMENT = JSON().with_variant(JSONB(), "postgresql")


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    """The server's stamps, which a client may send back, do not count towards the limits."""
    counted = value.copy()
    for stamp in STAMPS:
        counted.pop(stamp, None)
    json_object(counted)
    return value


Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]


class IdentifierFields(SQLModel):
    """The fields that a client may send and that are not columns of the contact."""

    external_id: Line255 | None = Field(
        default=None,
        description="The contact's id in the system that the API key belongs to, its source: up "
        "to 255 characters, case-sensitive, unique in the workspace and source.",
    )


class ContactFields(SQLModel):
    """The fields that a client may send and that are columns of the contact.

    Null sets a field that may be None to None, and one with a default factory to its default; any
    other field refuses null.
    """

    email: Email = Field(
        sa_type=TEXT,
        description="The email address as given, in Unicode NFC: up to 254 bytes in UTF-8, of "
        "which up to 64 before the @-sign (RFC 5321); the first limit also holds with the domain "
        "in ASCII (IDNA). Unique in the workspace: spellings that differ only in case, Unicode "
        "normalization form or IDNA form of the domain are the same address.",
    )
    name: Line255 | None = Field(
        default=None, sa_type=TEXT, description="The full name, up to 255 characters."
    )
    prefix: Line255 | None = Field(
        default=None,
        sa_type=TEXT,
        description="A title before the name, such as Dr; up to 255 characters.",
    )
    first_name: Line255 | None = Field(
        default=None, sa_type=TEXT, description="The first name, up to 255 characters."
    )
    last_name: Line255 | None = Field(
        default=None, sa_type=TEXT, description="The last name, up to 255 characters."
    )
    suffix: Line255 | None = Field(
        default=None,
        sa_type=TEXT,
        description="A suffix after the name, such as Jr; up to 255 characters.",
    )
    phone: Line50 | None = Field(
        default=None, sa_type=TEXT, description="The phone number as given, up to 50 characters."
    )
    company: Line255 | None = Field(
        default=None, sa_type=TEXT, description="The company, up to 255 characters."
    )
    job_title: Line255 | None = Field(
        default=None, sa_type=TEXT, description="The job title, up to 255 characters."
    )
    notes: Notes | None = Field(
        default=None, sa_type=TEXT, description="Free text, up to 10,000 characters."
    )
    address_line1: Line255 | None = Field(
        default=None, sa_type=TEXT, description="Number and street, up to 255 characters."
    )
    address_line2: Line255 | None = Field(
        default=None, sa_type=TEXT, description="The second address line, up to 255 characters."
    )
    city: Line100 | None = Field(
        default=None, sa_type=TEXT, description="The city, up to 100 characters."
    )
    state: Line100 | None = Field(
        default=None, sa_type=TEXT, description="The state or region, up to 100 characters."
    )
    postcode: Line20 | None = Field(
        default=None, sa_type=TEXT, description="The postal code, up to 20 characters."
    )
    country: Line100 | None = Field(
        default=None,
        sa_type=TEXT,
        description="The country, up to 100 characters; a two-letter ISO 3166 code also "
        "sets how a phone number without a country prefix is read.",
    )
    timezone: Timezone | None = Field(
        default=None, sa_type=TEXT, description="An IANA time zone, such as America/New_York."
    )
    language: Language | None = Field(
        default=None,
        sa_type=TEXT,
        description="A BCP 47 language tag, such as en-US, up to 35 characters.",
    )
    tags: Tags = Field(
        default_factory=list,
        sa_type=DOCUMENT,
        description="Up to 100 distinct tags of up to 100 characters each, in the order given.",
    )
    is_active: bool = Field(default=True, description="Whether the contact is active.")
    lifetime_value: Number | None = Field(
        default=None, description="The total amount the contact has spent; a finite number."
    )
    orders_count: Count | None = Field(
        default=None, description="The number of orders the contact has placed: 0 to 2,147,483,647."
    )
    last_order_at: Timestamp | None = Field(
        default=None, description="When the contact last placed an order; RFC 3339 with an offset."
    )
    professional_id: UUID | None = Field(
        default=None, description="The id of the professional that the contact worked with; a UUID."
    )
    custom_fields: JsonObject = Field(
        default_factory=dict,
        sa_type=DOCUMENT,
        description="The workspace's own fields: a JSON object of up to 100 keys, 64 KiB and "
        "8 levels. Numbers must be finite, integers from -2^63 to 2^63 - 1.",
    )
    meta: Metadata = Field(
        default_factory=dict,
        sa_type=DOCUMENT,
        sa_column_args=("metadata",),
        description="Tracking data: a JSON object of up to 100 keys, 64 KiB and 8 levels. "
        "Numbers must be finite, integers from -2^63 to 2^63 - 1. The server sets `created_via` "
        "and `api_key_id` when a contact is created; no client can set or change them.",
    )
    created_at: Timestamp = Field(
        description="When the contact was created. May be given when a contact is created, to "
        "keep the time from another system: up to five minutes ahead of the server's clock count "
        "as now, further ahead is refused."
    )
    updated_at: Timestamp = Field(
        description="When the contact last changed. May be given when a contact is created: up "
        "to five minutes ahead of the server's clock count as now, further ahead is refused; not "
        "before `createdAt`."
    )


RULES: dict[str, FieldInfo] = IdentifierFields.model_fields | ContactFields.model_fields
FIELDS: tuple[str, ...] = tuple(RULES)
API_NAMES: dict[str, str] = {name: to_camel(name) for name in FIELDS} | {"meta": "metadata"}


def cleared(name: str) -> Any:
    """The value of a field after null was given for it."""
    factory = RULES[name].default_factory
    return factory() if factory else None  # type: ignore[call-arg]  # factories here take nothing
