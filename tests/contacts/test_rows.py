"""The row of a contact, and what of it an update sets."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.contacts.store.columns import NAMES, changes_of_rows, row
from app.contacts.store.terms import terms
from app.fields.contact import FIELDS
from tests.decision.examples import ADA, BOB

TEXTS = st.sampled_from([None, "Ada", "ADA", "Éva", "2026-01-31T08:00:00Z", "+44 20 7946 0123"])
JSON = st.sampled_from(["Ada", "2026-01-31T08:00:00Z", "2026-01-31T10:00:00+02:00", 1, True, 1.0])
OBJECTS = st.dictionaries(st.sampled_from(["a", "b"]), JSON)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **{name: TEXTS for name in FIELDS if name != "external_id"},
    "email": st.sampled_from(["ada@example.com", "Ada@example.com"]),
    "email_key": st.sampled_from(["ada@example.com", "a.da@example.com", "ada+1@example.com"]),
    "external_ids": st.dictionaries(st.sampled_from(["crm", "shop"]), st.sampled_from("ab")),
    "phone_e164": st.sampled_from([None, "+442079460123"]),
    "tags": st.lists(st.sampled_from(["vip", "lead"]), unique=True),
    "assignments": st.sampled_from([[], [{"kind": "team", "target_id": "7"}]]),
    "custom_fields": OBJECTS,
    "meta": OBJECTS,
}
changes = st.fixed_dictionaries({}, optional=VALUES)


@given(st.lists(st.tuples(changes, changes), min_size=1, max_size=3))
def test_update_sets_every_column_that_changes_on_any_contact(
    given: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    befores = [ADA.with_values(before) for before, _ in given]
    pairs = [(one, one.with_values(after)) for one, (_, after) in zip(befores, given, strict=True)]
    updates = list(changes_of_rows(pairs))
    for (before, after), update in zip(pairs, updates, strict=True):
        assert repr(row(before) | update) == repr(row(after))
        assert update.keys() == updates[0].keys()
    set_again = {
        name
        for name in updates[0]
        if all(repr(row(before)[name]) == repr(row(after)[name]) for before, after in pairs)
    }
    assert set_again <= {"id", "external_ids", "custom_fields", "metadata"}


def test_update_of_a_contact_that_keeps_its_objects_does_not_set_them() -> None:
    pairs = [(one, one.with_values({"company": "Engines"})) for one in (ADA, BOB)]
    for update in changes_of_rows(pairs):
        assert update.keys() == {"id", "company", "search_text"}


@given(changes, changes)
def test_terms_that_are_left_out_are_those_of_both(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    one = ADA.with_values(before)
    other = one.with_values(after)
    assert terms(one, other) - terms(other, one) == terms(one) - terms(other)
    assert terms(one, other) <= terms(one)


def test_row_has_every_field() -> None:
    assert row(ADA).keys() >= set(NAMES.values())
