"""The operators of filters in Python, as a reference for the databases."""

from collections.abc import Callable
from operator import eq, ge, gt, le, lt
from typing import Any

from app.contacts.listing.conditions import BOUNDS, Operator

# The operators on a value that is not null.
MEANINGS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: eq,
    Operator.IN: lambda held, wanted: held in wanted,
    Operator.CONTAINS: lambda held, wanted: wanted in held,
    Operator.STARTS_WITH: str.startswith,
    Operator.GT: gt,
    Operator.GTE: ge,
    Operator.LT: lt,
    Operator.LTE: le,
}
# The operators that compare a text with one other.
OF_TEXTS = [one for one in Operator if one not in {*BOUNDS, Operator.IN, Operator.IS_NULL}]


def compares(held: Any, operator: Operator, wanted: Any, ignore_case: bool) -> bool:
    if operator is Operator.IS_NULL:
        return wanted is (held is None)
    if held is None:
        return False
    if ignore_case:
        held = held.lower()
        wanted = tuple(map(str.lower, wanted)) if operator is Operator.IN else wanted.lower()
    return bool(MEANINGS[operator](held, wanted))
