"""The rules of tags, numbers, ids and timestamps; null; and every broken rule at once."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.errors import FieldError, FieldErrorCode
from app.fields.contact import FIELDS
from app.fields.normalise import normalise
from tests.fields.rules import broken, normalised, path

NEVER_EMPTY = ["email", "is_active", "created_at", "updated_at"]


def test_tags_are_distinct_in_the_order_given() -> None:
    assert normalised(tags=["b", " a", "b ", "A", "a"]) == {"tags": ["b", "a", "A"]}


def test_tags_are_limited_in_number_once_they_are_distinct() -> None:
    tags = [str(n) for n in range(100)]
    assert normalised(tags=tags + tags) == {"tags": tags}
    assert broken(tags=[*tags, "x"]) == [("TOO_MANY", "tags")]


def test_too_many_tags_are_refused_before_each_is_validated() -> None:
    assert broken(tags=[""] * 1001) == [("TOO_MANY", "tags")]


def test_every_broken_tag_is_named() -> None:
    longest = "\u00e9" * 100
    assert normalised(tags=[longest]) == {"tags": [longest]}
    assert broken(tags=["ok", longest + "x", "\x00", " ", "\ud800"]) == [
        ("TOO_LONG", "tags.1"),
        ("INVALID_FORMAT", "tags.2"),
        ("INVALID_FORMAT", "tags.3"),
        ("INVALID_FORMAT", "tags.4"),
    ]


@pytest.mark.parametrize("value", [0.0, -1.5, 1e308, 5e-324, 3])
def test_lifetime_value_is_any_finite_number(value: float) -> None:
    assert normalised(lifetime_value=value) == {"lifetime_value": value}


def test_negative_zero_is_stored_as_zero() -> None:
    assert repr(normalised(lifetime_value=-0.0)["lifetime_value"]) == "0.0"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_lifetime_value_that_is_not_finite_is_out_of_range(value: float) -> None:
    assert broken(lifetime_value=value) == [("OUT_OF_RANGE", "lifetimeValue")]


def test_orders_count_is_from_zero_to_what_graphql_can_answer() -> None:
    assert normalised(orders_count=0) == {"orders_count": 0}
    assert normalised(orders_count=2**31 - 1) == {"orders_count": 2**31 - 1}
    assert broken(orders_count=-1) == [("OUT_OF_RANGE", "ordersCount")]
    assert broken(orders_count=2**31) == [("OUT_OF_RANGE", "ordersCount")]


def test_professional_id_is_a_uuid() -> None:
    text = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
    assert normalised(professional_id=text.upper()) == {"professional_id": UUID(text)}
    assert broken(professional_id="1234") == [("INVALID_FORMAT", "professionalId")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31t08:00:00z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        (" 2026-01-31 08:00:00+00:00 ", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T00:30:00+02:00", datetime(2026, 1, 30, 22, 30, tzinfo=UTC)),
        ("2026-01-31T08:00:00.5-05:00", datetime(2026, 1, 31, 13, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T08:00:00.123456789Z", datetime(2026, 1, 31, 8, 0, 0, 123_456, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("name", ["last_order_at", "created_at", "updated_at"])
def test_timestamp_is_rfc_3339_and_kept_in_utc(name: str, text: str, expected: datetime) -> None:
    value = normalised(**{name: text})[name]
    assert (value, value.utcoffset()) == (expected, expected.utcoffset())


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31T08:00:00",
        "2026-01-31",
        "2026-02-30T08:00:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31T08:00Z",
        "0001-01-01T00:00:00+01:00",
        "٢٠٢٦-01-31T08:00:00Z",
        "now",
        "",
        1_769_846_400,
        True,
        {},
    ],
)
@pytest.mark.parametrize("name", ["last_order_at", "created_at", "updated_at"])
def test_timestamp_of_another_shape_is_refused(name: str, value: Any) -> None:
    assert broken(**{name: value}) == [("INVALID_FORMAT", path(name))]


@pytest.mark.parametrize("name", NEVER_EMPTY)
def test_null_is_refused_where_a_field_is_never_empty(name: str) -> None:
    error = FieldError(FieldErrorCode.INVALID_FORMAT, path(name), "must not be null")
    assert normalise({name: None}) == ({}, [error])


def test_null_stays_null_elsewhere_and_absent_stays_absent() -> None:
    cleared = {name: None for name in FIELDS if name not in NEVER_EMPTY}
    assert normalised(**cleared) == cleared
    assert normalised() == {}


def test_every_broken_rule_is_reported_at_once_beside_the_fields_that_hold() -> None:
    given = {
        "external_id": " x ",
        "email": "nobody",
        "name": "x" * 256,
        "timezone": "Paris",
        "tags": ["", "ok", "x" * 101],
        "orders_count": -1,
        "last_order_at": "2026-01-31T08:00:00",
        "custom_fields": {"a": float("nan")},
        "meta": [],
        "is_active": None,
        "professional_id": "7",
    }
    values, errors = normalise(given)
    assert values == {"external_id": "x"}
    assert sorted((error.field, error.code.name) for error in errors) == [
        ("customFields.a", "OUT_OF_RANGE"),
        ("email", "INVALID_FORMAT"),
        ("isActive", "INVALID_FORMAT"),
        ("lastOrderAt", "INVALID_FORMAT"),
        ("metadata", "INVALID_FORMAT"),
        ("name", "TOO_LONG"),
        ("ordersCount", "OUT_OF_RANGE"),
        ("professionalId", "INVALID_FORMAT"),
        ("tags.0", "INVALID_FORMAT"),
        ("tags.2", "TOO_LONG"),
        ("timezone", "INVALID_FORMAT"),
    ]
    assert all(error.message.startswith("must ") for error in errors)
