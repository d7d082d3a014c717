"""The rulebook: each contact field's column, limits, normalisation and description, once.

The table inherits `ContactFields`; the GraphQL type and input restate names and types alone;
everything else loops over it. Limits follow RFC 5321 (email), BCP 47 (language), the IANA
database (timezone) and RFC 3339 (timestamps); the others are Rollcall's own.
"""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Annotated, Any, NotRequired
from uuid import UUID
from zoneinfo import available_timezones

import orjson
from annotated_types import Ge, Lt
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AllowInfNan,
    BeforeValidator,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from sqlalchemy import JSON, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel
from sqlmodel.main import FieldInfoMetadata
from typing_extensions import TypedDict

from app.errors import FieldError, FieldErrorCode, InvalidInput

EMAIL_LIMIT = 254
TAGS_LIMIT = 100
TAGS_GIVEN_LIMIT = 1000  # duplicates among them are dropped
OBJECT_KEYS_LIMIT = 100
OBJECT_BYTES_LIMIT = 64 * 1024
OBJECT_DEPTH_LIMIT = 8
FAULTS_TOLD = 100
STAMPS = ("created_via", "api_key_id")  # of the server, in metadata
INTEGERS = range(-(2**63), 2**64)  # that JSON is read back as on both databases

# Byte order on both databases, so that pages, ranges and prefixes agree.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
DOCUMENT = JSON().with_variant(JSONB(), "postgresql")

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")
_BCP47 = r"^([A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8}|[xX])(-[A-Za-z0-9]{1,8})*$"


def broken(code: FieldErrorCode, message: str, path: str = "") -> PydanticCustomError:
    """The error that a rule raises; `path` leads from the field to the broken part of its value."""
    return PydanticCustomError(code.value, "{message}", {"message": message, "path": path})


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise broken(FieldErrorCode.INVALID_FORMAT, "must not contain a NUL character")
    return text


def _not_empty(text: str) -> str:
    if not text:
        raise broken(FieldErrorCode.INVALID_FORMAT, "must not be empty")
    return text


def _email(text: str) -> str:
    if len(text) > EMAIL_LIMIT:
        raise broken(FieldErrorCode.TOO_LONG, f"must have at most {EMAIL_LIMIT} characters")
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise broken(FieldErrorCode.INVALID_FORMAT, f"is not an email address: {error}") from error
    return text


def _unsigned_zero(number: float) -> float:
    """SQLite keeps no sign of zero."""
    return number + 0.0


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(name: str) -> str:
    if name not in _timezones():
        raise broken(
            FieldErrorCode.INVALID_FORMAT, "is not an IANA time zone, such as Europe/Paris"
        )
    return name


def parse_timestamp(value: Any) -> datetime:
    """RFC 3339 text with an offset, in UTC."""
    if not isinstance(value, str) or not (shape := _RFC3339.fullmatch(value.strip())):
        raise broken(
            FieldErrorCode.INVALID_FORMAT,
            "must be an RFC 3339 timestamp, such as 2026-01-31T08:00:00Z",
        )
    if shape[2] is None:
        raise broken(FieldErrorCode.INVALID_FORMAT, "must have an offset, such as Z or +02:00")
    try:
        return datetime.fromisoformat(value.strip().upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise broken(FieldErrorCode.INVALID_FORMAT, f"is no moment in time: {error}") from error


def _bounded(tags: Any) -> Any:
    """Before each tag is judged, and each that breaks a rule told of."""
    if isinstance(tags, list) and len(tags) > TAGS_GIVEN_LIMIT:
        raise broken(FieldErrorCode.TOO_MANY, f"must have at most {TAGS_LIMIT} tags")
    return tags


def _tags(tags: list[str]) -> list[str]:
    distinct = list(dict.fromkeys(tags))
    if len(distinct) > TAGS_LIMIT:
        raise broken(FieldErrorCode.TOO_MANY, f"must have at most {TAGS_LIMIT} tags")
    return distinct


def object_faults(value: dict[str, Any]) -> list[PydanticCustomError]:
    """Where an object breaks the limits of custom fields and metadata: the first 100 places."""
    if len(value) > OBJECT_KEYS_LIMIT:
        message = f"must have at most {OBJECT_KEYS_LIMIT} keys"
        return [broken(FieldErrorCode.TOO_MANY, message)]
    with suppress(orjson.JSONEncodeError):  # what cannot be encoded is named below
        if len(orjson.dumps(value)) > OBJECT_BYTES_LIMIT:
            message = f"must take at most {OBJECT_BYTES_LIMIT} bytes"
            return [broken(FieldErrorCode.TOO_LONG, message)]
    return list(islice(_faults(value, "", 1), FAULTS_TOLD))


def _faults(value: Any, path: str, depth: int) -> Iterator[PydanticCustomError]:
    match value:
        case str():
            if "\x00" in value or not _is_unicode(value):
                message = "must not contain NUL or lone surrogates"
                yield broken(FieldErrorCode.INVALID_FORMAT, message, path)
        case bool() | None:
            pass
        case int():
            if value not in INTEGERS:
                yield broken(FieldErrorCode.OUT_OF_RANGE, "must fit 64 bits", path)
        case float():
            if not math.isfinite(value):
                yield broken(FieldErrorCode.OUT_OF_RANGE, "must be a finite number", path)
        case dict() | list():
            if depth > OBJECT_DEPTH_LIMIT:
                message = f"must have at most {OBJECT_DEPTH_LIMIT} levels"
                yield broken(FieldErrorCode.TOO_MANY, message, path)
                return
            members = value.items() if isinstance(value, dict) else enumerate(value)
            for key, member in members:
                if isinstance(value, dict):
                    yield from _faults(key, path, depth)
                shown = str(key).encode(errors="backslashreplace").decode()
                yield from _faults(member, f"{path}.{shown}", depth + 1)
        case _:
            yield broken(FieldErrorCode.INVALID_FORMAT, "is no JSON value", path)


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    """What the server stamps counts towards no limit, as it may be sent back."""
    _json_object({key: member for key, member in value.items() if key not in STAMPS})
    return value


def _json_object(value: dict[str, Any]) -> dict[str, Any]:
    if faults := object_faults(value):
        told: list[InitErrorDetails] = [{"type": fault, "input": value} for fault in faults]
        raise ValidationError.from_exception_data("object", told)
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


Trimmed = StringConstraints(strip_whitespace=True)  # str.strip would take U+001C to 1F as well
_TRIMMED = TypeAdapter(Annotated[str, Trimmed])
PlainText = AfterValidator(_without_nul)
Line20 = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20), PlainText]
Line50 = Annotated[str, StringConstraints(strip_whitespace=True, max_length=50), PlainText]
Line100 = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), PlainText]
Line255 = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255), PlainText]
Notes = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000), PlainText]
ExternalId = Annotated[Line255, AfterValidator(_not_empty)]
Email = Annotated[str, Trimmed, PlainText, AfterValidator(_email)]
Language = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=35, pattern=_BCP47), PlainText
]
Timezone = Annotated[str, Trimmed, PlainText, AfterValidator(_timezone)]
Tags = Annotated[
    list[Annotated[Line100, AfterValidator(_not_empty)]],
    BeforeValidator(_bounded),
    AfterValidator(_tags),
]
JsonObject = Annotated[dict[str, Any], AfterValidator(_json_object)]
Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
Timestamp = Annotated[datetime, BeforeValidator(parse_timestamp)]
Number = Annotated[float, AllowInfNan(False), AfterValidator(_unsigned_zero)]
Count = Annotated[int, Ge(0), Lt(2**31)]


class ContactFields(SQLModel):
    """What a client may send of a contact.

    A field that may be None clears to None; one with a default factory clears to its default;
    any other refuses null.
    """

    external_id: ExternalId | None = Field(
        default=None,
        sa_type=TEXT,
        description="The caller's own stable identifier, up to 255 characters, case-sensitive; "
        "unique in the workspace.",
    )
    email: Email = Field(
        sa_type=TEXT,
        description="The email address as given, up to 254 characters (RFC 5321); unique in the "
        "workspace without regard to case.",
    )
    name: Line255 | None = Field(
        default=None, sa_type=TEXT, description="The full name as given, up to 255 characters."
    )
    prefix: Line255 | None = Field(
        default=None, sa_type=TEXT, description="What stands before the name, such as Dr."
    )
    first_name: Line255 | None = Field(
        default=None, sa_type=TEXT, description="The first name, up to 255 characters."
    )
    last_name: Line255 | None = Field(
        default=None, sa_type=TEXT, description="The last name, up to 255 characters."
    )
    suffix: Line255 | None = Field(
        default=None, sa_type=TEXT, description="What stands behind the name, such as Jr."
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
        default=None, sa_type=TEXT, description="What else the address needs, up to 255 characters."
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
        description="The country, up to 100 characters; a two-letter ISO 3166 code also tells "
        "how to read a phone number without a country prefix.",
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
        default=None, description="What the contact has spent so far; a finite number."
    )
    orders_count: Count | None = Field(
        default=None, description="How many orders the contact has placed; 0 or more."
    )
    last_order_at: Timestamp | None = Field(
        default=None, description="When the contact last placed an order."
    )
    professional_id: UUID | None = Field(
        default=None, description="The professional that the contact worked with; a UUID."
    )
    custom_fields: JsonObject = Field(
        default_factory=dict,
        sa_type=DOCUMENT,
        description="Values of the workspace's own: a JSON object of up to 100 keys, 64 KiB and "
        "8 levels.",
    )
    meta: Metadata = Field(
        default_factory=dict,
        sa_type=DOCUMENT,
        sa_column_args=("metadata",),
        description="Tracking data: a JSON object of up to 100 keys, 64 KiB and 8 levels. "
        "`created_via` and `api_key_id` are stamped by the server when a contact is created.",
    )
    created_at: Timestamp = Field(
        description="When the contact was created. May be given when a contact is created, to "
        "keep its age in another system; not in the future."
    )
    updated_at: Timestamp = Field(
        description="When the contact last changed. May be given when a contact is created; not "
        "in the future and not before `createdAt`."
    )


FIELDS: tuple[str, ...] = tuple(ContactFields.model_fields)
API_NAMES: dict[str, str] = {name: to_camel(name) for name in FIELDS} | {"meta": "metadata"}


def cleared(name: str) -> Any:
    """What a field holds after null was given for it."""
    factory = ContactFields.model_fields[name].default_factory
    return factory() if factory else None  # type: ignore[call-arg]  # factories here take nothing


def plain_text(text: str, path: str) -> str:
    """Text that may meet the database: trimmed, and free of NUL and lone surrogates."""
    if "\x00" in text or not _is_unicode(text):
        message = "must not contain NUL or lone surrogates"
        raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, path, message)])
    return _TRIMMED.validate_python(text)


def email_key(email: str) -> str:
    return email.strip().lower()


def _given_rules() -> TypeAdapter[dict[str, Any]]:
    """All rules over just those fields that were given."""
    rules: dict[str, Any] = {}
    for name, field in ContactFields.model_fields.items():
        checks = [check for check in field.metadata if not isinstance(check, FieldInfoMetadata)]
        rule: Any = Annotated[field.annotation, *checks] if checks else field.annotation
        rules[name] = NotRequired[rule | None if field.default_factory else rule]
    return TypeAdapter(TypedDict("Given", rules))  # type: ignore[operator]  # built at run time


_GIVEN = _given_rules()

_CODES = {
    "string_too_long": FieldErrorCode.TOO_LONG,
    "greater_than_equal": FieldErrorCode.OUT_OF_RANGE,
    "less_than": FieldErrorCode.OUT_OF_RANGE,
    "finite_number": FieldErrorCode.OUT_OF_RANGE,
}
_MESSAGES = {
    "string_unicode": "must not contain lone surrogates",
    "dict_type": "must be a JSON object",
    "string_pattern_mismatch": "is not a BCP 47 language tag, such as en-US",
}


def normalise(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The given fields that hold to the rules, normalised, and every broken rule of the others,
    up to a hundred.

    Absent stays absent; null stays None where the field can be cleared.
    """
    try:
        return _GIVEN.validate_python(dict(given)), []
    except ValidationError as error:
        broken_rules = error.errors(include_url=False)
        names = {details["loc"][0] for details in broken_rules}
        rest = {name: value for name, value in given.items() if name not in names}
        told = [_field_error(details) for details in broken_rules[:FAULTS_TOLD]]
        return _GIVEN.validate_python(rest), told


def _field_error(details: ErrorDetails) -> FieldError:
    name, *rest = details["loc"]
    kind = details["type"]
    path = ".".join([API_NAMES[str(name)], *(str(part) for part in rest if isinstance(part, int))])
    if details["input"] is None:
        return FieldError(FieldErrorCode.INVALID_FORMAT, path, "cannot be null")
    if kind in FieldErrorCode.__members__:
        context = details["ctx"]
        return FieldError(FieldErrorCode[kind], path + context["path"], context["message"])
    code = _CODES.get(kind, FieldErrorCode.INVALID_FORMAT)
    return FieldError(code, path, _MESSAGES.get(kind, details["msg"]))
