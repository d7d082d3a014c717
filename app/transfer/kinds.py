"""The fields that a file can give a contact, and the kind of value that each takes."""

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from app.fields.contact import API_NAMES, RULES


class Kind(Enum):
    """The value is the JSON name of the kind, as messages say it."""

    TEXT = "text"
    TIMESTAMP = "a timestamp"
    NUMBER = "a number"
    INTEGER = "an integer"
    BOOLEAN = "true or false"
    TAGS = "a list of texts"
    OBJECT = "a JSON object"
    COLLECTION = "a JSON object or array"
    ANY = "a JSON value"


_OF_TYPES: dict[Any, Kind] = {
    float: Kind.NUMBER,
    int: Kind.INTEGER,
    bool: Kind.BOOLEAN,
    list: Kind.TAGS,
    dict: Kind.OBJECT,
    datetime: Kind.TIMESTAMP,
}

# Of the custom fields that a workspace has defined, by the name of the type in the schema.
CUSTOM_KINDS = {
    "STRING": Kind.TEXT,
    "DATETIME": Kind.TIMESTAMP,
    "NUMBER": Kind.NUMBER,
    "BOOLEAN": Kind.BOOLEAN,
    "JSON": Kind.COLLECTION,
}

CUSTOM_FIELDS = "customFields"
UNSUBSCRIBED = "isUnsubscribed"

# Other fields of a contact, which only the server sets.
READ_ONLY = {
    *("id", "displayName", "phoneE164", "version", "unsubscribedAt"),
    *("externalIds", "assignments", "aliases"),
}


def _types(annotation: Any) -> Iterator[Any]:
    """The types that an annotation is made of, without None and without rules."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for part in get_args(annotation):
            yield from _types(part)
    elif hasattr(annotation, "__metadata__"):
        yield from _types(annotation.__origin__)
    elif annotation is not type(None):
        yield origin or annotation


def _kind(annotation: Any) -> Kind:
    [found] = dict.fromkeys(_types(annotation))
    return _OF_TYPES.get(found, Kind.TEXT)


# By the name in the API: the fields of ContactInput, in their order.
FIELD_KINDS: dict[str, Kind] = {
    API_NAMES[name]: _kind(field.annotation) for name, field in RULES.items()
}
