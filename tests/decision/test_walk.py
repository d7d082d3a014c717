"""Steps 0 and 1 of the decision: normalise, validate, and walk `matchBy` to the contact."""

from typing import Any
from uuid import UUID

import pytest

from app.contacts.decision.outcome import Invalid
from app.contacts.decision.policy import EmailOnMatch, MatchFallback, OnMatch, OnMiss
from app.contacts.keys import ContactIdentifier, ContactKey, MatchedBy
from app.errors import FieldError, FieldErrorCode
from tests.decision.examples import ADA, BOB, EVE, call, changed, created, errors, reasons, updated

EMAIL, EXTERNAL_ID = ContactIdentifier.EMAIL, ContactIdentifier.EXTERNAL_ID


def test_text_is_trimmed_and_email_is_kept_as_given_beside_its_key() -> None:
    contact = created(
        {"external_id": "\u00a0c1 ", "email": "\u2003Grace@Example.COM\n", "name": " Grace\t"}
    ).contact
    assert (contact.external_ids["default"], contact.name) == ("c1", "Grace")
    assert (contact.email, contact.email_key) == ("Grace@Example.COM", "grace@example.com")


def test_email_finds_its_contact_in_any_case_and_with_space_around() -> None:
    outcome = updated({"email": " ADA@EXAMPLE.COM\u00a0", "company": "New"})
    assert (outcome.contact.id, outcome.matched_by) == (ADA.id, MatchedBy.EMAIL)


def test_external_id_finds_its_contact_with_space_around_but_in_its_own_case_only() -> None:
    assert updated({"external_id": " a\u00a0"}).contact.id == ADA.id
    assert (
        created({"external_id": "A", "email": "new@example.com"}).contact.external_ids.get(
            "default"
        )
        == "A"
    )


def test_every_broken_rule_is_reported_not_just_the_first() -> None:
    given = {"email": "nobody", "phone": "1" * 51, "created_at": "2027-01-01T00:00:00Z"}
    assert errors(given) == [
        ("INVALID_FORMAT", "email"),
        ("TOO_LONG", "phone"),
        ("OUT_OF_RANGE", "createdAt"),
    ]


@pytest.mark.parametrize("field", ["created_at", "updated_at"])
def test_timestamp_of_the_future_is_out_of_range_for_a_contact_that_is_there_too(
    field: str,
) -> None:
    path = {"created_at": "createdAt", "updated_at": "updatedAt"}[field]
    given = {"email": "ada@example.com", field: "2026-01-31T08:05:00.000001Z"}
    assert errors(given) == [("OUT_OF_RANGE", path)]


def test_broken_rule_comes_before_any_conflict() -> None:
    given = {"external_id": "a", "email": "bob@example.com", "language": "?"}
    expected = [("INVALID_FORMAT", "language")]
    assert errors(given, if_version=1) == expected
    assert errors(given, on_match=OnMatch.CONFLICT) == expected
    assert errors(given | {"external_id": "z"}, on_miss=OnMiss.CONFLICT) == expected


def test_identifiers_are_tried_in_the_order_of_match_by() -> None:
    given = {"external_id": "a", "email": "bob@example.com"}
    keep = EmailOnMatch.KEEP
    by_id = updated(given, email_on_match=keep)
    assert (by_id.contact.id, by_id.matched_by) == (ADA.id, MatchedBy.EXTERNAL_ID)
    conflict = reasons(given, match_by=(EMAIL, EXTERNAL_ID))
    assert conflict[0] == ("EXTERNAL_ID_MISMATCH", "EXTERNAL_ID", BOB)


@pytest.mark.parametrize("fallback", MatchFallback)
@pytest.mark.parametrize("absent", [{}, {"external_id": None}])
def test_identifier_that_was_not_given_is_skipped(
    absent: dict[str, Any], fallback: MatchFallback
) -> None:
    outcome = updated(absent | {"email": "eve@example.com"}, fallback=fallback)
    assert (outcome.contact.id, outcome.matched_by) == (EVE.id, MatchedBy.EMAIL)


def test_identifier_without_a_contact_leads_to_the_next_one_under_unmatched() -> None:
    outcome = updated({"external_id": "z", "email": "eve@example.com"})
    assert (outcome.contact.id, outcome.matched_by) == (EVE.id, MatchedBy.EMAIL)


def test_identifier_without_a_contact_ends_the_search_under_absent() -> None:
    given = {"external_id": "z", "email": "eve@example.com"}
    taken = reasons(given, fallback=MatchFallback.ABSENT)
    assert taken == [("IDENTIFIER_TAKEN", "EMAIL", EVE)]
    missed = reasons(given, fallback=MatchFallback.ABSENT, on_miss=OnMiss.CONFLICT)
    assert missed == [("NOT_FOUND", None, None)]


def test_identifier_with_a_contact_ends_the_search_under_absent() -> None:
    given = {"external_id": "a", "email": "ada@example.com"}
    assert updated(given, fallback=MatchFallback.ABSENT).matched_by is MatchedBy.EXTERNAL_ID
    order = (EMAIL, EXTERNAL_ID)
    outcome = updated(given, fallback=MatchFallback.ABSENT, match_by=order)
    assert outcome.matched_by is MatchedBy.EMAIL


def test_identifier_outside_match_by_finds_no_contact() -> None:
    given = {"external_id": "a", "email": "new@example.com"}
    taken = reasons(given, match_by=(EMAIL,))
    assert taken == [("IDENTIFIER_TAKEN", "EXTERNAL_ID", ADA)]


@pytest.mark.parametrize("fallback", MatchFallback)
@pytest.mark.parametrize("given", [{}, {"name": "Ada"}, {"external_id": None}])
def test_no_identifier_is_required_with_the_fields_named(
    given: dict[str, Any], fallback: MatchFallback
) -> None:
    expected = [("REQUIRED", "externalId"), ("REQUIRED", "email")]
    assert errors(given, fallback=fallback) == expected


def test_required_names_the_fields_of_match_by_alone() -> None:
    assert errors({"external_id": "a"}, match_by=(EMAIL,)) == [("REQUIRED", "email")]
    given = {"email": "ada@example.com"}
    assert errors(given, match_by=(EXTERNAL_ID,)) == [("REQUIRED", "externalId")]


def test_no_identifier_is_reported_with_the_other_broken_rules() -> None:
    assert errors({"phone": "1" * 51}) == [
        ("TOO_LONG", "phone"),
        ("REQUIRED", "externalId"),
        ("REQUIRED", "email"),
    ]


def test_invalid_identifier_is_not_reported_as_missing() -> None:
    assert errors({"email": "nobody"}) == [("INVALID_FORMAT", "email")]
    assert errors({"external_id": "x" * 256}) == [("TOO_LONG", "externalId")]
    assert errors({"external_id": "a\x00"}) == [("INVALID_FORMAT", "externalId")]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (ContactKey.of_id(UUID(int=1)), ADA),
        (ContactKey.of_external_id("default", "b"), BOB),
        (ContactKey.of_email("Eve@Example.com"), EVE),
    ],
)
def test_by_names_the_contact_in_place_of_match_by(key: ContactKey, expected: Any) -> None:
    outcome = updated({"company": "New"}, by=key, match_by=())
    assert (outcome.contact.id, outcome.matched_by) == (expected.id, key.kind)
    assert changed(outcome) == {"company": (expected.company, "New")}


def test_key_without_a_contact_is_not_found_whatever_the_identifiers() -> None:
    key = ContactKey.of_external_id("default", "z")
    assert reasons({"email": "ada@example.com"}, by=key) == [("NOT_FOUND", None, None)]
    assert reasons({"email": "new@example.com"}, by=key) == [("NOT_FOUND", None, None)]


def test_required_error_names_the_alternative() -> None:
    message = "is required unless {} is given"
    assert call({}) == Invalid(
        (
            FieldError(FieldErrorCode.REQUIRED, "externalId", message.format("email")),
            FieldError(FieldErrorCode.REQUIRED, "email", message.format("externalId")),
        )
    )
