"""Checks given custom fields against the types that their workspace has defined."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.contacts.custom_fields import CustomFieldType, read_types
from app.contacts.decision.decide import Request
from app.contacts.decision.policy import ObjectMode
from app.database.sessions import Database, InWorkspace
from app.errors import FieldError, FieldErrorCode
from app.timestamps import timestamp_in

FORMS = {
    CustomFieldType.STRING: "a string",
    CustomFieldType.NUMBER: "a number",
    CustomFieldType.BOOLEAN: "true or false",
    CustomFieldType.DATETIME: "an RFC 3339 timestamp with an offset, such as 2026-01-31T08:00:00Z",
    CustomFieldType.JSON: "an object or an array",
}


async def with_type_errors(
    database: Database, tenant: InWorkspace, requests: Sequence[Request]
) -> Sequence[Request]:
    """Returns the requests, with an error added for each value that does not have its type.

    The definitions are read once, and only if custom fields were given.
    """
    if not any(request.given.get("custom_fields") for request in requests):
        return requests
    types = await read_types(database, tenant)
    return [_with_type_errors(request, types) for request in requests] if types else requests


def _with_type_errors(request: Request, types: Mapping[str, CustomFieldType]) -> Request:
    errors = tuple(type_errors(request, types))
    return request._replace(errors=request.errors + errors) if errors else request


def type_errors(request: Request, types: Mapping[str, CustomFieldType]) -> Iterator[FieldError]:
    """A null removes its key, so it needs no type, except in the mode REPLACE."""
    given = request.given.get("custom_fields") or {}
    if request.policy.custom_fields is not ObjectMode.REPLACE:
        given = {key: value for key, value in given.items() if value is not None}
    return wrong_types(given, types)


def wrong_types(
    values: Mapping[str, Any], types: Mapping[str, CustomFieldType]
) -> Iterator[FieldError]:
    for key, value in values.items():
        kind = types.get(key)
        if kind is not None and not has_type(kind, value):
            message = f"must be {FORMS[kind]} (type {kind.value})"
            yield FieldError(FieldErrorCode.INVALID_FORMAT, f"customFields.{key}", message)


def has_type(kind: CustomFieldType, value: Any) -> bool:
    """The value is valid JSON, so its numbers are finite."""
    match kind:
        case CustomFieldType.STRING:
            return isinstance(value, str)
        case CustomFieldType.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case CustomFieldType.BOOLEAN:
            return isinstance(value, bool)
        case CustomFieldType.DATETIME:
            return isinstance(value, str) and timestamp_in(value) is not None
        case CustomFieldType.JSON:
            return isinstance(value, dict | list)
