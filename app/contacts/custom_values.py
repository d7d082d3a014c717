"""Whether given custom fields have the types that their workspace has defined."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic_core import PydanticCustomError

from app.contacts.custom_fields import CustomFieldType, defined_types
from app.contacts.decision.decide import Request
from app.contacts.decision.policy import ObjectMode
from app.database.sessions import Database
from app.errors import FieldError, FieldErrorCode
from app.fields.contact import parse_timestamp
from app.workspaces.keys import Caller

FORMS = {
    CustomFieldType.STRING: "a string",
    CustomFieldType.NUMBER: "a number",
    CustomFieldType.BOOLEAN: "true or false",
    CustomFieldType.DATETIME: "an RFC 3339 timestamp with an offset, such as 2026-01-31T08:00:00Z",
    CustomFieldType.JSON: "an object or an array",
}


async def with_type_errors(
    database: Database, caller: Caller, requests: Sequence[Request]
) -> Sequence[Request]:
    """The requests, with an error beside their others for each value that has not its type.

    The definitions are read once, and only where custom fields were given.
    """
    if not any(request.given.get("custom_fields") for request in requests):
        return requests
    async with database.read() as session:
        types = await defined_types(session, caller.workspace_id)
    return [
        replace(request, errors=(*request.errors, *type_errors(request, types)))
        for request in requests
    ]


def type_errors(request: Request, types: Mapping[str, CustomFieldType]) -> Iterator[FieldError]:
    """Null removes a key under MERGE; under REPLACE it would be a value, and is of no type."""
    given = request.given.get("custom_fields") or {}
    if request.policy.custom_fields is ObjectMode.MERGE:
        given = {key: value for key, value in given.items() if value is not None}
    return wrong_types(given, types)


def wrong_types(
    values: Mapping[str, Any], types: Mapping[str, CustomFieldType]
) -> Iterator[FieldError]:
    for key, value in values.items():
        kind = types.get(key)
        if kind is not None and not has_type(kind, value):
            message = f"is defined as {kind.value} and must be {FORMS[kind]}"
            yield FieldError(FieldErrorCode.INVALID_FORMAT, f"customFields.{key}", message)


def has_type(kind: CustomFieldType, value: Any) -> bool:
    """Of a JSON value that holds to the rulebook, so that its numbers are finite."""
    match kind:
        case CustomFieldType.STRING:
            return isinstance(value, str)
        case CustomFieldType.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case CustomFieldType.BOOLEAN:
            return isinstance(value, bool)
        case CustomFieldType.DATETIME:
            return _is_timestamp(value)
        case CustomFieldType.JSON:
            return isinstance(value, dict | list)


def _is_timestamp(value: Any) -> bool:
    try:
        parse_timestamp(value)
    except PydanticCustomError:
        return False
    return True
