"""Unsubscribing and resubscribing a contact, and that nothing else does either."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from app.database.sessions import Database
from app.tables import now
from app.workspaces.keys import Scope
from tests.conftest import client_of
from tests.support.client import Client, InProcess

ADA = {"externalId": "c1", "email": "ada@example.com"}
BY = {"externalId": "c1"}
STATE = "version updatedAt isUnsubscribed unsubscribedAt"
OUTCOME = f"""
__typename
... on ContactUpdated {{ contact {{ {STATE} }} matchedBy changes {{ path before after }} }}
... on ContactConflict {{ reasons {{ code contact {{ id }} }} }}
"""
UNSUBSCRIBE = f"mutation ($by: ContactKey!) {{ unsubscribeContact(by: $by) {{ {OUTCOME} }} }}"
RESUBSCRIBE = f"mutation ($by: ContactKey!) {{ resubscribeContact(by: $by) {{ {OUTCOME} }} }}"
CREATE = f"""
mutation ($input: ContactInput!) {{
  createContact(input: $input) {{ ... on ContactCreated {{ contact {{ {STATE} }} }} }}
}}
"""
CONTACT = f"query ($by: ContactKey!) {{ contact(by: $by) {{ id {STATE} }} }}"

NOT_FOUND = {
    "__typename": "ContactConflict",
    "reasons": [{"code": "NOT_FOUND", "contact": None}],
}
WRITES = {
    "upsert": "upsertContact(input: $input) { __typename }",
    "upsert by email": "upsertContact(input: $input, policy: {matchBy: [EMAIL]}) { __typename }",
    "upsert that conflicts": "upsertContact(input: $input, policy: {onMatch: CONFLICT}) "
    "{ __typename }",
    "bulk": "upsertContacts(inputs: [$input]) { updated }",
    "create": "createContact(input: $input) { __typename }",
    "update": 'updateContact(by: {externalId: "c1"}, input: $input) { __typename }',
}


async def test_a_contact_is_subscribed_until_it_unsubscribes(api: Client) -> None:
    created = await api(CREATE, input=ADA)
    before = now()
    answer = await api(UNSUBSCRIBE, by=BY)
    contact = answer["contact"]
    assert answer["matchedBy"] == "EXTERNAL_ID"
    assert answer["changes"] == [
        {"path": "isUnsubscribed", "before": False, "after": True},
        {"path": "unsubscribedAt", "before": None, "after": contact["unsubscribedAt"]},
    ]
    assert (contact["isUnsubscribed"], contact["version"]) == (True, 2)
    assert before <= datetime.fromisoformat(contact["unsubscribedAt"]) <= now()
    assert contact["updatedAt"] == contact["unsubscribedAt"]
    assert contact["updatedAt"] > created["contact"]["updatedAt"]
    stored = await api(CONTACT, by=BY)
    assert {name: stored[name] for name in contact} == contact


async def test_unsubscribing_again_changes_nothing(api: Client) -> None:
    await api(CREATE, input=ADA)
    first = await api(UNSUBSCRIBE, by=BY)
    again = await api(UNSUBSCRIBE, by=BY)
    assert (again["contact"], again["changes"]) == (first["contact"], [])


async def test_resubscribing_clears_both(api: Client) -> None:
    await api(CREATE, input=ADA)
    unsubscribed = await api(UNSUBSCRIBE, by=BY)
    answer = await api(RESUBSCRIBE, by={"email": "ADA@example.com"})
    assert answer["matchedBy"] == "EMAIL"
    assert answer["changes"] == [
        {"path": "isUnsubscribed", "before": True, "after": False},
        {
            "path": "unsubscribedAt",
            "before": unsubscribed["contact"]["unsubscribedAt"],
            "after": None,
        },
    ]
    contact = answer["contact"]
    assert contact["version"] == 3
    assert (contact["isUnsubscribed"], contact["unsubscribedAt"]) == (False, None)
    again = await api(RESUBSCRIBE, by=BY)
    assert (again["contact"], again["changes"]) == (contact, [])


@pytest.mark.parametrize("document", [UNSUBSCRIBE, RESUBSCRIBE])
async def test_missing_contact_is_not_found(api: Client, document: str) -> None:
    assert await api(document, by=BY) == NOT_FOUND
    assert await api.errors(document, by={"id": "c1"}) == [("INVALID_FORMAT", "by.id")]


@pytest.mark.parametrize("write", WRITES)
async def test_no_other_write_resubscribes(api: Client, write: str) -> None:
    await api(CREATE, input=ADA)
    unsubscribed = (await api(UNSUBSCRIBE, by=BY))["contact"]
    given = ADA | {"company": "Analytical Engines", "isActive": True, "tags": ["new"]}
    await api(f"mutation ($input: ContactInput!) {{ {WRITES[write]} }}", input=given)
    contact = await api(CONTACT, by=BY)
    for name in ("isUnsubscribed", "unsubscribedAt"):
        assert contact[name] == unsubscribed[name]
    assert contact["version"] == (2 if write in ("create", "upsert that conflicts") else 3)


@pytest.mark.parametrize("field", ["isUnsubscribed", "unsubscribedAt"])
async def test_no_input_has_the_field(api: Client, field: str) -> None:
    answer = await api.execute(CREATE, input=ADA | {field: None})
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert f"unknown field '{field}'" in error["message"]


async def test_concurrent_calls_make_one_change(api: Client) -> None:
    await api(CREATE, input=ADA)
    answers = await asyncio.gather(*(api(UNSUBSCRIBE, by=BY) for _ in range(16)))
    assert [len(answer["changes"]) for answer in answers].count(2) == 1
    assert {answer["contact"]["version"] for answer in answers} == {2}


@pytest.mark.parametrize("document", [UNSUBSCRIBE, RESUBSCRIBE])
async def test_another_workspace_and_a_reading_key_cannot(
    api: Client, stranger: Client, http: InProcess, database: Database, document: str
) -> None:
    await api(CREATE, input=ADA)
    if document == RESUBSCRIBE:
        await api(UNSUBSCRIBE, by=BY)
    contact = await api(CONTACT, by=BY)
    keys: list[dict[str, Any]] = [BY, {"email": ADA["email"]}, {"id": contact["id"]}]
    for by in keys:
        assert await stranger(document, by=by) == NOT_FOUND
    reader = await client_of(http, database, "ours", (Scope.CONTACTS_READ,), is_new=False)
    [error] = (await reader.execute(document, by=BY))["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert await api(CONTACT, by=BY) == contact
