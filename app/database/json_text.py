"""JSON columns that a statement reads as text.

The drivers hand over text as it is. Their decoding of JSON, a call of Python code for each value,
takes longer than orjson's.
"""

import re
from typing import Any

import orjson
from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

# orjson takes an integer beyond 64 bits for a float, and PostgreSQL writes large floats as
# integers.
_LONG_INTEGER = re.compile(r"\d{19}")


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
        return orjson.loads(value) if _LONG_INTEGER.search(value) else orjson.Fragment(value)
