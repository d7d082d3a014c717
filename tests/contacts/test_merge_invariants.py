"""Whom each identifier leads to, after every sequence of upserts, updates, merges and deletes."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from hypothesis import event, given, settings
from hypothesis import strategies as st

from app.contacts.decision.decide import Request
from app.contacts.decision.outcome import Created, Updated
from app.contacts.decision.policy import DEFAULT_POLICY, ExternalIdOnMatch, UpsertPolicy
from app.contacts.decision.working_set import keys_of
from app.contacts.delete import delete
from app.contacts.keys import ContactKey
from app.contacts.merge import Merged, MergePreference, merge
from app.contacts.store.find import find
from app.contacts.upsert import upsert
from app.database.sessions import Database
from app.errors import InvalidInput
from app.fields.normalise import normalise
from app.fields.sources import DEFAULT_SOURCE
from app.tables import Contact
from app.workspaces.keys import Caller
from tests.support.consistency import look_up_faults
from tests.support.stored import new_workspace

EMAILS = [f"{name}@example.com" for name in "abcd"]
EXTERNAL_IDS = list("xyz")
KEYS = [
    *(ContactKey.of_email(email) for email in EMAILS),
    *(ContactKey.of_external_id(DEFAULT_SOURCE, external_id) for external_id in EXTERNAL_IDS),
]
REPLACE = UpsertPolicy(external_id_on_match=ExternalIdOnMatch.REPLACE)

keys = st.sampled_from(KEYS)
given_fields = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(EMAILS),
        "external_id": st.sampled_from(EXTERNAL_IDS) | st.none(),
        "company": st.sampled_from(["Acme", None]),
    },
)
upserts = st.tuples(st.just("upsert"), given_fields, st.sampled_from([DEFAULT_POLICY, REPLACE]))
updates = st.tuples(st.just("update"), given_fields, keys)
merges = st.tuples(st.just("merge"), keys, keys, st.sampled_from(MergePreference))
deletes = st.tuples(st.just("delete"), keys)
sequences = st.lists(
    upserts | upserts | updates | merges | merges | deletes, min_size=6, max_size=20
)
FIRST = [
    ("upsert", {"email": email, "external_id": external_id}, DEFAULT_POLICY)
    for email, external_id in zip(EMAILS, [*EXTERNAL_IDS, None], strict=True)
]

Leads = dict[ContactKey, UUID]


@settings(max_examples=50)
@given(sequences)
async def test_each_identifier_finds_only_its_contact(
    database: Database, sequence: list[tuple[Any, ...]]
) -> None:
    """What was merged leads to the survivor until that is deleted or gives the identifier up."""
    caller = await new_workspace(database)
    asked: set[ContactKey] = set(KEYS)
    leads: Leads = {}
    contacts: dict[ContactKey, Contact] = {}
    for step in [*FIRST, *sequence]:
        leads = await expected(database, caller, step, leads, contacts)
        asked |= leads.keys()
        contacts = await found(database, caller, asked)
        assert {key: contact.id for key, contact in contacts.items()} == leads
    assert await look_up_faults(database) == {}


async def found(
    database: Database, caller: Caller, asked: Iterable[ContactKey]
) -> dict[ContactKey, Contact]:
    async with database.read(caller) as session:
        working_set = await find(session, asked)
    return {key: contact for key in asked if (contact := working_set.get(key))}


async def expected(
    database: Database,
    caller: Caller,
    step: tuple[Any, ...],
    leads: Leads,
    before: dict[ContactKey, Contact],
) -> Leads:
    """Takes the step; what leads where now, by its answer."""
    match step:
        case ("merge", into, away, prefer):
            try:
                merged = await merge(database, caller, into, away, prefer)
            except InvalidInput:
                assert leads[into] == leads[away]
                return leads
            event(type(merged).__name__)
            if not isinstance(merged, Merged):
                assert into not in leads or away not in leads
                return leads
            survivor = merged.contact.id
            return {key: survivor if to == merged.merged_id else to for key, to in leads.items()}
        case ("delete", key):
            gone = await delete(database, caller, key, None)
            if not isinstance(gone, Contact):
                assert key not in leads
                return leads
            return {key: to for key, to in leads.items() if to != gone.id}
        case (_, values, key_or_policy):
            rules = normalise(values)[0]
            request = Request(rules, key_or_policy)
            if isinstance(key_or_policy, ContactKey):
                request = Request(rules, REPLACE, by=key_or_policy)
            [outcome] = await upsert(database, caller, [request])
            event(type(outcome).__name__)
            if not isinstance(outcome, Created | Updated):
                return leads
            now = outcome.contact
            was = before.get(ContactKey.of_id(now.id))
            given_up = set(keys_of(was)) - set(keys_of(now)) if was else set()
            kept = {key: to for key, to in leads.items() if key not in given_up}
            return kept | dict.fromkeys(keys_of(now), now.id)
    raise AssertionError(step)
