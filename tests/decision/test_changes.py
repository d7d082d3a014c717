"""Step 2 of the decision, where nothing stands in the way: what the given fields change."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from app.contacts.decision.apply import member_path
from tests.decision.examples import ADA, NOW, changed, contact, errors, updated, warned

FULL = contact(
    4,
    "full@example.com",
    "f",
    name="Full",
    prefix="Dr.",
    first_name="First",
    last_name="Last",
    suffix="Jr.",
    phone="030 123456",
    phone_e164="+4930123456",
    company="Company",
    job_title="Job",
    notes="Notes",
    address_line1="Line 1",
    address_line2="Line 2",
    city="City",
    state="State",
    postcode="12345",
    country="DE",
    timezone="Europe/Berlin",
    language="de",
    tags=["vip"],
    is_active=False,
    lifetime_value=12.5,
    orders_count=3,
    last_order_at=datetime(2025, 6, 1, tzinfo=UTC),
    professional_id=UUID(int=5),
    custom_fields={"plan": "pro"},
)
KEY = {"external_id": "f"}

OTHERS = {
    "name": ("Full", "Other"),
    "prefix": ("Dr.", "Prof."),
    "first_name": ("First", "Other"),
    "last_name": ("Last", "Other"),
    "suffix": ("Jr.", "Sr."),
    "phone": ("030 123456", "030 654321"),
    "company": ("Company", "Other"),
    "job_title": ("Job", "Other"),
    "notes": ("Notes", "Other"),
    "address_line1": ("Line 1", "Other"),
    "address_line2": ("Line 2", "Other"),
    "city": ("City", "Other"),
    "state": ("State", "Other"),
    "postcode": ("12345", "54321"),
    "country": ("DE", "AT"),
    "timezone": ("Europe/Berlin", "Europe/Vienna"),
    "language": ("de", "de-AT"),
    "tags": (["vip"], ["late"]),
    "is_active": (False, True),
    "lifetime_value": (12.5, 13.0),
    "orders_count": (3, 4),
}
PATHS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "job_title": "jobTitle",
    "address_line1": "addressLine1",
    "address_line2": "addressLine2",
    "is_active": "isActive",
    "lifetime_value": "lifetimeValue",
    "orders_count": "ordersCount",
    "last_order_at": "lastOrderAt",
    "professional_id": "professionalId",
}
CLEARED: dict[str, Any] = {name: None for name in OTHERS if name not in ("is_active", "tags")}


def test_omitted_field_is_unchanged() -> None:
    outcome = updated(KEY | {"company": "Other"}, FULL)
    expected = FULL.model_copy(update={"company": "Other", "version": 4, "updated_at": NOW})
    assert outcome.contact == expected


@pytest.mark.parametrize("name", OTHERS)
def test_given_field_is_changed_and_reported(name: str) -> None:
    before, after = OTHERS[name]
    outcome = updated(KEY | {name: after}, FULL)
    assert getattr(outcome.contact, name) == after
    assert changed(outcome) == {PATHS.get(name, name): (before, after)}


def test_timestamp_and_id_are_changed_as_what_they_are() -> None:
    given = {"last_order_at": "2026-01-31T00:00:00+01:00", "professional_id": str(UUID(int=6))}
    outcome = updated(KEY | given, FULL)
    assert changed(outcome) == {
        "lastOrderAt": (FULL.last_order_at, datetime(2026, 1, 30, 23, tzinfo=UTC)),
        "professionalId": (UUID(int=5), UUID(int=6)),
    }


@pytest.mark.parametrize("name", [*CLEARED, "last_order_at", "professional_id"])
def test_null_clears_a_field(name: str) -> None:
    outcome = updated(KEY | {name: None}, FULL)
    assert getattr(outcome.contact, name) is None
    assert changed(outcome) == {PATHS.get(name, name): (getattr(FULL, name), None)}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("email", "email"),
        ("is_active", "isActive"),
        ("created_at", "createdAt"),
        ("updated_at", "updatedAt"),
    ],
)
def test_null_for_a_field_that_is_never_empty_is_invalid(name: str, path: str) -> None:
    assert errors(KEY | {name: None}, FULL) == [("INVALID_FORMAT", path)]


def test_null_for_a_field_that_is_empty_changes_nothing() -> None:
    outcome = updated({"external_id": "a", "company": "Analytical", "phone": None, "notes": None})
    assert (outcome.contact, outcome.changes) == (ADA, ())


def test_created_at_is_left_with_a_warning() -> None:
    outcome = updated(KEY | {"created_at": "2024-01-01T00:00:00Z", "company": "Other"}, FULL)
    assert outcome.contact.created_at == FULL.created_at
    assert warned(outcome) == [("CREATED_AT_KEPT", "createdAt")]
    assert changed(outcome) == {"company": ("Company", "Other")}


def test_updated_at_is_left_with_a_warning() -> None:
    outcome = updated(KEY | {"updated_at": "2024-01-01T00:00:00Z"}, FULL)
    assert outcome.contact == FULL
    assert warned(outcome) == [("UPDATED_AT_KEPT", "updatedAt")]


def test_timestamps_of_an_existing_contact_are_not_applied_in_any_order() -> None:
    given = {"created_at": "2024-01-02T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}
    outcome = updated(KEY | given, FULL)
    assert outcome.contact == FULL
    assert warned(outcome) == [("CREATED_AT_KEPT", "createdAt"), ("UPDATED_AT_KEPT", "updatedAt")]


def test_updated_at_that_a_change_overwrites_is_warned_of() -> None:
    outcome = updated({"email": ADA.email, "updated_at": "2025-01-02T00:00:00Z", "company": "New"})
    assert outcome.contact.updated_at == NOW
    assert warned(outcome) == [("UPDATED_AT_KEPT", "updatedAt")]


def test_timestamps_that_the_contact_has_need_no_warning() -> None:
    given = {"created_at": "2025-01-01T01:00:00+01:00", "updated_at": "2025-01-02T00:00:00Z"}
    assert updated(KEY | given, FULL).warnings == ()


def test_change_increments_the_version_and_sets_updated_at() -> None:
    outcome = updated(KEY | {"company": "Other", "city": "Other", "tags": []}, FULL)
    assert len(outcome.changes) == 3
    assert (outcome.contact.version, outcome.contact.updated_at) == (4, NOW)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"email": "full@example.com"},
        {name: before for name, (before, _) in OTHERS.items()},
        {"last_order_at": "2025-06-01T00:00:00Z", "professional_id": str(UUID(int=5))},
        {"custom_fields": {"plan": "pro"}, "meta": {}},
        {"company": " Company\u00a0", "tags": ["vip", " vip "]},
    ],
)
def test_version_and_updated_at_are_unchanged_if_nothing_differs(given: dict[str, Any]) -> None:
    outcome = updated(KEY | given, FULL)
    assert (outcome.contact, outcome.changes, outcome.warnings) == (FULL, (), ())


def test_changes_are_in_the_order_of_the_fields() -> None:
    outcome = updated({"tags": [], "city": "Other", "company": "Other"} | KEY, FULL)
    assert list(changed(outcome)) == ["company", "city", "tags"]


def test_phone_in_e164_follows_phone_and_country() -> None:
    assert updated(KEY | {"phone": "030 654321"}, FULL).contact.phone_e164 == "+4930654321"
    assert updated(KEY | {"phone": "01 5131111", "country": "at"}, FULL).contact.phone_e164 == (
        "+4315131111"
    )
    assert updated(KEY | {"phone": None}, FULL).contact.phone_e164 is None
    assert updated(KEY | {"phone": "call me"}, FULL).contact.phone_e164 is None


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (("plan",), "customFields.plan"),
        (("Plan_2-b",), "customFields.Plan_2-b"),
        (("a.b",), 'customFields["a.b"]'),
        (("",), 'customFields[""]'),
        (('"]',), 'customFields["\\"]"]'),
        (("größe",), 'customFields["größe"]'),
        (("client", "42"), "customFields.client.42"),
        (("client", "4.2"), 'customFields.client["4.2"]'),
        (("client.4", "2"), 'customFields["client.4"].2'),
    ],
)
def test_path_of_a_member_is_plain_where_its_keys_are(keys: tuple[str, ...], path: str) -> None:
    assert member_path("customFields", *keys) == path


_KEYS = st.lists(st.text('ab."[]\\é0', max_size=4), min_size=1, max_size=3)


@drawn(one=_KEYS, other=_KEYS)
def test_different_keys_have_different_paths(one: list[str], other: list[str]) -> None:
    assert (member_path("a", *one) == member_path("a", *other)) == (one == other)


def test_path_of_a_key_with_a_dot_differs_from_a_nested_path() -> None:
    outcome = updated(KEY | {"custom_fields": {"a.b": 1, "a": {"b": 1}}}, FULL)
    assert changed(outcome) == {
        "customFields.a": (None, {"b": 1}),
        'customFields["a.b"]': (None, 1),
    }
