"""JSON columns that a statement reads as text.

The drivers hand over text as it is. Their decoding of JSON, a call of Python code for each value,
takes longer than orjson's.
"""

from typing import Any

import orjson
from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from app.text import has_long_integer


class JsonText(TypeDecorator[Any]):
    """The type of a JSON column that is cast to text."""

    impl = Text
    cache_ok = True


class ParsedJson(JsonText):
    """Becomes Python's value."""

    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


class PassedOnJson(JsonText):
    """Becomes a part of an answer, unread: an `orjson.Fragment`."""

    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        # PostgreSQL writes large floats as integers.
        is_read = has_long_integer(value.encode())
        return orjson.loads(value) if is_read else orjson.Fragment(value)
