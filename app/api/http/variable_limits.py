"""Limits the values in the variables of a request, scalars included, before they cost anything."""

import re
from functools import cache
from typing import Any

from app.errors import LimitExceeded

# What comes before a comma outside of texts. Nothing is read twice: the quantifiers are possessive.
_UP_TO_COMMA = rb'[^",]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^",]*+)*+,'

# A body has three commas beside those in its variables, and may have a few more.
_BESIDE_VARIABLES = 100


def check_body(body: bytes | bytearray, limit: int) -> None:
    """Raises LimitExceeded for JSON that has far more values than the limit, before it is parsed.

    Each value of a list or an object but its first one follows a comma.
    """
    commas = limit + _BESIDE_VARIABLES
    if len(body) > commas and body.count(b",") > commas and _has_commas(commas + 1).match(body):
        raise _too_many(limit)


@cache
def _has_commas(count: int) -> re.Pattern[bytes]:
    return re.compile(rb"(?s:%b){%d}+" % (_UP_TO_COMMA, count))


def count_values(variables: dict[str, Any], limit: int) -> int:
    """Raises LimitExceeded for more values than the limit."""
    count = 0
    found: list[Any] = [variables]
    while found:
        one = found.pop()
        members = one.values() if type(one) is dict else one
        count += len(members)
        if count > limit:
            raise _too_many(limit)
        found += [one for one in members if one and (type(one) is dict or type(one) is list)]
    return count


def _too_many(limit: int) -> LimitExceeded:
    rule = f"variables must have at most {limit:,} values, in lists and objects at any level"
    return LimitExceeded(rule, "MAX_VARIABLE_VALUES", limit)
