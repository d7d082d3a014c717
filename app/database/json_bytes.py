"""JSON columns that a statement reads as UTF-8.

The drivers hand over bytes as they are. Their decoding of JSON, a call of Python code for each
value, takes longer than orjson's; and a text in which one character is beyond U+FFFF takes four
bytes for each.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.text import has_long_integer


class JsonBytes(TypeDecorator[Any]):
    """The type of a JSON column as `words.JSON_BYTES` selects it."""

    impl = LargeBinary
    cache_ok = True


class ParsedJson(JsonBytes):
    """Becomes Python's value."""

    cache_ok = True

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


class PassedOnJson(JsonBytes):
    """Becomes a part of an answer, unread: an `orjson.Fragment`."""

    cache_ok = True

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else _passed_on(value)


def _passed_on(value: bytes) -> Any:
    # PostgreSQL writes large floats as integers.
    return orjson.loads(value) if has_long_integer(value) else orjson.Fragment(value)


# What makes the value of the driver's, for prepared statements.
PROCESSORS: Mapping[type[TypeEngine[Any]], Callable[[Any], Any]] = {
    ParsedJson: orjson.loads,
    PassedOnJson: _passed_on,
}
