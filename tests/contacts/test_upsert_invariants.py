"""What holds for every sequence of upserts, whatever clashes in it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.contacts.decision.outcome import (
    Conflict,
    Created,
    FieldWarning,
    Invalid,
    Outcome,
    Updated,
    WarningCode,
)
from app.contacts.decision.policy import OnMatch, UpsertPolicy
from app.contacts.decision.working_set import keys_of
from app.contacts.upsert import upsert
from app.database.sessions import Database
from app.fields.contact import API_NAMES
from app.fields.normalise import email_key
from app.fields.sources import DEFAULT_SOURCE
from app.tables import Contact
from app.workspaces.keys import Caller
from tests.support.calls import KEY_ID, START, Call, OpenWorkingSet, at, calls, decided
from tests.support.consistency import contacts, look_up_faults
from tests.support.databases import empty
from tests.support.stored import new_workspace

GIVEN = ("external_id", "email", "company", "first_name", "is_active", "created_at", "updated_at")
NULL_EXTERNAL_ID = {"email": "ada@example.com", "external_id": None}
sequences = st.lists(calls, min_size=2, max_size=8)


@given(sequences)
def test_each_identifier_finds_one_contact(sequence: list[Call]) -> None:
    working_set = OpenWorkingSet()
    for number, call in enumerate(sequence):
        decided(working_set, call, number)
        held = working_set.contacts().values()
        keys = [key for contact in held for key in keys_of(contact)]
        assert len(keys) == len(set(keys))
        assert all(working_set.get(key) is contact for contact in held for key in keys_of(contact))
        assert all(contact.email_key == contact.email.lower() for contact in held)


@given(sequences)
def test_version_increments_with_a_change_and_other_fields_are_unchanged(
    sequence: list[Call],
) -> None:
    working_set = OpenWorkingSet()
    for number, call in enumerate(sequence):
        before = working_set.contacts()
        outcome = decided(working_set, call, number)
        expected = dict(before)
        if isinstance(outcome, Created):
            assert outcome.contact.id not in before
            assert outcome.contact.version == 1
            expected[outcome.contact.id] = outcome.contact
        elif isinstance(outcome, Updated) and outcome.changes:
            was = before[outcome.contact.id]
            assert outcome.contact.version == was.version + 1
            assert outcome.contact.updated_at == at(number)
            assert outcome.contact.created_at == was.created_at
            expected[outcome.contact.id] = outcome.contact
        elif isinstance(outcome, Updated):
            assert outcome.contact == before[outcome.contact.id]
        assert working_set.contacts() == expected


@given(sequences)
def test_given_value_is_applied_or_a_warning(sequence: list[Call]) -> None:
    working_set = OpenWorkingSet()
    for number, call in enumerate(sequence):
        outcome = decided(working_set, call, number)
        if not isinstance(outcome, Created | Updated):
            continue
        warned = {warning.field for warning in outcome.warnings}
        normalised = call.request().given
        for name in (
            "external_id",
            "email",
            "company",
            "first_name",
            "is_active",
            "created_at",
            "updated_at",
        ):
            if name in normalised and not _is_generated(call, name):
                is_applied = _held(outcome.contact, name) == _wanted(name, normalised[name])
                assert is_applied != (API_NAMES[name] in warned)


def _held(contact: Contact, name: str) -> Any:
    """What the contact has of a field; of the email, what all its spellings have in common."""
    match name:
        case "email":
            return contact.email_key
        case "external_id":
            return contact.external_ids.get(DEFAULT_SOURCE)
    return getattr(contact, name)


def _wanted(name: str, value: Any) -> Any:
    return email_key(value) if name == "email" else value


@given(sequences, calls)
@example([], Call({"email": "ada@example.com", "external_id": "a"}))
@example([], Call({"email": "ada@example.com"}, UpsertPolicy(generate_external_id=True)))
@example([], Call(NULL_EXTERNAL_ID, UpsertPolicy(generate_external_id=True)))
def test_same_call_again_changes_nothing(sequence: list[Call], call: Call) -> None:
    working_set = OpenWorkingSet()
    for number, one in enumerate(sequence):
        decided(working_set, one, number)
    first = decided(working_set, call, len(sequence))
    before = working_set.contacts()
    again = decided(working_set, call, len(sequence) + 1)
    assert working_set.contacts() == before
    if isinstance(first, Conflict | Invalid):
        assert again == first
    elif isinstance(first, Created) and _creates_only(call):
        assert isinstance(again, Conflict)
        assert all(reason.contact == first.contact for reason in again.reasons)
    elif isinstance(first, Updated) and first.changes and call.if_version is not None:
        assert isinstance(again, Conflict)
        assert [reason.code.name for reason in again.reasons] == ["VERSION_MISMATCH"]
    else:
        assert isinstance(again, Updated)
        assert (again.contact, again.changes) == (first.contact, ())
        assert isinstance(first, Created | Updated)
        assert _fields_warned_of(again) == _fields_warned_of(first)


def _fields_warned_of(outcome: Created | Updated) -> list[str]:
    return sorted(warning.field for warning in outcome.warnings)


def _creates_only(call: Call) -> bool:
    return call.policy.on_match is OnMatch.CONFLICT or not call.policy.match_by


def _is_generated(call: Call, name: str) -> bool:
    is_null = call.given.get("external_id", "") is None
    return name == "external_id" and is_null and call.policy.generate_external_id


@settings(max_examples=25)
@given(sequences)
async def test_dry_run_predicts_the_call_and_stores_nothing(
    database: Database, sequence: list[Call]
) -> None:
    caller = await only_workspace(database)
    for call in sequence:
        before = await stored(database, caller)
        [foretold] = await upsert(database, caller, [call.request()], dry_run=True)
        assert await stored(database, caller) == before
        [outcome] = await upsert(database, caller, [call.request()])
        assert timeless(foretold) == timeless(outcome)


@settings(max_examples=25)
@given(sequences)
async def test_database_equals_the_decision(database: Database, sequence: list[Call]) -> None:
    caller = await only_workspace(database)
    working_set = OpenWorkingSet()
    for number, call in enumerate(sequence):
        [outcome] = await upsert(database, caller, [call.request()])
        assert timeless(outcome) == timeless(decided(working_set, call, number))
        held = await stored(database, caller)
        assert _all_timeless(held) == _all_timeless(working_set.contacts())


async def only_workspace(database: Database) -> Caller:
    """A caller of it. The contacts of other examples are gone, as `stored` reads all there are."""
    await empty(database)
    return replace(await new_workspace(database), key_id=KEY_ID)


async def stored(database: Database, caller: Caller) -> Mapping[UUID, Contact]:
    assert await look_up_faults(database) == {}
    found = await contacts(database)
    return {
        one: found[key]
        for key in found
        for workspace_id, one in [key]
        if workspace_id == caller.workspace_id
    }


def timeless(outcome: Outcome) -> Any:
    """The outcome without what no two runs share: ids, and when they ran."""
    match outcome:
        case Created(contact, warnings):
            return "Created", _values(contact), _codes(warnings)
        case Updated(contact, matched_by, changes, warnings):
            told = {
                one.path: (_unless_uuid(one.before), _unless_uuid(one.after)) for one in changes
            }
            return "Updated", _values(contact), matched_by, told, _codes(warnings)
        case Conflict(reasons):
            return "Conflict", [
                (reason.code, reason.identifier, reason.contact and _values(reason.contact))
                for reason in reasons
            ]
        case Invalid(errors):
            return "Invalid", errors


def _codes(warnings: Sequence[FieldWarning]) -> list[tuple[WarningCode, str]]:
    """The warnings without their messages, which quote an external id that was generated."""
    return [(warning.code, warning.field) for warning in warnings]


def _all_timeless(contacts: Mapping[UUID, Contact]) -> list[dict[str, Any]]:
    return sorted(map(_values, contacts.values()), key=lambda values: str(values["email_key"]))


def _values(contact: Contact) -> dict[str, Any]:
    values = dict(contact) | {"id": None, "external_ids": _external_ids(contact)}
    for name in ("created_at", "updated_at"):
        values[name] = values[name] if values[name] < START else None
    return values


def _external_ids(contact: Contact) -> dict[str, Any]:
    return {source: _unless_uuid(value) for source, value in contact.external_ids.items()}


def _unless_uuid(value: Any) -> Any:
    return "a UUID" if isinstance(value, str) and len(value) == 36 else value
