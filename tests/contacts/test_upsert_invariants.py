"""What holds for every sequence of upserts, whatever clashes in it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from app.contacts.decision.outcome import (
    Conflict,
    Created,
    Invalid,
    Outcome,
    Updated,
    Warned,
    WarningCode,
)
from app.contacts.decision.policy import OnMatch, UpsertPolicy
from app.contacts.decision.working_set import WorkingSet, keys_of
from app.contacts.store.find import COLUMNS, of_workspace, record
from app.contacts.upsert import upsert
from app.database.sessions import Database
from app.fields.contact import API_NAMES
from app.tables import Contact
from app.workspaces.keys import Caller
from tests.support.calls import KEY_ID, START, Call, at, calls, decided
from tests.support.stored import new_workspace

GIVEN = ("external_id", "email", "company", "first_name", "is_active", "created_at", "updated_at")
NULL_EXTERNAL_ID = {"email": "ada@example.com", "external_id": None}
sequences = st.lists(calls, min_size=2, max_size=8)


@given(sequences)
def test_each_identifier_leads_to_one_contact(sequence: list[Call]) -> None:
    known = WorkingSet()
    for number, call in enumerate(sequence):
        decided(known, call, number)
        contacts = known.contacts().values()
        keys = [key for contact in contacts for key in keys_of(contact)]
        assert len(keys) == len(set(keys))
        assert all(known.get(key) is contact for contact in contacts for key in keys_of(contact))
        assert all(contact.email_key == contact.email.lower() for contact in contacts)


@given(sequences)
def test_version_rises_by_one_with_a_change_and_all_else_stands(sequence: list[Call]) -> None:
    known = WorkingSet()
    for number, call in enumerate(sequence):
        before = known.contacts()
        outcome = decided(known, call, number)
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
        assert known.contacts() == expected


@given(sequences)
def test_what_was_given_is_applied_or_warned_of(sequence: list[Call]) -> None:
    known = WorkingSet()
    for number, call in enumerate(sequence):
        outcome = decided(known, call, number)
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
                is_applied = getattr(outcome.contact, name) == normalised[name]
                assert is_applied != (API_NAMES[name] in warned)


@given(sequences, calls)
@example([], Call({"email": "ada@example.com", "external_id": "a"}))
@example([], Call({"email": "ada@example.com"}, UpsertPolicy(generate_external_id=True)))
@example([], Call(NULL_EXTERNAL_ID, UpsertPolicy(generate_external_id=True)))
def test_same_call_again_changes_nothing(sequence: list[Call], call: Call) -> None:
    known = WorkingSet()
    for number, one in enumerate(sequence):
        decided(known, one, number)
    first = decided(known, call, len(sequence))
    before = known.contacts()
    again = decided(known, call, len(sequence) + 1)
    assert known.contacts() == before
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
async def test_dry_run_foretells_the_call_and_leaves_nothing_behind(
    database: Database, sequence: list[Call]
) -> None:
    caller = replace(await new_workspace(database), key_id=KEY_ID)
    for call in sequence:
        before = await stored(database, caller)
        [foretold] = await upsert(database, caller, [call.request()], dry_run=True)
        assert await stored(database, caller) == before
        [outcome] = await upsert(database, caller, [call.request()])
        assert timeless(foretold) == timeless(outcome)


@settings(max_examples=25)
@given(sequences)
async def test_database_ends_as_the_decision_says(database: Database, sequence: list[Call]) -> None:
    caller = replace(await new_workspace(database), key_id=KEY_ID)
    known = WorkingSet()
    for number, call in enumerate(sequence):
        [outcome] = await upsert(database, caller, [call.request()])
        assert timeless(outcome) == timeless(decided(known, call, number))
        contacts = await stored(database, caller)
        assert _all_timeless(contacts) == _all_timeless(known.contacts())


async def stored(database: Database, caller: Caller) -> Mapping[UUID, Contact]:
    async with database.read() as session:
        rows = await session.exec(select(*COLUMNS).where(of_workspace(caller)))
        return {contact.id: contact for contact in map(record, rows)}


def timeless(outcome: Outcome) -> Any:
    """The outcome without what no two runs share: ids, and when they ran."""
    match outcome:
        case Created(contact, warnings):
            return "Created", _values(contact), _told(warnings)
        case Updated(contact, matched_by, changes, warnings):
            told = {
                one.path: (_unless_uuid(one.before), _unless_uuid(one.after)) for one in changes
            }
            return "Updated", _values(contact), matched_by, told, _told(warnings)
        case Conflict(reasons):
            return "Conflict", [
                (reason.code, reason.identifier, reason.contact and _values(reason.contact))
                for reason in reasons
            ]
        case Invalid(errors):
            return "Invalid", errors


def _told(warnings: Sequence[Warned]) -> list[tuple[WarningCode, str]]:
    """The warnings without their messages, which quote an external id that was generated."""
    return [(warning.code, warning.field) for warning in warnings]


def _all_timeless(contacts: Mapping[UUID, Contact]) -> list[dict[str, Any]]:
    return sorted(map(_values, contacts.values()), key=lambda values: str(values["email_key"]))


def _values(contact: Contact) -> dict[str, Any]:
    values = dict(contact) | {"id": None, "external_id": _unless_uuid(contact.external_id)}
    for name in ("created_at", "updated_at"):
        values[name] = values[name] if values[name] < START else None
    return values


def _unless_uuid(value: Any) -> Any:
    return "a UUID" if isinstance(value, str) and len(value) == 36 else value
