"""Many callers at once, through the API on both databases: each answer and the end are exact."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from random import Random
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from app.contacts.decision.outcome import Conflict, Created, Outcome, Updated
from app.database.sessions import Database
from app.fields.sources import DEFAULT_SOURCE
from app.tables import Contact
from tests.conftest import client_of
from tests.support.calls import Call, OpenWorkingSet, calls, decided
from tests.support.client import Client, InProcess

CALLERS = 32
ROUNDS = 20

CONTACT = "id externalId email company tags customFields version"
UPSERT = f"""
mutation ($input: ContactInput!, $policy: UpsertPolicy, $ifVersion: Int) {{
  upsertContact(input: $input, policy: $policy, ifVersion: $ifVersion) {{
    __typename
    ... on ContactCreated {{ contact {{ {CONTACT} }} }}
    ... on ContactUpdated {{ contact {{ {CONTACT} }} matchedBy changes {{ path }} }}
    ... on ContactConflict {{ reasons {{ code identifier contact {{ {CONTACT} }} }} }}
  }}
}}
"""
UPSERT_MANY = """
mutation ($inputs: [ContactInput!]!) {
  upsertContacts(inputs: $inputs) {
    rows {
      result {
        __typename
        ... on ContactCreated { contact { email version } }
        ... on ContactUpdated { contact { email version } }
      }
    }
  }
}
"""
DELETE_MANY = """
mutation ($selection: ContactSelection!) {
  deleteContacts(selection: $selection) { deleted rows { result { __typename } } }
}
"""
UPDATE_MANY = """
mutation ($selection: ContactSelection!, $input: ContactPatch) {
  updateContacts(selection: $selection, input: $input, tags: ADD) {
    updated
    rows { result { __typename ... on ContactUpdated { contact { email version } } } }
  }
}
"""
CREATE = """
mutation ($input: ContactInput!) {
  createContact(input: $input) {
    __typename
    ... on ContactConflict { reasons { code identifier } }
  }
}
"""
DELETE = """
mutation ($by: ContactKey!) {
  deleteContact(by: $by) { __typename ... on ContactConflict { reasons { code } } }
}
"""
CONTACTS = f"{{ contacts(first: 100) {{ nodes {{ {CONTACT} }} }} }}"


async def at_once(api: Client, document: str, inputs: Iterable[dict[str, Any]]) -> list[Any]:
    """The answers to so many callers at once, in their order. An error fails the test."""
    return await asyncio.gather(*(api(document, **variables) for variables in inputs))


def types(answers: Sequence[Any]) -> Counter[str]:
    return Counter(answer["__typename"] for answer in answers)


async def test_callers_on_one_key_create_it_once_and_number_its_versions(api: Client) -> None:
    for number in range(ROUNDS):
        email = f"c{number}@example.com"
        both = {"externalId": f"c{number}", "email": email}
        shapes = [[both], [{"email": email}, {"email": email.upper()}], [both, {"email": email}]]
        shape = shapes[number % len(shapes)]
        callers = [shape[one % len(shape)] | {"company": str(one)} for one in range(CALLERS)]
        answers = await at_once(api, UPSERT, ({"input": one} for one in callers))
        assert types(answers) == {"ContactCreated": 1, "ContactUpdated": CALLERS - 1}
        contacts = sorted((one["contact"] for one in answers), key=lambda one: one["version"])
        assert [one["version"] for one in contacts] == list(range(1, CALLERS + 1))
        assert len({one["id"] for one in contacts}) == 1
        assert contacts[-1] in (await api(CONTACTS))["nodes"]
    assert len((await api(CONTACTS))["nodes"]) == ROUNDS


async def test_callers_on_mixed_and_crossing_keys_leave_one_contact_a_key(api: Client) -> None:
    random = Random(20260131)
    for number in range(ROUNDS):
        people = [(f"c{number}-{one}", f"c{number}-{one}@example.com") for one in range(4)]
        callers = []
        for one in range(CALLERS):
            (external_id, email), (_, another) = random.choice(people), random.choice(people)
            given = random.choice(
                [
                    {"externalId": external_id, "email": email},
                    {"email": email},
                    {"externalId": external_id, "email": another},
                ]
            )
            callers.append({"input": given | {"company": str(one)}})
        answers = await at_once(api, UPSERT, callers)
        assert types(answers).keys() <= {"ContactCreated", "ContactUpdated", "ContactConflict"}

        written = [answer["contact"] for answer in answers if "contact" in answer]
        versions: dict[str, list[int]] = {}
        for contact in written:
            versions.setdefault(contact["id"], []).append(contact["version"])
        for numbers in versions.values():
            assert sorted(numbers) == list(range(1, len(numbers) + 1))
        assert types(answers)["ContactCreated"] == len(versions)

        last = {contact["id"]: contact for contact in sorted(written, key=lambda c: c["version"])}
        stored = (await api(CONTACTS))["nodes"]
        assert {one["id"]: one for one in stored if one["id"] in versions} == last
        emails = [one["email"] for one in stored]
        external_ids = [one["externalId"] for one in stored if one["externalId"]]
        assert len(emails) == len(set(emails))
        assert len(external_ids) == len(set(external_ids))


async def test_bulks_of_the_same_people_in_any_order_create_each_once(api: Client) -> None:
    random = Random(20260201)
    people = 10
    for number in range(ROUNDS // 4):
        keys = [
            {"externalId": f"c{number}-{one}", "email": f"{one}-{number}@example.com"}
            for one in range(people)
        ]
        callers = [
            {"inputs": [key | {"company": str(caller)} for key in random.sample(keys, people)]}
            for caller in range(CALLERS)
        ]
        answers = await at_once(api, UPSERT_MANY, callers)
        rows = [row["result"] for answer in answers for row in answer["rows"]]
        assert types(rows) == {
            "ContactCreated": people,
            "ContactUpdated": people * (CALLERS - 1),
        }
        versions: dict[str, list[int]] = {}
        for contact in (row["contact"] for row in rows):
            versions.setdefault(contact["email"], []).append(contact["version"])
        assert [sorted(one) for one in versions.values()] == [list(range(1, CALLERS + 1))] * people


async def test_bulks_updates_and_deletions_at_once_are_all_answered(api: Client) -> None:
    random = Random(20260202)
    emails = [f"{one}@example.com" for one in range(20)]
    for _ in range(ROUNDS // 4):
        bulks = [
            api(UPSERT_MANY, inputs=[{"email": one, "company": "Acme"} for one in chosen])
            for chosen in (random.sample(emails, 15) for _ in range(CALLERS // 4))
        ]
        selections: list[dict[str, Any]] = [
            {"filter": {"company": {"eq": "Acme"}}},
            {"keys": [{"email": one} for one in random.sample(emails, 15)]},
        ]
        updates = [
            api(UPDATE_MANY, selection=selections[one % 2], input={"tags": [str(one)]})
            for one in range(CALLERS // 4)
        ]
        deletions = [api(DELETE_MANY, selection=selections[one % 2]) for one in range(CALLERS // 4)]
        await asyncio.gather(*bulks, *updates, *deletions)
        listed = [one["email"] for one in (await api(CONTACTS))["nodes"]]
        assert len(listed) == len(set(listed))
        await api(DELETE_MANY, selection=selections[0])
        assert (await api(CONTACTS))["nodes"] == []


async def test_updates_of_the_same_people_in_any_order_lose_nothing(api: Client) -> None:
    random = Random(20260203)
    emails = [f"{one}@example.com" for one in range(20)]
    await api(UPSERT_MANY, inputs=[{"email": one, "company": "Acme"} for one in emails])
    keys = [{"email": one} for one in emails]
    selections: list[dict[str, Any]] = [
        {"keys": random.sample(keys, 20)} if number % 2 else {"filter": {"company": {"eq": "Acme"}}}
        for number in range(CALLERS)
    ]
    callers = (
        {"selection": one, "input": {"tags": [str(number)]}}
        for number, one in enumerate(selections)
    )
    answers = await at_once(api, UPDATE_MANY, callers)
    assert [one["updated"] for one in answers] == [20] * CALLERS
    for contact in (await api(CONTACTS))["nodes"]:
        assert sorted(map(int, contact["tags"])) == list(range(CALLERS))
        assert contact["version"] == CALLERS + 1


async def test_one_of_many_updates_of_a_filter_takes_each_contact(api: Client) -> None:
    await api(
        UPSERT_MANY,
        inputs=[{"email": f"{one}@example.com", "company": "Acme"} for one in range(20)],
    )
    acme = {"filter": {"company": {"eq": "Acme"}}}
    callers = ({"selection": acme, "input": {"company": str(one)}} for one in range(CALLERS))
    answers = await at_once(api, UPDATE_MANY, callers)
    assert sum(one["updated"] for one in answers) == 20
    assert {one["version"] for one in (await api(CONTACTS))["nodes"]} == {2}


async def test_one_of_many_callers_with_the_same_version_wins(api: Client) -> None:
    given = {"externalId": "a", "email": "ada@example.com"}
    await api(UPSERT, input=given)
    for version in range(1, 4):
        callers = (
            {"input": given | {"company": f"{version}-{one}"}, "ifVersion": version}
            for one in range(CALLERS)
        )
        answers = await at_once(api, UPSERT, callers)
        assert types(answers) == {"ContactUpdated": 1, "ContactConflict": CALLERS - 1}
        [winner] = [one["contact"] for one in answers if "contact" in one]
        assert winner["version"] == version + 1
        reason = {"code": "VERSION_MISMATCH", "identifier": None, "contact": winner}
        assert [one["reasons"] for one in answers if "reasons" in one] == [[reason]] * (CALLERS - 1)
        assert (await api(CONTACTS))["nodes"] == [winner]


async def test_one_of_many_creators_creates_and_one_of_many_deleters_deletes(api: Client) -> None:
    given = {"externalId": "a", "email": "ada@example.com"}
    held = [
        {"code": "ALREADY_EXISTS", "identifier": "EXTERNAL_ID"},
        {"code": "ALREADY_EXISTS", "identifier": "EMAIL"},
    ]
    for _ in range(2):
        created = await at_once(api, CREATE, [{"input": given}] * CALLERS)
        assert types(created) == {"ContactCreated": 1, "ContactConflict": CALLERS - 1}
        assert all(one["reasons"] == held for one in created if "reasons" in one)
        assert len((await api(CONTACTS))["nodes"]) == 1
        deleted = await at_once(api, DELETE, [{"by": {"externalId": "a"}}] * CALLERS)
        assert types(deleted) == {"ContactDeleted": 1, "ContactConflict": CALLERS - 1}
        gone = [{"code": "NOT_FOUND"}]
        assert all(one["reasons"] == gone for one in deleted if "reasons" in one)
        assert (await api(CONTACTS))["nodes"] == []


@settings(max_examples=20)
@given(before=st.lists(calls, max_size=3), racing=st.lists(calls, min_size=4, max_size=4))
async def test_concurrent_calls_equal_some_serial_order(
    http: InProcess, database: Database, before: list[Call], racing: list[Call]
) -> None:
    api = await client_of(http, database, uuid4().hex)
    working_set = OpenWorkingSet()
    for number, call in enumerate(before):
        await api.execute(UPSERT, **call.variables())
        decided(working_set, call, number)
    raced = await asyncio.gather(*(api.execute(UPSERT, **call.variables()) for call in racing))
    answers = [_without_id(answer) for answer in raced]
    ended = _sorted((await api(CONTACTS))["nodes"])
    assert (answers, ended) in list(orders(working_set, racing))


def orders(before: OpenWorkingSet, racing: list[Call]) -> Iterator[tuple[list[Any], list[Any]]]:
    """The answers, and the contacts in the end, of every order of the calls."""
    for order in permutations(range(len(racing))):
        working_set = OpenWorkingSet(before.contacts().values())
        outcomes = {one: decided(working_set, racing[one], 100 + one) for one in order}
        answers = [_told(outcomes[one]) for one in range(len(racing))]
        yield answers, _sorted([_seen(contact) for contact in working_set.contacts().values()])


def _told(outcome: Outcome) -> Any:
    """The outcome as `_without_id` has it from the API."""
    match outcome:
        case Created(contact):
            return {"__typename": "ContactCreated", "contact": _seen(contact)}
        case Updated(contact, matched_by, changes):
            return {
                "__typename": "ContactUpdated",
                "contact": _seen(contact),
                "matchedBy": matched_by.name,
                "changes": sorted(change.path for change in changes),
            }
        case Conflict(reasons):
            told = [
                {
                    "code": reason.code.name,
                    "identifier": reason.identifier and reason.identifier.name,
                    "contact": reason.contact and _seen(reason.contact),
                }
                for reason in reasons
            ]
            return {"__typename": "ContactConflict", "reasons": told}
    return [(error.code.name, error.field) for error in outcome.errors]


def _without_id(answer: Any) -> Any:
    if "errors" in answer:
        [error] = answer["errors"]
        return [(one["code"], one["field"]) for one in error["extensions"]["errors"]]
    told = answer["data"]["upsertContact"]
    if "contact" in told:
        told["contact"] = _anonymous(told["contact"])
    for reason in told.get("reasons", []):
        reason["contact"] = reason["contact"] and _anonymous(reason["contact"])
    if "changes" in told:
        told["changes"] = sorted(change["path"] for change in told["changes"])
    return told


def _seen(contact: Contact) -> dict[str, Any]:
    return _anonymous(
        {
            "externalId": contact.external_ids.get(DEFAULT_SOURCE),
            "email": contact.email,
            "company": contact.company,
            "tags": contact.tags,
            "customFields": contact.custom_fields,
            "version": contact.version,
        }
    )


def _anonymous(contact: dict[str, Any]) -> dict[str, Any]:
    """The contact without its id, and without the UUID of an external id that was generated."""
    is_generated = len(contact["externalId"] or "") == 36
    external_id = "generated" if is_generated else contact["externalId"]
    return contact | {"id": None, "externalId": external_id}


def _sorted(contacts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(map(_anonymous, contacts), key=lambda contact: str(contact["email"]).lower())
