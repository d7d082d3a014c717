"""The rules of custom fields and metadata: JSON objects, bounded."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contacts.decision.apply import merge_patch, object_errors
from app.fields.normalise import normalise
from tests.fields.rules import broken, normalised, path

pytestmark = pytest.mark.parametrize("name", ["custom_fields", "meta"])


@pytest.mark.parametrize("value", [[], "x", 1, True])
def test_object_is_nothing_else(name: str, value: Any) -> None:
    assert broken(**{name: value}) == [("INVALID_FORMAT", path(name))]


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels > 1 else {}


def test_object_has_at_most_100_keys_64_kib_and_8_levels(name: str) -> None:
    fits = [
        {str(n): n for n in range(100)},
        {"a": "x" * (64 * 1024 - len('{"a":""}'))},
        {"a": "é" * (32 * 1024 - len('{"a":""}') // 2)},
        nested(8),
        {"a": [[[[[[[1]]]]]]]},
    ]
    for value in fits:
        assert normalised(**{name: value}) == {name: value}
    assert broken(**{name: {str(n): n for n in range(101)}}) == [("TOO_MANY", path(name))]
    assert broken(**{name: {"a": fits[1]["a"] + "x"}}) == [("TOO_LONG", path(name))]
    assert broken(**{name: {"a": fits[2]["a"] + "é"}}) == [("TOO_LONG", path(name))]
    assert broken(**{name: nested(9)}) == [("TOO_MANY", f"{path(name)}.a.a.a.a.a.a.a.a")]
    too_deep = {"a": [[[[[[[[1]]]]]]]]}
    assert broken(**{name: too_deep}) == [("TOO_MANY", f"{path(name)}.a.0.0.0.0.0.0.0")]


@pytest.mark.parametrize("value", [-(2**63), 2**63 - 1, 1e308, -0.0, None, False, "", []])
def test_object_holds_any_json_value_as_it_is(name: str, value: Any) -> None:
    assert repr(normalised(**{name: {"a": value}})[name]["a"]) == repr(value)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("\x00", "INVALID_FORMAT"),
        ("\ud800", "INVALID_FORMAT"),
        ({"\x00": 1}, "INVALID_FORMAT"),
        ({"\udfff": 1}, "INVALID_FORMAT"),
        (object(), "INVALID_FORMAT"),
        (2**63, "OUT_OF_RANGE"),
        (2**64, "OUT_OF_RANGE"),
        (-(2**63) - 1, "OUT_OF_RANGE"),
        (float("nan"), "OUT_OF_RANGE"),
        (float("inf"), "OUT_OF_RANGE"),
    ],
)
def test_value_that_no_object_may_have_is_named_by_its_path(
    name: str, value: Any, code: str
) -> None:
    assert broken(**{name: {"plan": [0, value]}}) == [(code, f"{path(name)}.plan.1")]


NUMBERS = [0, -(2**63) - 1, -(2**63), 2**63 - 1, 2**63, 2**64, 0.5, float("nan"), float("-inf")]
TEXTS = ["", "é", "漢", "\x00", "a\x00b", "\\u0000", "\ud800", "\udfff"]


def objects_of(members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(["a", *TEXTS]), members, max_size=2)


def deeper(value: Any) -> Any:
    return [{"a": [[[value]]]}]


values = st.recursive(
    st.sampled_from([None, True, False, *NUMBERS, *TEXTS, object(), (), b""]),
    lambda inner: st.lists(inner, max_size=2) | objects_of(inner) | st.builds(deeper, inner),
    max_leaves=6,
)


def fits(value: Any, levels: int) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, float):
        return value - value == 0
    if isinstance(value, dict):
        return levels > 0 and all(
            fits(key, 0) and fits(inner, levels - 1) for key, inner in value.items()
        )
    return isinstance(value, list) and levels > 0 and all(fits(one, levels - 1) for one in value)


@settings(max_examples=400)
@given(objects_of(values))
def test_object_is_valid_exactly_if_each_of_its_values_is(name: str, value: dict[str, Any]) -> None:
    kept, errors = normalise({name: value})
    if fits(value, 8):
        assert errors == []
        assert repr(kept) == repr({name: value})
    else:
        assert errors


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(given=st.dictionaries(st.text(), JSON, max_size=4))
def test_valid_object_is_within_the_limits_when_it_is_merged_with_nothing(
    name: str, given: dict[str, Any]
) -> None:
    values, errors = normalise({name: given})
    if not errors:
        assert list(object_errors(name, merge_patch({}, values[name]))) == []
