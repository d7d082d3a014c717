"""Step 2 of the decision, where a contact was found: what stands in the way, every reason."""

from typing import Any

import pytest

from app.contacts.decision.decide import Request, decide
from app.contacts.decision.outcome import Updated
from app.contacts.decision.policy import (
    EmailOnMatch,
    ExternalIdOnMatch,
    MatchFallback,
    OnMatch,
    UpsertPolicy,
)
from app.contacts.decision.working_set import WorkingSet
from app.contacts.keys import ContactIdentifier, ContactKey
from tests.decision.examples import ADA, BOB, EVE, STAMP, changed, reasons, updated, warned

EMAIL, EXTERNAL_ID = ContactIdentifier.EMAIL, ContactIdentifier.EXTERNAL_ID
FILL, REPLACE, KEEP = ExternalIdOnMatch.FILL, ExternalIdOnMatch.REPLACE, ExternalIdOnMatch.KEEP


def test_create_only_answers_a_reason_for_each_identifier_that_the_contact_holds() -> None:
    given = {"external_id": "a", "email": "ADA@example.com"}
    assert reasons(given, on_match=OnMatch.CONFLICT) == [
        ("ALREADY_EXISTS", "EXTERNAL_ID", ADA),
        ("ALREADY_EXISTS", "EMAIL", ADA),
    ]


@pytest.mark.parametrize("match_by", [(EXTERNAL_ID, EMAIL), (EMAIL, EXTERNAL_ID), (EMAIL,)])
@pytest.mark.parametrize("fallback", MatchFallback)
def test_create_only_names_the_contact_that_has_each_identifier(
    match_by: tuple[ContactIdentifier, ...], fallback: MatchFallback
) -> None:
    given = {"external_id": "a", "email": "bob@example.com"}
    options: dict[str, Any] = {"match_by": match_by, "fallback": fallback}
    assert reasons(given, on_match=OnMatch.CONFLICT, **options) == [
        ("ALREADY_EXISTS", "EXTERNAL_ID", ADA),
        ("ALREADY_EXISTS", "EMAIL", BOB),
    ]


def test_create_only_has_no_reason_for_a_free_identifier() -> None:
    given = {"external_id": "z", "email": "ada@example.com"}
    assert reasons(given, on_match=OnMatch.CONFLICT) == [("ALREADY_EXISTS", "EMAIL", ADA)]
    given = {"external_id": "a", "email": "new@example.com"}
    assert reasons(given, on_match=OnMatch.CONFLICT) == [("ALREADY_EXISTS", "EXTERNAL_ID", ADA)]


@pytest.mark.parametrize("version", [0, 2, 4])
def test_stale_version_conflicts_with_the_contact_as_it_is_now(version: int) -> None:
    given = {"external_id": "a", "company": "New"}
    assert reasons(given, if_version=version) == [("VERSION_MISMATCH", None, ADA)]


def test_stale_version_conflicts_even_where_nothing_differs() -> None:
    assert reasons({"external_id": "a"}, if_version=2) == [("VERSION_MISMATCH", None, ADA)]


def test_version_of_the_contact_lets_the_update_pass() -> None:
    assert updated({"external_id": "a", "company": "New"}, if_version=3).contact.version == 4


def test_email_is_replaced() -> None:
    outcome = updated({"external_id": "a", "email": "Lady@Example.com"})
    assert changed(outcome) == {"email": ("ada@example.com", "Lady@Example.com")}
    assert outcome.contact.email_key == "lady@example.com"


def test_another_spelling_of_the_email_changes_nothing() -> None:
    outcome = updated({"email": "Ada@Example.com"})
    assert (outcome.contact, changed(outcome), warned(outcome)) == (ADA, {}, [])


def test_email_that_another_contact_holds_is_taken() -> None:
    given = {"external_id": "a", "email": "BOB@example.com"}
    assert reasons(given) == [("IDENTIFIER_TAKEN", "EMAIL", BOB)]


@pytest.mark.parametrize("email", ["new@example.com", "bob@example.com"])
def test_email_is_kept_with_a_warning_under_keep(email: str) -> None:
    given = {"external_id": "a", "email": email, "company": "New"}
    outcome = updated(given, email_on_match=EmailOnMatch.KEEP)
    assert (outcome.contact.email, outcome.contact.email_key) == (ADA.email, ADA.email_key)
    assert warned(outcome) == [("EMAIL_KEPT", "email")]
    assert changed(outcome) == {"company": ("Analytical", "New")}


def test_email_of_the_contact_itself_needs_no_warning_under_keep() -> None:
    given = {"external_id": "a", "email": "ada@example.com"}
    assert warned(updated(given, email_on_match=EmailOnMatch.KEEP)) == []


@pytest.mark.parametrize("mode", ExternalIdOnMatch)
def test_external_id_is_filled_in_where_there_is_none(mode: ExternalIdOnMatch) -> None:
    given = {"email": "eve@example.com", "external_id": "e"}
    outcome = updated(given, external_id_on_match=mode)
    assert changed(outcome) == {"externalId": (None, "e")}
    assert (outcome.contact.external_ids.get("default"), warned(outcome)) == ("e", [])


@pytest.mark.parametrize("mode", ExternalIdOnMatch)
def test_external_id_is_not_filled_in_where_another_contact_holds_it(
    mode: ExternalIdOnMatch,
) -> None:
    given = {"email": "eve@example.com", "external_id": "a"}
    taken = reasons(given, external_id_on_match=mode, match_by=(EMAIL,))
    assert taken == [("IDENTIFIER_TAKEN", "EXTERNAL_ID", ADA)]


@pytest.mark.parametrize("mode", ExternalIdOnMatch)
def test_external_id_of_the_contact_itself_changes_nothing(mode: ExternalIdOnMatch) -> None:
    outcome = updated({"email": "ada@example.com", "external_id": "a"}, external_id_on_match=mode)
    assert (outcome.changes, outcome.warnings) == ((), ())


def test_other_external_id_is_a_mismatch_under_fill() -> None:
    given = {"email": "ada@example.com", "external_id": "z"}
    assert reasons(given) == [("EXTERNAL_ID_MISMATCH", "EXTERNAL_ID", ADA)]


def test_external_id_in_another_case_is_another_one() -> None:
    given = {"email": "ada@example.com", "external_id": "A"}
    assert reasons(given) == [("EXTERNAL_ID_MISMATCH", "EXTERNAL_ID", ADA)]


def test_other_external_id_is_replaced_under_replace() -> None:
    given = {"email": "ada@example.com", "external_id": "z"}
    outcome = updated(given, external_id_on_match=REPLACE)
    assert changed(outcome) == {"externalId": ("a", "z")}
    assert outcome.contact.external_ids.get("default") == "z"


def test_other_external_id_is_taken_under_replace_where_another_contact_holds_it() -> None:
    given = {"email": "ada@example.com", "external_id": "b"}
    taken = reasons(given, external_id_on_match=REPLACE, match_by=(EMAIL,))
    assert taken == [("IDENTIFIER_TAKEN", "EXTERNAL_ID", BOB)]


def test_external_id_is_kept_with_a_warning_under_keep() -> None:
    given = {"email": "ada@example.com", "external_id": "z", "company": "New"}
    outcome = updated(given, external_id_on_match=KEEP)
    assert outcome.contact.external_ids.get("default") == "a"
    assert warned(outcome) == [("EXTERNAL_ID_KEPT", "externalId")]
    assert changed(outcome) == {"company": ("Analytical", "New")}


def test_external_id_is_cleared_by_null_under_replace() -> None:
    given = {"email": "ada@example.com", "external_id": None}
    outcome = updated(given, external_id_on_match=REPLACE)
    assert changed(outcome) == {"externalId": ("a", None)}
    assert outcome.contact.external_ids.get("default") is None


@pytest.mark.parametrize("mode", [FILL, KEEP])
def test_null_leaves_the_external_id_with_a_warning_otherwise(mode: ExternalIdOnMatch) -> None:
    given = {"email": "ada@example.com", "external_id": None}
    outcome = updated(given, external_id_on_match=mode)
    assert (outcome.contact, warned(outcome)) == (ADA, [("EXTERNAL_ID_KEPT", "externalId")])


def test_mismatched_external_id_that_another_contact_holds_gives_both_reasons() -> None:
    given = {"email": "ada@example.com", "external_id": "b"}
    assert reasons(given, match_by=(EMAIL,)) == [
        ("EXTERNAL_ID_MISMATCH", "EXTERNAL_ID", ADA),
        ("IDENTIFIER_TAKEN", "EXTERNAL_ID", BOB),
    ]


def test_all_reasons_are_given_at_once() -> None:
    given = {"external_id": "b", "email": "eve@example.com"}
    assert reasons(given, by=ContactKey.of_id(ADA.id), if_version=1) == [
        ("VERSION_MISMATCH", None, ADA),
        ("IDENTIFIER_TAKEN", "EMAIL", EVE),
        ("EXTERNAL_ID_MISMATCH", "EXTERNAL_ID", ADA),
        ("IDENTIFIER_TAKEN", "EXTERNAL_ID", BOB),
    ]


@pytest.mark.parametrize("mode", ExternalIdOnMatch)
def test_alias_is_filled_in_where_the_contact_has_no_external_id(mode: ExternalIdOnMatch) -> None:
    merged = EVE.model_copy(update={"aliases": [["external_id", "default", "merged"]]})
    working_set = WorkingSet([merged])
    given = {"email": "eve@example.com", "external_id": "merged"}
    request = Request(given, UpsertPolicy(external_id_on_match=mode))
    outcome = decide(request, working_set, STAMP)
    assert isinstance(outcome, Updated)
    assert outcome.contact.external_ids.get("default") == "merged"
    assert outcome.contact.aliases == []
