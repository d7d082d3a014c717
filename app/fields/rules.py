"""The rules of field values: types, limits and normalisation.

The limits follow BCP 47 (language) and the IANA database (timezone); the others are Rollcall's own.
"""

import math
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Annotated, Any
from zoneinfo import available_timezones

import orjson
from annotated_types import Ge, Lt
from pydantic import (
    AfterValidator,
    AllowInfNan,
    BeforeValidator,
    ValidationError,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from app.errors import FieldErrorCode
from app.text import is_plain, normalised
from app.timestamps import parse_timestamp

LANGUAGE_LIMIT = 35
TAGS_LIMIT = 100
TAG_LENGTH = 100
TAGS_GIVEN_LIMIT = 1000  # duplicates among them are dropped
OBJECT_KEYS_LIMIT = 100
OBJECT_BYTES_LIMIT = 64 * 1024
OBJECT_DEPTH_LIMIT = 8
FAULTS_LIMIT = 100
PATH_KEY_LENGTH = 100  # characters of a key in the path of an error
NOT_PLAIN = "must not contain NUL or lone surrogates"
INTEGERS = range(-(2**63), 2**63)  # signed 64 bits
# PostgreSQL returns a float of 2^63 to 2^64 as an integer, beyond that orjson makes it a float.
STORED_INTEGERS = range(-(2**63), 2**64)

_BCP47 = re.compile(
    r"([A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8}|[xX])(-[A-Za-z0-9]{1,8})*", re.ASCII
)


def rule_error(code: FieldErrorCode, message: str, path: str = "") -> PydanticCustomError:
    """The error that a rule raises; `path` is that of the broken part within the field."""
    return PydanticCustomError(code.value, "{message}", {"message": message, "path": path})


def _text(limit: int) -> AfterValidator:
    """An empty text becomes null."""
    return AfterValidator(lambda text: _line(text, limit) or None)


def _line(text: str, limit: int) -> str:
    """Trims, normalises to NFC, and then limits the text."""
    text = plain(text)
    if len(text) > limit:
        raise rule_error(FieldErrorCode.TOO_LONG, f"must have at most {limit:,} characters")
    return text


def plain(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text.strip(" ")  # no other white space is printable ASCII
    if not is_plain(text):
        raise rule_error(FieldErrorCode.INVALID_FORMAT, NOT_PLAIN)
    return normalised(text)


def _unsigned_zero(number: float) -> float:
    """SQLite keeps no sign of zero."""
    return number + 0.0


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(name: str | None) -> str | None:
    if name is not None and name not in _timezones():
        message = "must be an IANA time zone, such as Europe/Paris"
        raise rule_error(FieldErrorCode.INVALID_FORMAT, message)
    return name


def _language(tag: str | None) -> str | None:
    if tag is not None and not _BCP47.fullmatch(tag):
        message = "must be a BCP 47 language tag, such as en-US"
        raise rule_error(FieldErrorCode.INVALID_FORMAT, message)
    return tag


def _timestamp(value: Any) -> datetime:
    try:
        return parse_timestamp(value)
    except ValueError as error:
        raise rule_error(FieldErrorCode.INVALID_FORMAT, str(error)) from error


def _bounded(tags: Any) -> Any:
    """Limits the number of tags before each one is validated."""
    if isinstance(tags, list) and len(tags) > TAGS_GIVEN_LIMIT:
        message = f"must have at most {TAGS_GIVEN_LIMIT:,} tags, duplicates included"
        raise rule_error(FieldErrorCode.TOO_MANY, message)
    return tags


def _tags(given: list[str]) -> list[str]:
    """Tags after the first 100 faults are not judged."""
    faults: list[InitErrorDetails] = []
    distinct: dict[str, None] = {}
    for index, tag in enumerate(given):
        try:
            distinct[_tag(tag)] = None
        except PydanticCustomError as fault:
            faults.append({"type": fault, "loc": (index,), "input": tag})
            if len(faults) == FAULTS_LIMIT:
                break
    if faults:
        raise ValidationError.from_exception_data("tags", faults)
    if len(distinct) > TAGS_LIMIT:
        raise rule_error(FieldErrorCode.TOO_MANY, f"must have at most {TAGS_LIMIT} tags")
    return list(distinct)


def _tag(text: str) -> str:
    tag = _line(text, TAG_LENGTH)
    if not tag:
        raise rule_error(FieldErrorCode.INVALID_FORMAT, "must not be empty")
    return tag


def object_faults(
    value: dict[str, Any], integers: range = STORED_INTEGERS
) -> list[PydanticCustomError]:
    """The first 100 places where an object breaks the limits of custom fields and metadata."""
    if len(value) > OBJECT_KEYS_LIMIT:
        message = f"must have at most {OBJECT_KEYS_LIMIT} keys"
        return [rule_error(FieldErrorCode.TOO_MANY, message)]
    try:
        encoded = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return list(islice(_faults(value, "", 1, integers), FAULTS_LIMIT))
    if len(encoded) > OBJECT_BYTES_LIMIT:
        message = f"must have at most {OBJECT_BYTES_LIMIT:,} bytes as JSON"
        return [rule_error(FieldErrorCode.TOO_LONG, message)]
    if b"\\u0000" not in encoded and _are_storable(value.values(), 1, integers):
        return []
    return list(islice(_faults(value, "", 1, integers), FAULTS_LIMIT))


def _are_storable(members: Iterable[Any], depth: int, integers: range) -> bool:
    """Whether none of the members has a fault. All of them are JSON without NUL.

    Walks without the paths that only faults need.
    """
    for member in members:
        kind = type(member)
        if kind is dict or kind is list:
            inner = member.values() if kind is dict else member
            if depth >= OBJECT_DEPTH_LIMIT or not _are_storable(inner, depth + 1, integers):
                return False
        elif kind is int:
            if member not in integers:
                return False
        elif kind is float:
            if not math.isfinite(member):
                return False
        elif kind is not str and kind is not bool and member is not None:
            return False
    return True


def _faults(value: Any, path: str, depth: int, integers: range) -> Iterator[PydanticCustomError]:
    match value:
        case str():
            if not is_plain(value):
                yield rule_error(FieldErrorCode.INVALID_FORMAT, NOT_PLAIN, path)
        case bool() | None:
            pass
        case int():
            if value not in integers:
                message = "must be an integer from -2^63 to 2^63 - 1"
                yield rule_error(FieldErrorCode.OUT_OF_RANGE, message, path)
        case float():
            if not math.isfinite(value):
                yield rule_error(FieldErrorCode.OUT_OF_RANGE, "must be a finite number", path)
        case dict() | list():
            if depth > OBJECT_DEPTH_LIMIT:
                message = f"must have at most {OBJECT_DEPTH_LIMIT} levels"
                yield rule_error(FieldErrorCode.TOO_MANY, message, path)
                return
            members = value.items() if isinstance(value, dict) else enumerate(value)
            for key, member in members:
                if isinstance(value, dict):
                    yield from _faults(key, path, depth, integers)
                shown = str(key)[:PATH_KEY_LENGTH].encode(errors="backslashreplace").decode()
                yield from _faults(member, f"{path}.{shown}", depth + 1, integers)
        case _:
            yield rule_error(FieldErrorCode.INVALID_FORMAT, "must be a JSON value", path)


def json_object(value: dict[str, Any]) -> dict[str, Any]:
    if faults := object_faults(value, INTEGERS):
        errors: list[InitErrorDetails] = [{"type": fault, "input": value} for fault in faults]
        raise ValidationError.from_exception_data("object", errors)
    return value


Line20 = Annotated[str, _text(20)]
Line50 = Annotated[str, _text(50)]
Line100 = Annotated[str, _text(100)]
Line255 = Annotated[str, _text(255)]
Notes = Annotated[str, _text(10_000)]
Language = Annotated[str, _text(LANGUAGE_LIMIT), AfterValidator(_language)]
Timezone = Annotated[Line255, AfterValidator(_timezone)]
Tags = Annotated[list[str], BeforeValidator(_bounded), AfterValidator(_tags)]
JsonObject = Annotated[dict[str, Any], AfterValidator(json_object)]
Timestamp = Annotated[datetime, BeforeValidator(_timestamp)]
Number = Annotated[float, AllowInfNan(False), AfterValidator(_unsigned_zero)]
Count = Annotated[int, Ge(0), Lt(2**31)]
