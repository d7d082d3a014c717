"""Values that break what reads them: odd texts and numbers, deep JSON, identifiers of others."""

import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.support.operations import SCALARS, Scalars

TEXTS = [
    "\x00",
    "a\x00b@example.com",
    "\ud800",
    "\udfff\ud800@example.com",
    "\u202eada\u202c",
    "e" + "\u0301" * 300,
    "\u200b\ufeff\u00a0",
    "İıſßẞǅ",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u2028\u2029\x1b[31m",
    "%_\\",
    "'; DROP TABLE contact; --",
    '" OR "1"="1',
    "{{7*7}}${jndi:x}<script>",
    "../../etc/passwd",
    "x" * 201,
    "é" * 10_001,
    "0" * 70_000,
    "JÖRG@bücher.example",
    "a" * 64 + "@" + "b" * 190 + ".example",
    "+442079460958",
    "1e400",
    "null",
    "rollcall_" + "0" * 72,
    "urn:uuid:01890000-0000-7000-8000-000000000000",
    "{01890000-0000-7000-8000-000000000000}",
    "WyJhYiIsbnVsbF0=",
]
NUMBERS: list[Any] = [
    *(0, -1, 100, 101, 1001, 2**31 - 1, 2**31, -(2**63), 2**63, 2**64, 10**400),
    *(-0.0, 1.5, 0.1, 5e-324, 1.7976931348623157e308, 1e16 + 2, math.nan, math.inf, -math.inf),
]
TIMES = [
    *("2026-01-31T08:00:00Z", "2026-01-31T08:00:00.123456789+14:00", "0001-01-01T00:00:00+23:59"),
    *("9999-12-31T23:59:59.999999-23:59", "2026-02-30T00:00:00Z", "2026-01-31T23:59:60Z"),
    *("2026-01-31", "2026-01-31T08:00:00", "2026-W05-6", "٢٠٢٦-٠١-٣١T08:00:00Z"),
]


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


DOCUMENTS: list[Any] = [
    *(nested(7), nested(9), nested(200), [None] * 1000, {"": ""}, {"\x00": 1}, {"a\ud800": 1}),
    {str(number): number for number in range(101)},
    {"plan": "x" * 66_000},
    {"__proto__": {"a": 1}, "$ref": "#", "constructor": None},
    {"created_via": "hostile", "api_key_id": None},
]


def hostile(identifiers: Sequence[str]) -> Scalars:
    """Half of the values are usual ones; the identifiers are texts too."""
    texts = st.sampled_from([*identifiers, *identifiers, *TEXTS]) | st.text(max_size=30)
    numbers, times = st.sampled_from(NUMBERS), st.sampled_from(TIMES)
    documents = st.sampled_from(DOCUMENTS) | st.recursive(
        st.none() | st.booleans() | numbers | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=6,
    )
    odd: Scalars = {
        "String": texts,
        "ID": texts,
        "Int": numbers,
        "Float": numbers,
        "Boolean": st.booleans(),
        "DateTime": times,
        "JSON": documents,
    }
    anything = st.one_of(texts, numbers, times, documents)
    chosen = st.integers(0, 19)

    def mixed(name: str) -> st.SearchStrategy[Any]:
        return chosen.flatmap(
            lambda number: SCALARS[name] if number < 9 else odd[name] if number < 19 else anything
        )

    return {name: mixed(name) for name in odd}
