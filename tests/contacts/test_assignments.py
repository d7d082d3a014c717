"""Assigning contacts, and listing what they are assigned to."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Engine, event, func, insert
from sqlmodel import select

from app.contacts.assignments import ASSIGNMENTS_LIMIT, assignments, move_assignments
from app.database.sessions import Database
from app.tables import Assignment, now
from app.workspaces.keys import Caller, Scope, authenticate
from tests.conftest import client_of
from tests.support.client import Client

ADA = {"externalId": "c1", "email": "ada@example.com"}
BY = {"externalId": "c1"}
CLIENT = {"kind": "client", "id": "42"}
ENTITY = {"kind": "investmentEntity", "id": "Fund I"}

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


async def test_assigning_is_a_change_of_the_contact(api: Client) -> None:
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
    again = await api(ASSIGN, to={"kind": "\u00a0client ", "id": 42}, by={"email": ADA["email"]})
    assert (again["contact"], again["changes"]) == (first["contact"], [])


async def test_unassigning_takes_that_one_back(api: Client) -> None:
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


async def test_they_are_listed_oldest_first_then_by_kind_and_id(
    api: Client, database: Database
) -> None:
    contact = (await api(CREATE, input=ADA))["contact"]
    await api(ASSIGN, to={"kind": "z", "id": "first"})
    await api(ASSIGN, to={"kind": "b", "id": "second"})
    pairs = [("b", "2"), ("b", "10"), ("a", "é"), ("B", "2"), ("a", "Z")]
    await store(database, await caller_of(api, database), contact["id"], pairs)
    listed = (await api(CONTACT, by=BY))["assignments"]
    assert [(one["kind"], one["targetId"]) for one in listed] == [
        ("z", "first"),
        ("b", "second"),
        ("B", "2"),
        ("a", "Z"),
        ("a", "é"),
        ("b", "10"),
        ("b", "2"),
    ]


@pytest.mark.parametrize("document", [ASSIGN, UNASSIGN])
async def test_nobody_is_not_found(api: Client, document: str) -> None:
    answer = await api(document, to=CLIENT)
    assert answer["reasons"] == [{"code": "NOT_FOUND", "contact": None}]
    assert await api.errors(document, to=CLIENT, by={"id": "1"}) == [("INVALID_FORMAT", "by.id")]


@pytest.mark.parametrize(
    ("to", "errors"),
    [
        ({"kind": " ", "id": "\u00a0"}, [("INVALID_FORMAT", "kind"), ("INVALID_FORMAT", "id")]),
        ({"kind": "k" * 101, "id": "i" * 256}, [("TOO_LONG", "kind"), ("TOO_LONG", "id")]),
        ({"kind": "client", "id": "4\x002"}, [("INVALID_FORMAT", "id")]),
    ],
)
async def test_what_breaks_a_rule_is_refused(
    api: Client, to: dict[str, str], errors: list[tuple[str, str]]
) -> None:
    await api(CREATE, input=ADA)
    for document, argument in ((ASSIGN, "to"), (UNASSIGN, "from")):
        named = [(code, f"{argument}.{field}") for code, field in errors]
        assert await api.errors(document, to=to) == named


async def test_a_lone_surrogate_is_refused(api: Client) -> None:
    body = json.dumps({"query": ASSIGN, "variables": {"to": {"kind": "\ud800", "id": "42"}}})
    headers = {"x-api-key": api.key, "content-type": "application/json"}
    response = await api.http.post("/graphql", content=body, headers=headers)
    [error] = response.json()["errors"]
    [broken] = error["extensions"]["errors"]
    assert (broken["code"], broken["field"]) == ("INVALID_FORMAT", "to.kind")


async def test_the_longest_kind_and_id_are_kept_to_the_letter(api: Client) -> None:
    await api(CREATE, input=ADA)
    kind, target = "\U0001f600" * 100, "\U0001f600" * 255
    answer = await api(ASSIGN, to={"kind": kind, "id": f" {target} "})
    [listed] = answer["contact"]["assignments"]
    assert (listed["kind"], listed["targetId"]) == (kind, target)


async def test_a_contact_has_a_limited_number_of_them(api: Client, database: Database) -> None:
    contact = (await api(CREATE, input=ADA))["contact"]
    pairs = [("client", str(number)) for number in range(ASSIGNMENTS_LIMIT)]
    await store(database, await caller_of(api, database), contact["id"], pairs)
    assert await api.errors(ASSIGN, to={"kind": "client", "id": "more"}) == [("TOO_MANY", "to")]
    assert (await api(ASSIGN, to=CLIENT))["changes"] == []
    assert (await api(CONTACT, by=BY))["version"] == 1
    await api(UNASSIGN, to=CLIENT)
    answer = await api(ASSIGN, to={"kind": "client", "id": "more"})
    assert len(answer["contact"]["assignments"]) == ASSIGNMENTS_LIMIT


@pytest.mark.parametrize("write", WRITES)
async def test_no_other_write_touches_them(api: Client, write: str) -> None:
    await api(CREATE, input=ADA)
    before = (await api(ASSIGN, to=CLIENT))["contact"]["assignments"]
    given = ADA | {"company": "Analytical Engines", "customFields": {"assignments": []}}
    await api(f"mutation ($input: ContactInput!) {{ {WRITES[write]} }}", input=given)
    contact = await api(CONTACT, by=BY)
    assert contact["assignments"] == before
    assert contact["version"] == (2 if write == "create" else 3)


async def test_they_go_with_their_contact(api: Client, database: Database) -> None:
    await api(CREATE, input=ADA)
    await api(ASSIGN, to=CLIENT)
    await api('mutation { deleteContact(by: {externalId: "c1"}) { __typename } }')
    async with database.read() as session:
        assert (
            await session.exec(
                select(func.count()).select_from(Assignment),
                execution_options={"any_workspace": True},
            )
        ).one() == 0
    assert (await api(CREATE, input=ADA))["contact"]["assignments"] == []


async def test_an_answer_lists_those_of_all_its_contacts_in_one_statement(api: Client) -> None:
    rows = [{"email": f"{number}@example.com"} for number in range(50)]
    await api(BULK, inputs=rows)
    for number in range(50):
        await api(ASSIGN, by={"email": f"{number}@example.com"}, to={"kind": "n", "id": number})
    documents: list[tuple[str, dict[str, Any]]] = [
        (PAGE, {}),
        ("{ contacts { nodes { ...them } edges { node { ...them } } } } " + THEM, {}),
        (
            "query ($keys: [ContactKey!]!) { contactsByKey(keys: $keys) { assignments { kind } } }",
            {"keys": [*rows, *rows]},
        ),
        (BULK, {"inputs": [*rows, {"email": "new@example.com"}]}),
        (BULK, {"inputs": rows, "policy": {"onMatch": "CONFLICT"}}),
    ]
    for document, variables in documents:
        with statements_on_assignments() as seen:
            await api(document, **variables)
        assert len(seen) == 1, document
    page = await api(PAGE)
    found = {node["email"]: targets(node) for node in page["nodes"]}
    assert found == {f"{n}@example.com": [str(n)] for n in range(50)} | {"new@example.com": []}


async def test_nothing_is_asked_where_they_are_not_selected(api: Client) -> None:
    await api(CREATE, input=ADA)
    await api(ASSIGN, to=CLIENT)
    with statements_on_assignments() as seen:
        await api("{ contacts { nodes { id email } } }")
    assert seen == []


async def test_each_mutation_of_a_document_shows_them_as_it_left_them(api: Client) -> None:
    await api(CREATE, input=ADA)
    contact = "... on ContactUpdated { contact { assignments { targetId } } }"
    answer = await api.execute(
        f"""mutation ($by: ContactKey = {{externalId: "c1"}}) {{
          first: assignContact(by: $by, to: {{kind: "client", id: 1}}) {{ {contact} }}
          second: assignContact(by: $by, to: {{kind: "client", id: 2}}) {{ {contact} }}
          third: unassignContact(by: $by, from: {{kind: "client", id: 1}}) {{ {contact} }}
        }}"""
    )
    listed = {name: targets(result["contact"]) for name, result in answer["data"].items()}
    assert listed == {"first": ["1"], "second": ["1", "2"], "third": ["2"]}


async def test_many_callers_at_once_lose_nothing_and_double_nothing(api: Client) -> None:
    await api(CREATE, input=ADA)
    calls = [api(ASSIGN, to={"kind": "client", "id": number % 8}) for number in range(32)]
    answers = await asyncio.gather(*calls)
    assert sum(len(answer["changes"]) for answer in answers) == 8
    contact = await api(CONTACT, by=BY)
    assert sorted(targets(contact)) == [str(number) for number in range(8)]
    assert contact["version"] == 9


@pytest.mark.parametrize("document", [ASSIGN, UNASSIGN])
async def test_another_workspace_and_a_reading_key_cannot(
    api: Client, stranger: Client, http: httpx.AsyncClient, database: Database, document: str
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


async def test_a_contact_alike_in_another_workspace_has_its_own(
    api: Client, stranger: Client, database: Database
) -> None:
    await api(CREATE, input=ADA)
    await stranger(CREATE, input=ADA)
    ours = (await api(ASSIGN, to=CLIENT))["contact"]
    assert (await stranger(CONTACT, by=BY))["assignments"] == []
    await stranger(ASSIGN, to=CLIENT)
    await stranger(UNASSIGN, to=CLIENT)
    assert await api(CONTACT, by=BY) == ours
    async with database.read() as session:
        found = await assignments(session, await caller_of(stranger, database), [UUID(ours["id"])])
    assert found == {}


async def test_moving_them_leaves_each_once(
    api: Client, stranger: Client, database: Database
) -> None:
    ada = (await api(CREATE, input=ADA))["contact"]
    eve = (await api(CREATE, input={"externalId": "c2", "email": "eve@example.com"}))["contact"]
    caller = await caller_of(api, database)
    await store(database, caller, ada["id"], [("client", "1"), ("client", "2")])
    await store(database, caller, eve["id"], [("client", "2"), ("client", "3")])
    kept = (await api(CONTACT, by={"id": eve["id"]}))["assignments"]
    ids = UUID(ada["id"]), UUID(eve["id"])
    async with database.write() as session:
        await move_assignments(session, await caller_of(stranger, database), *ids)
    assert targets(await api(CONTACT, by={"id": ada["id"]})) == ["1", "2"]
    async with database.write() as session:
        await move_assignments(session, caller, *ids)
    assert targets(await api(CONTACT, by={"id": ada["id"]})) == []
    moved = (await api(CONTACT, by={"id": eve["id"]}))["assignments"]
    assert [one["targetId"] for one in moved] == ["1", "2", "3"]
    assert moved[1:] == kept


def targets(contact: dict[str, Any]) -> list[str]:
    return [assignment["targetId"] for assignment in contact["assignments"]]


async def caller_of(client: Client, database: Database) -> Caller:
    return await authenticate(database, client.key)


async def store(
    database: Database, caller: Caller, contact_id: str, pairs: list[tuple[str, str]]
) -> None:
    """Assignments of one moment."""
    at = now()
    rows = [
        {
            "workspace_id": caller.workspace_id,
            "contact_id": UUID(contact_id),
            "kind": kind,
            "target_id": target_id,
            "assigned_at": at,
        }
        for kind, target_id in pairs
    ]
    async with database.write() as session:
        await session.exec(insert(Assignment), params=rows)


@contextmanager
def statements_on_assignments() -> Iterator[list[str]]:
    seen: list[str] = []

    def see(*arguments: Any) -> None:
        if "assignment" in arguments[2]:
            seen.append(arguments[2])

    event.listen(Engine, "before_cursor_execute", see)
    yield seen
    event.remove(Engine, "before_cursor_execute", see)
