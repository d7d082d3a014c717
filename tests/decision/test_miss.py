"""Step 3 of the decision: nobody was found."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.contacts.decision.policy import (
    ExternalIdOnMatch,
    MatchFallback,
    OnMatch,
    OnMiss,
    RequirableField,
)
from app.contacts.keys import ContactIdentifier
from tests.decision.examples import (
    ADA,
    BOB,
    NOW,
    STAMP,
    STAMPS,
    created,
    errors,
    reasons,
    warned,
)

NEW = {"email": "new@example.com"}
ABSENT = MatchFallback.ABSENT
FIRST_NAME, LAST_NAME = RequirableField.FIRST_NAME, RequirableField.LAST_NAME


def test_update_only_answers_not_found() -> None:
    assert reasons(NEW, on_miss=OnMiss.CONFLICT) == [("NOT_FOUND", None, None)]


@pytest.mark.parametrize("version", [0, 1, 3])
def test_version_of_a_contact_that_is_not_there_is_not_found(version: int) -> None:
    assert reasons(NEW, if_version=version) == [("NOT_FOUND", None, None)]


def test_not_found_comes_before_what_creating_needs() -> None:
    given = {"external_id": "z"}
    assert reasons(given, on_miss=OnMiss.CONFLICT) == [("NOT_FOUND", None, None)]
    assert reasons(given, if_version=1, require_on_create=(FIRST_NAME,)) == [
        ("NOT_FOUND", None, None)
    ]


def test_create_only_creates() -> None:
    assert created(NEW, on_match=OnMatch.CONFLICT).contact.email == "new@example.com"


def test_creating_needs_an_email() -> None:
    assert errors({"external_id": "z"}) == [("REQUIRED", "email")]


def test_creating_needs_what_the_policy_requires_with_each_field_named() -> None:
    needed = tuple(RequirableField)
    assert errors({"external_id": "z"}, require_on_create=needed) == [
        ("REQUIRED", "email"),
        ("REQUIRED", "name"),
        ("REQUIRED", "firstName"),
        ("REQUIRED", "lastName"),
        ("REQUIRED", "phone"),
        ("REQUIRED", "company"),
        ("REQUIRED", "jobTitle"),
        ("REQUIRED", "country"),
        ("REQUIRED", "language"),
        ("REQUIRED", "timezone"),
    ]


@pytest.mark.parametrize("given", [{}, {"first_name": None}, {"first_name": " \u00a0"}])
def test_required_field_that_is_null_or_blank_is_missing(given: dict[str, Any]) -> None:
    given = NEW | given | {"last_name": "Hopper"}
    needed = (FIRST_NAME, LAST_NAME)
    assert errors(given, require_on_create=needed) == [("REQUIRED", "firstName")]


def test_required_fields_that_are_given_let_the_contact_be_created() -> None:
    given = NEW | {"first_name": "Grace", "last_name": "Hopper"}
    contact = created(given, require_on_create=(FIRST_NAME, LAST_NAME)).contact
    assert (contact.first_name, contact.last_name) == ("Grace", "Hopper")


def test_required_fields_are_needed_by_creating_alone() -> None:
    assert reasons({"external_id": "a"}, if_version=1, require_on_create=(FIRST_NAME,)) == [
        ("VERSION_MISMATCH", None, ADA)
    ]


def test_external_id_that_is_to_be_generated_is_not_required() -> None:
    needed = (RequirableField.EXTERNAL_ID,)
    assert errors(NEW, require_on_create=needed) == [("REQUIRED", "externalId")]
    twice = (*needed, *needed)
    contact = created(NEW, require_on_create=twice, generate_external_id=True).contact
    assert "default" in contact.external_ids


def test_email_that_is_held_is_taken_under_absent() -> None:
    given = {"external_id": "z", "email": "ADA@example.com"}
    assert reasons(given, fallback=ABSENT) == [("IDENTIFIER_TAKEN", "EMAIL", ADA)]


def test_external_id_that_is_held_is_taken_where_it_is_not_matched_by() -> None:
    given = NEW | {"external_id": "b"}
    taken = reasons(given, match_by=(ContactIdentifier.EMAIL,))
    assert taken == [("IDENTIFIER_TAKEN", "EXTERNAL_ID", BOB)]


@pytest.mark.parametrize("mode", ExternalIdOnMatch)
def test_every_identifier_that_is_held_is_a_reason(mode: ExternalIdOnMatch) -> None:
    given = {"external_id": "b", "email": "ada@example.com"}
    assert reasons(given, match_by=(), external_id_on_match=mode) == [
        ("IDENTIFIER_TAKEN", "EXTERNAL_ID", BOB),
        ("IDENTIFIER_TAKEN", "EMAIL", ADA),
    ]


def test_missing_field_comes_before_a_taken_identifier() -> None:
    given = {"external_id": "z", "email": "ada@example.com"}
    refused = errors(given, fallback=ABSENT, require_on_create=(FIRST_NAME,))
    assert refused == [("REQUIRED", "firstName")]


def test_created_contact_has_what_was_given_and_the_defaults() -> None:
    given = NEW | {"external_id": "n", "company": "Navy", "phone": "+1 202-456-1111"}
    outcome = created(given | {"tags": ["x"], "custom_fields": {"plan": "pro"}, "notes": None})
    contact = outcome.contact
    assert outcome.warnings == ()
    assert (contact.id, contact.version) == (STAMP.contact_id, 1)
    assert (contact.external_ids["default"], contact.email) == ("n", "new@example.com")
    assert (contact.company, contact.tags, contact.custom_fields) == (
        "Navy",
        ["x"],
        {"plan": "pro"},
    )
    assert (contact.phone, contact.phone_e164) == ("+1 202-456-1111", "+12024561111")
    assert (contact.notes, contact.name, contact.orders_count) == (None, None, None)
    assert (contact.is_active, contact.is_unsubscribed, contact.unsubscribed_at) == (
        True,
        False,
        None,
    )
    assert (contact.created_at, contact.updated_at) == (NOW, NOW)


def test_created_contact_is_stamped_with_the_key() -> None:
    assert created(NEW).contact.meta == STAMPS
    assert created(NEW | {"meta": {"source": "web"}}).contact.meta == STAMPS | {"source": "web"}
    assert created(NEW | {"meta": None}).contact.meta == STAMPS


@pytest.mark.parametrize(
    ("given", "created_at", "updated_at"),
    [
        ({"created_at": "2020-01-01T00:00:00Z"}, datetime(2020, 1, 1, tzinfo=UTC), NOW),
        (
            {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T01:00:00+01:00"},
            datetime(2020, 1, 1, tzinfo=UTC),
            datetime(2020, 1, 1, tzinfo=UTC),
        ),
        (
            {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2021-01-01T00:00:00Z"},
            datetime(2020, 1, 1, tzinfo=UTC),
            datetime(2021, 1, 1, tzinfo=UTC),
        ),
        (
            {"created_at": "2026-01-31T08:00:00Z", "updated_at": "2026-01-31T08:00:00Z"},
            NOW,
            NOW,
        ),
    ],
)
def test_timestamps_are_backfilled(
    given: dict[str, Any], created_at: datetime, updated_at: datetime
) -> None:
    outcome = created(NEW | given)
    assert (outcome.contact.created_at, outcome.contact.updated_at) == (created_at, updated_at)
    assert (outcome.contact.version, warned(outcome)) == (1, [])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"created_at": "2026-01-31T08:05:00.000001Z"}, [("OUT_OF_RANGE", "createdAt")]),
        (
            {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2026-02-01T00:00:00Z"},
            [("OUT_OF_RANGE", "updatedAt")],
        ),
        (
            {"created_at": "2027-01-01T00:00:00Z", "updated_at": "2027-01-01T00:00:00Z"},
            [("OUT_OF_RANGE", "createdAt"), ("OUT_OF_RANGE", "updatedAt")],
        ),
        (
            {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2019-12-31T23:59:59Z"},
            [("OUT_OF_RANGE", "updatedAt")],
        ),
        ({"updated_at": "2020-01-01T00:00:00Z"}, [("OUT_OF_RANGE", "updatedAt")]),
    ],
)
def test_timestamps_out_of_range_are_refused(
    given: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert errors(NEW | given) == expected


def test_timestamps_up_to_five_minutes_ahead_count_as_now() -> None:
    ahead = {"created_at": "2026-01-31T08:05:00Z", "updated_at": "2026-01-31T08:00:01Z"}
    contact = created(NEW | ahead).contact
    assert (contact.created_at, contact.updated_at) == (NOW, NOW)


def test_timestamps_out_of_order_are_reported_with_what_is_missing() -> None:
    given = {"created_at": "2020-01-02T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"}
    assert errors(given | {"external_id": "z"}) == [
        ("REQUIRED", "email"),
        ("OUT_OF_RANGE", "updatedAt"),
    ]


def test_external_id_is_generated_only_where_asked_and_not_given() -> None:
    assert created(NEW).contact.external_ids.get("default") is None
    generated = created(NEW, generate_external_id=True).contact.external_ids.get("default")
    assert generated is not None
    assert str(UUID(generated)) == generated
    given = NEW | {"external_id": "n"}
    assert created(given, generate_external_id=True).contact.external_ids.get("default") == "n"
