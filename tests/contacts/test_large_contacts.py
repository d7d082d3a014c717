"""Contacts that are too large together are not changed together."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from app.database.sessions import Database
from app.tables import Workspace
from tests.support.client import Client
from tests.support.memory import leaving_no_contact
from tests.support.stored import add, caller_of, contact_of

LARGE = {f"key {number}": "x" * 1_000 for number in range(64)}  # 64 KB
COUNT = 70  # 9 MB, of which a mutation changes at most 8 MiB

BULK = """mutation ($inputs: [ContactInput!]!, $dryRun: Boolean!) {
    upsertContacts(inputs: $inputs, dryRun: $dryRun) { updated }
}"""
DELETE = """mutation ($selection: ContactSelection!) {
    deleteContacts(selection: $selection) { deleted hasMore }
}"""
UPDATE = """mutation ($selection: ContactSelection!, $after: String) {
    updateContacts(selection: $selection, input: {name: "Ada"}, after: $after) {
        updated hasMore endCursor
    }
}"""
UPSERT = """mutation ($input: ContactInput!) {
    upsertContact(input: $input) { ... on ContactUpdated { contact { version } } }
}"""


def emails(count: int) -> list[dict[str, Any]]:
    return [{"email": f"p{number}@example.com"} for number in range(count)]


@pytest.fixture
async def large(api: Client, database: Database) -> None:
    found = (await api("{ viewer { workspace { id } } }"))["workspace"]
    caller = caller_of(Workspace(id=UUID(found["id"]), name="ours"))
    contacts = [
        contact_of(number, email=f"p{number}@example.com", custom_fields=LARGE, meta=LARGE)
        for number in range(COUNT)
    ]
    await add(database, caller, contacts)


@pytest.mark.usefixtures("large")
async def test_bulk_over_contacts_that_are_too_large_together_is_refused(api: Client) -> None:
    rows = [one | {"name": "Ada"} for one in emails(COUNT)]
    calls: list[tuple[str, dict[str, Any]]] = [
        (BULK, {"inputs": rows, "dryRun": True}),
        (BULK, {"inputs": rows, "dryRun": False}),
        (DELETE, {"selection": {"keys": emails(COUNT)}}),
    ]
    for document, variables in calls:
        [error] = (await api.execute(document, **variables))["errors"]
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert error["extensions"]["limit"] == "STORED_CHARACTERS"
        assert "send fewer rows" in error["message"]
    assert await api(BULK, inputs=rows[:60], dryRun=False) == {"updated": 60}


@pytest.mark.usefixtures("large")
async def test_filter_changes_as_many_contacts_as_can_be_read_together(api: Client) -> None:
    selection = {"filter": {"isActive": True}}
    first = await api(UPDATE, selection=selection)
    assert (first["updated"], first["hasMore"]) == (COUNT // 2, True)
    second = await api(UPDATE, selection=selection, after=first["endCursor"])
    assert (second["updated"], second["hasMore"]) == (COUNT // 2, False)
    assert await api(DELETE, selection=selection) == {"deleted": COUNT // 2, "hasMore": True}
    assert await api(DELETE, selection=selection) == {"deleted": COUNT // 2, "hasMore": False}


@pytest.mark.usefixtures("large")
async def test_single_upserts_that_come_together_are_not_refused(api: Client) -> None:
    calls = [api(UPSERT, input=one | {"name": "Ada"}) for one in emails(COUNT)]
    answers = await asyncio.gather(*calls)
    assert answers == [{"contact": {"version": 2}}] * COUNT


async def test_mutation_writes_and_removes_a_limited_number_of_tags_and_custom_fields(
    api: Client,
) -> None:
    tags = [f"tag {number}" for number in range(100)]
    rows = [one | {"tags": tags} for one in emails(510)]  # 51,000, of which 50,000 are allowed
    for dry_run in (True, False):
        [error] = (await api.execute(BULK, inputs=rows, dryRun=dry_run))["errors"]
        assert error["extensions"]["limit"] == "INDEXED_VALUES"
        assert "send fewer rows" in error["message"]
    assert await api("{ contacts { totalCount } }") == {"totalCount": 0}
    for part in (rows[:300], rows[300:]):
        await api(BULK, inputs=part, dryRun=False)
    [error] = (await api.execute(DELETE, selection={"keys": emails(510)}))["errors"]
    assert error["extensions"]["limit"] == "INDEXED_VALUES"
    selection = {"filter": {"isActive": True}}
    assert await api(DELETE, selection=selection) == {"deleted": 255, "hasMore": True}


async def test_refused_mutation_leaves_nothing_in_memory(api: Client, large: None) -> None:
    rows = [one | {"customFields": {"a": 1}} for one in emails(COUNT)]
    with leaving_no_contact():
        [error] = (await api.execute(BULK, inputs=rows, dryRun=False))["errors"]
    assert error["extensions"]["limit"] == "STORED_CHARACTERS"
