"""Assigning contacts, and listing what they are assigned to."""

import asyncio
import json
from typing import Any

import pytest

from app.contacts.limits import ASSIGNMENTS_LIMIT
from app.database.sessions import Database
from app.workspaces.keys import Scope
from tests.conftest import client_of
from tests.support.client import Client, InProcess
from tests.support.consistency import look_up_faults

ADA = {"externalId": "c1", "email": "ada@example.com"}
BY = {"externalId": "c1"}
CLIENT = {"kind": "client", "targetId": "42"}
ENTITY = {"kind": "investmentEntity", "targetId": "Fund I"}

CONTACT_FIELDS = "id version updatedAt assignments { kind targetId assignedAt }"
OUTCOME = f"""
__typename
... on ContactUpdated {{ contact {{ {CONTACT_FIELDS} }} matchedBy changes {{ path before after }} }}
... on ContactConflict {{ reasons {{ code contact {{ id }} }} }}
"""
ASSIGN = f"""
mutation ($by: ContactKey = {{externalId: "c1"}}, $to: AssigneeInput!) {{
  assignContact(by: $by, to: $to) {{ {OUTCOME} }}
}}
"""
UNASSIGN = f"""
mutation ($by: ContactKey = {{externalId: "c1"}}, $to: AssigneeInput!) {{
  unassignContact(by: $by, from: $to) {{ {OUTCOME} }}
}}
"""
CREATE = f"""
mutation ($input: ContactInput!) {{
  createContact(input: $input) {{ ... on ContactCreated {{ contact {{ {CONTACT_FIELDS} }} }} }}
}}
"""
CONTACT = f"query ($by: ContactKey!) {{ contact(by: $by) {{ {CONTACT_FIELDS} }} }}"
PAGE = "{ contacts(first: 100) { nodes { email assignments { kind targetId } } } }"
THEM = "fragment them on Contact { assignments { kind } }"
BULK = """
mutation ($inputs: [ContactInput!]!, $policy: UpsertPolicy) {
  upsertContacts(inputs: $inputs, policy: $policy) { rows { result {
    ... on ContactCreated { contact { assignments { targetId } } }
    ... on ContactUpdated { contact { assignments { targetId } } }
    ... on ContactConflict { reasons { contact { assignments { targetId } } } }
  } } }
}
"""
WRITES = {
    "upsert": "upsertContact(input: $input) { __typename }",
    "upsert as S5": "upsertContact(input: $input, policy: {fallback: ABSENT, emailOnMatch: KEEP}) "
    "{ __typename }",
    "bulk": "upsertContacts(inputs: [$input]) { updated }",
    "create": "createContact(input: $input) { __typename }",
    "update": 'updateContact(by: {externalId: "c1"}, input: $input) { __typename }',
}


async def test_assignment_changes_the_contact(api: Client) -> None:
    created = (await api(CREATE, input=ADA))["contact"]
    assert created["assignments"] == []
    answer = await api(ASSIGN, to=CLIENT)
    contact = answer["contact"]
    assert (answer["__typename"], answer["matchedBy"]) == ("ContactUpdated", "EXTERNAL_ID")
    assert answer["changes"] == [
        {"path": "assignments.client.42", "before": None, "after": CLIENT},
    ]
    assert contact["version"] == 2
    assert contact["updatedAt"] > created["updatedAt"]
    assert contact["assignments"] == [
        {"kind": "client", "targetId": "42", "assignedAt": contact["updatedAt"]}
    ]
    assert await api(CONTACT, by=BY) == contact


async def test_assigning_again_changes_nothing(api: Client) -> None:
    await api(CREATE, input=ADA)
    first = await api(ASSIGN, to=CLIENT)
    again = await api(
        ASSIGN, to={"kind": "\u00a0client ", "targetId": 42}, by={"email": ADA["email"]}
    )
    assert (again["contact"], again["changes"]) == (first["contact"], [])


async def test_unassigning_removes_the_assignment(api: Client) -> None:
    await api(CREATE, input=ADA)
    await api(ASSIGN, to=CLIENT)
    await api(ASSIGN, to=ENTITY)
    answer = await api(UNASSIGN, to=CLIENT)
    assert answer["changes"] == [
        {"path": "assignments.client.42", "before": CLIENT, "after": None},
    ]
    assert answer["contact"]["version"] == 4
    assert targets(answer["contact"]) == ["Fund I"]
    again = await api(UNASSIGN, to=CLIENT)
    assert (again["contact"], again["changes"]) == (answer["contact"], [])


async def test_assignments_are_listed_oldest_first(api: Client) -> None:
    await api(CREATE, input=ADA)
    pairs = [("z", "first"), ("b", "2"), ("b", "10"), ("a", "é")]
    for kind, target in pairs:
        await api(ASSIGN, to={"kind": kind, "targetId": target})
    listed = (await api(CONTACT, by=BY))["assignments"]
    assert [(one["kind"], one["targetId"]) for one in listed] == pairs


@pytest.mark.parametrize("document", [ASSIGN, UNASSIGN])
async def test_missing_contact_is_not_found(api: Client, document: str) -> None:
    answer = await api(document, to=CLIENT)
    assert answer["reasons"] == [{"code": "NOT_FOUND", "contact": None}]
    assert await api.errors(document, to=CLIENT, by={"id": "1"}) == [("INVALID_FORMAT", "by.id")]


@pytest.mark.parametrize(
    ("to", "errors"),
    [
        (
            {"kind": " ", "targetId": "\u00a0"},
            [("INVALID_FORMAT", "kind"), ("INVALID_FORMAT", "targetId")],
        ),
        (
            {"kind": "k" * 101, "targetId": "i" * 256},
            [("TOO_LONG", "kind"), ("TOO_LONG", "targetId")],
        ),
        ({"kind": "client", "targetId": "4\x002"}, [("INVALID_FORMAT", "targetId")]),
    ],
)
async def test_invalid_assignee_is_refused(
    api: Client, to: dict[str, str], errors: list[tuple[str, str]]
) -> None:
    await api(CREATE, input=ADA)
    for document, argument in ((ASSIGN, "to"), (UNASSIGN, "from")):
        named = [(code, f"{argument}.{field}") for code, field in errors]
        assert await api.errors(document, to=to) == named


async def test_a_lone_surrogate_is_refused(api: Client) -> None:
    body = json.dumps({"query": ASSIGN, "variables": {"to": {"kind": "\ud800", "targetId": "42"}}})
    headers = {"x-api-key": api.key, "content-type": "application/json"}
    response = await api.http.post("/graphql", content=body, headers=headers)
    [error] = response.json()["errors"]
    [broken] = error["extensions"]["errors"]
    assert (broken["code"], broken["field"]) == ("INVALID_FORMAT", "to.kind")


async def test_the_longest_kind_and_id_are_stored_unchanged(api: Client) -> None:
    await api(CREATE, input=ADA)
    kind, target = "\U0001f600" * 100, "\U0001f600" * 255
    answer = await api(ASSIGN, to={"kind": kind, "targetId": f" {target} "})
    [listed] = answer["contact"]["assignments"]
    assert (listed["kind"], listed["targetId"]) == (kind, target)


async def test_contact_has_a_limited_number_of_assignments(api: Client) -> None:
    await api(CREATE, input=ADA)
    for number in range(ASSIGNMENTS_LIMIT):
        await api(ASSIGN, to={"kind": "client", "targetId": str(number)})
    assert await api.errors(ASSIGN, to={"kind": "client", "targetId": "more"}) == [
        ("TOO_MANY", "to")
    ]
    assert (await api(ASSIGN, to=CLIENT))["changes"] == []
    assert (await api(CONTACT, by=BY))["version"] == ASSIGNMENTS_LIMIT + 1
    await api(UNASSIGN, to=CLIENT)
    answer = await api(ASSIGN, to={"kind": "client", "targetId": "more"})
    assert len(answer["contact"]["assignments"]) == ASSIGNMENTS_LIMIT


@pytest.mark.parametrize("write", WRITES)
async def test_no_other_write_changes_assignments(api: Client, write: str) -> None:
    await api(CREATE, input=ADA)
    before = (await api(ASSIGN, to=CLIENT))["contact"]["assignments"]
    given = ADA | {"company": "Analytical Engines", "customFields": {"assignments": []}}
    await api(f"mutation ($input: ContactInput!) {{ {WRITES[write]} }}", input=given)
    contact = await api(CONTACT, by=BY)
    assert contact["assignments"] == before
    assert contact["version"] == (2 if write == "create" else 3)


async def test_assignments_are_deleted_with_their_contact(api: Client, database: Database) -> None:
    await api(CREATE, input=ADA)
    await api(ASSIGN, to=CLIENT)
    await api('mutation { deleteContact(by: {externalId: "c1"}) { __typename } }')
    assert await look_up_faults(database) == {}
    assert (await api(CREATE, input=ADA))["contact"]["assignments"] == []


async def test_each_mutation_of_a_document_returns_the_assignments_after_it(api: Client) -> None:
    await api(CREATE, input=ADA)
    contact = "... on ContactUpdated { contact { assignments { targetId } } }"
    answer = await api.execute(
        f"""mutation ($by: ContactKey = {{externalId: "c1"}}) {{
          first: assignContact(by: $by, to: {{kind: "client", targetId: 1}}) {{ {contact} }}
          second: assignContact(by: $by, to: {{kind: "client", targetId: 2}}) {{ {contact} }}
          third: unassignContact(by: $by, from: {{kind: "client", targetId: 1}}) {{ {contact} }}
        }}"""
    )
    listed = {name: targets(result["contact"]) for name, result in answer["data"].items()}
    assert listed == {"first": ["1"], "second": ["1", "2"], "third": ["2"]}


async def test_concurrent_callers_lose_and_repeat_nothing(api: Client) -> None:
    await api(CREATE, input=ADA)
    calls = [api(ASSIGN, to={"kind": "client", "targetId": number % 8}) for number in range(32)]
    answers = await asyncio.gather(*calls)
    assert sum(len(answer["changes"]) for answer in answers) == 8
    contact = await api(CONTACT, by=BY)
    assert sorted(targets(contact)) == [str(number) for number in range(8)]
    assert contact["version"] == 9


@pytest.mark.parametrize("document", [ASSIGN, UNASSIGN])
async def test_another_workspace_and_a_reading_key_cannot(
    api: Client, stranger: Client, http: InProcess, database: Database, document: str
) -> None:
    await api(CREATE, input=ADA)
    contact = (await api(ASSIGN, to=ENTITY))["contact"]
    for by in (BY, {"email": ADA["email"]}, {"id": contact["id"]}):
        answer = await stranger(document, by=by, to=ENTITY)
        assert answer["reasons"] == [{"code": "NOT_FOUND", "contact": None}]
    reader = await client_of(http, database, "ours", (Scope.CONTACTS_READ,), is_new=False)
    [error] = (await reader.execute(document, to=CLIENT))["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert await api(CONTACT, by=BY) == contact


async def test_similar_contact_of_another_workspace_has_separate_assignments(
    api: Client, stranger: Client, database: Database
) -> None:
    await api(CREATE, input=ADA)
    await stranger(CREATE, input=ADA)
    ours = (await api(ASSIGN, to=CLIENT))["contact"]
    assert (await stranger(CONTACT, by=BY))["assignments"] == []
    await stranger(ASSIGN, to=CLIENT)
    await stranger(UNASSIGN, to=CLIENT)
    assert await api(CONTACT, by=BY) == ours


async def test_merging_keeps_each_assignment_once_with_the_time_of_the_survivor(
    api: Client,
) -> None:
    eve = {"externalId": "c2"}
    await api(CREATE, input=ADA)
    await api(CREATE, input={"externalId": "c2", "email": "eve@example.com"})
    for by, number in ((eve, 2), (BY, 1), (BY, 2), (eve, 3)):
        await api(ASSIGN, by=by, to={"kind": "client", "targetId": number})
    kept = (await api(CONTACT, by=eve))["assignments"]
    merge = "mergeContacts(into: $into, from: $from) { __typename }"
    document = f"mutation ($into: ContactKey!, $from: ContactKey!) {{ {merge} }}"
    await api(document, **{"into": eve, "from": BY})
    contact = await api(CONTACT, by=eve)
    assert targets(contact) == ["2", "1", "3"]
    assert [one for one in contact["assignments"] if one["targetId"] != "1"] == kept


def targets(contact: dict[str, Any]) -> list[str]:
    return [assignment["targetId"] for assignment in contact["assignments"]]
