"""Values of a file as values of the API. What cannot be converted is refused, never guessed.

The limits of fields are the API's own and are not judged here.
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from app.transfer.kinds import Kind

TRUE, FALSE = {"true", "yes", "y", "1"}, {"false", "no", "n", "0"}

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)


def loads(text: str | bytes) -> Any:
    """JSON as RFC 8259 has it. Raises ValueError."""
    try:
        return json.loads(text, parse_constant=_not_finite)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"must be JSON: {error.msg}") from error


def _not_finite(name: str) -> NoReturn:
    raise ValueError(f"must be JSON, which has no {name}")


def from_text(text: str, kind: Kind, tag_separator: str) -> Any:
    """The value of a cell. Raises ValueError."""
    if kind is Kind.TAGS:
        return _tags(text, tag_separator)
    return _FROM_TEXT.get(kind, str)(text)


def _number(text: str) -> float | int:
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError("must be a number such as 1234.5, without separators of thousands")
    return _storable(int(text)) if _INTEGER.fullmatch(text) else _finite(float(text))


def _storable(number: int) -> int | float:
    """Whole numbers stay whole, except those beyond the integers of the API."""
    return number if -(2**63) <= number < 2**63 else float(number)


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError("must be a finite number")
    return number


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text.strip()):
        raise ValueError("must be a whole number such as 12")
    return _graphql_int(int(text))


def _graphql_int(number: int) -> int:
    """GraphQL's Int has 32 bits; a value beyond refuses the whole call."""
    if not -(2**31) <= number < 2**31:
        raise ValueError("must be from -2,147,483,648 to 2,147,483,647")
    return number


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise ValueError("must be true or false, yes or no, 1 or 0")
    return word in TRUE


def _tags(text: str, separator: str) -> list[str]:
    """A JSON array of texts, or texts between separators."""
    if text.lstrip().startswith("["):
        try:
            return list(_texts(loads(text)))
        except ValueError:
            pass  # a tag may start with a bracket
    return [tag for part in text.split(separator) if (tag := part.strip())]


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("must be a list of texts")
    return value


def _object(text: str) -> Any:
    return from_json(loads(text), Kind.OBJECT)


def _collection(text: str) -> Any:
    return from_json(loads(text), Kind.COLLECTION)


_FROM_TEXT: dict[Kind, Callable[[str], Any]] = {
    Kind.NUMBER: _number,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.OBJECT: _object,
    Kind.COLLECTION: _collection,
}


def from_json(value: Any, kind: Kind) -> Any:
    """The value of a member of NDJSON. Raises ValueError where GraphQL would refuse the whole
    call; null is allowed everywhere."""
    if value is not None and not _IS_OF_KIND[kind](value):
        raise ValueError(f"must be {kind.value}")
    if kind is Kind.INTEGER and value is not None:
        return _graphql_int(value)
    if kind is Kind.NUMBER and value is not None:
        return _float(value)
    return value


def _float(value: float | int) -> float | int:
    try:
        _finite(float(value))
    except OverflowError as error:
        raise ValueError("must be a finite number") from error
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_IS_OF_KIND: dict[Kind, Callable[[Any], bool]] = {
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.TIMESTAMP: lambda value: isinstance(value, str),
    Kind.NUMBER: _is_number,
    Kind.INTEGER: lambda value: isinstance(value, int) and not isinstance(value, bool),
    Kind.BOOLEAN: lambda value: isinstance(value, bool),
    Kind.TAGS: lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    Kind.OBJECT: lambda value: isinstance(value, dict),
    Kind.COLLECTION: lambda value: isinstance(value, dict | list),
    Kind.ANY: lambda _: True,
}
