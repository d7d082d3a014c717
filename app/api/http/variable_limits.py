"""Limits the values in the variables of a request, scalars included, before they cost anything."""

import re
from functools import cache
from typing import Any

from app.errors import LimitExceeded

# Up to the start of a value, outside of texts: a comma, the colon behind a name, or the bracket of
# a list or an object that is not empty. Only white space is read twice: the quantifiers are
# possessive.
_UP_TO_VALUE = (
    rb'[^",:\[{]*+'
    rb'(?:(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|\[\s*+\]|\{\s*+\})[^",:\[{]*+)*+'
    rb"[,:\[{]"
)

# A body has a few values beside those in its variables.
_BESIDE_VARIABLES = 100


def check_body(body: bytes | bytearray, limit: int) -> None:
    """Raises LimitExceeded for JSON with far more values than the limit, before it is parsed."""
    most = limit + _BESIDE_VARIABLES
    if has_more_values(body, most) and _has_values(most + 1).match(body):
        raise _too_many(limit)


def has_more_values(body: bytes | bytearray, count: int) -> bool:
    """By a guess that is never too low."""
    return len(body) > count and guess_values(body) > count


def guess_values(body: bytes | bytearray) -> int:
    """At least as many as there are values and names: separators in texts count too."""
    return sum(map(body.count, (b",", b":", b"[", b"{")))


@cache
def _has_values(count: int) -> re.Pattern[bytes]:
    return re.compile(rb"(?s:%b){%d}+" % (_UP_TO_VALUE, count))


def count_values(variables: dict[str, Any], limit: int) -> int:
    """Raises LimitExceeded for more than the limit. A name counts as a value, because it takes as
    much memory."""
    count = 0
    found: list[Any] = [variables]
    while found:
        one = found.pop()
        members = one
        if type(one) is dict:
            members = one.values()
            count += len(one)
        count += len(members)
        if count > limit:
            raise _too_many(limit)
        found += [one for one in members if one and (type(one) is dict or type(one) is list)]
    return count


def _too_many(limit: int) -> LimitExceeded:
    rule = (
        f"variables must have at most {limit:,} values and names, in lists and objects at any level"
    )
    return LimitExceeded(rule, "MAX_VARIABLE_VALUES", limit)
