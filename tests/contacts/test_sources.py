"""External ids of several sources: each partner pushes the same people with ids of its own."""

import asyncio
import os
from typing import Any

import pytest

from app.database.sessions import Database
from app.workspaces.keys import Scope
from tests.conftest import client_of
from tests.support.client import Client, InProcess
from tests.support.consistency import contacts, look_up_faults

CALLERS = 16
ROWS = 125

# By rows in a call. SOURCES_PEOPLE has single calls push as many as wanted, such as 1,000.
PEOPLE = {1: int(os.environ.get("SOURCES_PEOPLE", "64")), ROWS: 1_000}

RESULT = """
__typename
... on ContactCreated { contact { externalId version } }
... on ContactUpdated { contact { externalId version } matchedBy changes { path before after } }
... on ContactConflict { reasons { code identifier contact { externalId } } }
"""
UPSERT = f"""
mutation ($input: ContactInput!, $policy: UpsertPolicy) {{
  upsertContact(input: $input, policy: $policy) {{ {RESULT} }}
}}
"""
BULK = """
mutation ($inputs: [ContactInput!]!) {
  upsertContacts(inputs: $inputs) { created updated unchanged conflicts invalid }
}
"""
CONTACT = """
query ($by: ContactKey!) {
  contact(by: $by) { email externalId externalIds { source value } }
}
"""
MERGE = """
mutation ($into: ContactKey!, $from: ContactKey!) {
  mergeContacts(into: $into, from: $from) {
    ... on ContactsMerged {
      contact { externalIds { source value } aliases { kind source value } }
      changes { path before after }
    }
  }
}
"""
REMOVE = """
mutation ($by: ContactKey!, $alias: ContactKey!) {
  removeContactAlias(by: $by, alias: $alias) {
    __typename ... on ContactUpdated { contact { aliases { value } } changes { path before after } }
  }
}
"""
ADA = {"email": "ada@example.com"}


@pytest.fixture
async def shop(api: Client, http: InProcess, database: Database) -> Client:
    """A key of the workspace `ours` whose source is `shop`; that of `api` is `default`."""
    return await client_of(http, database, "ours", tuple(Scope), is_new=False, source="shop")


async def test_the_second_partner_fills_in_its_own_id(api: Client, shop: Client) -> None:
    await api(UPSERT, input={"externalId": "crm-1", **ADA})
    assert await shop(UPSERT, input={"externalId": "s-1", **ADA}) == {
        "__typename": "ContactUpdated",
        "contact": {"externalId": "s-1", "version": 2},
        "matchedBy": "EMAIL",
        "changes": [{"path": "externalId", "before": None, "after": "s-1"}],
    }
    found = await api(CONTACT, by={"externalId": "crm-1"})
    assert found["externalId"] == "crm-1"
    assert found["externalIds"] == [
        {"source": "default", "value": "crm-1"},
        {"source": "shop", "value": "s-1"},
    ]


async def test_external_id_is_looked_up_in_the_source_of_the_key(api: Client, shop: Client) -> None:
    await api(UPSERT, input={"externalId": "1", "email": "ada@example.com"})
    await shop(UPSERT, input={"externalId": "1", "email": "bob@example.com"})
    assert (await api(CONTACT, by={"externalId": "1"}))["email"] == "ada@example.com"
    assert (await shop(CONTACT, by={"externalId": "1"}))["email"] == "bob@example.com"
    other = {"externalIdOf": {"source": "shop", "value": "1"}}
    assert (await api(CONTACT, by=other))["email"] == "bob@example.com"


@pytest.mark.parametrize("source", ["", "Shop", "a b", "-a", "x" * 51, "\x00"])
async def test_a_malformed_source_is_named(api: Client, source: str) -> None:
    by = {"externalIdOf": {"source": source, "value": "1"}}
    assert await api.errors(CONTACT, by=by) == [("INVALID_FORMAT", "by.externalIdOf.source")]


async def test_an_id_of_the_same_source_still_mismatches(api: Client, shop: Client) -> None:
    await api(UPSERT, input={"externalId": "crm-1", **ADA})
    await shop(UPSERT, input={"externalId": "s-1", **ADA})
    answer = await shop(UPSERT, input={"externalId": "s-2", **ADA})
    assert answer["reasons"] == [
        {
            "code": "EXTERNAL_ID_MISMATCH",
            "identifier": "EXTERNAL_ID",
            "contact": {"externalId": "s-1"},
        }
    ]


async def test_a_filter_knows_the_external_ids_of_the_keys_own_source(
    api: Client, shop: Client
) -> None:
    await api(UPSERT, input={"externalId": "same", "email": "ada@example.com"})
    await shop(UPSERT, input={"externalId": "same", "email": "bob@example.com"})
    document = "query ($filter: ContactFilter!) { contacts(filter: $filter) { nodes { email } } }"
    for filter_ in (
        {"externalId": {"eq": "same"}},
        {"externalId": {"in": ["same", "other"]}},
        {"externalId": {"startsWith": "sam"}},
        {"externalId": {"contains": "am"}},
        {"externalId": {"isNull": False}},
        {"not": {"externalId": {"isNull": True}}},
    ):
        for client, email in ((api, "ada@example.com"), (shop, "bob@example.com")):
            page = await client(document, filter=filter_)
            assert page["nodes"] == [{"email": email}], filter_


async def test_merging_keeps_the_ids_of_all_sources(api: Client, shop: Client) -> None:
    await api(UPSERT, input={"externalId": "crm-1", "email": "ada@example.com"})
    await shop(UPSERT, input={"externalId": "s-1", "email": "lovelace@example.com"})
    await api(UPSERT, input={"externalId": "crm-2", "email": "lovelace@example.com"})
    into, away = {"email": "ada@example.com"}, {"email": "lovelace@example.com"}
    merged = await api(MERGE, **{"into": into, "from": away})
    assert merged["contact"]["externalIds"] == [
        {"source": "default", "value": "crm-1"},
        {"source": "shop", "value": "s-1"},
    ]
    assert merged["changes"] == [{"path": "externalIds.shop", "before": None, "after": "s-1"}]
    aliases = [(one["kind"], one["source"]) for one in merged["contact"]["aliases"]]
    assert aliases == [("ID", None), ("EMAIL", None), ("EXTERNAL_ID", "default")]
    for client, external_id in ((api, "crm-1"), (api, "crm-2"), (shop, "s-1")):
        found = await client(CONTACT, by={"externalId": external_id})
        assert found["email"] == "ada@example.com"


async def test_an_alias_that_is_removed_is_free_for_others(api: Client) -> None:
    await api(UPSERT, input={"externalId": "a", "email": "ada@example.com"})
    await api(UPSERT, input={"externalId": "b", "email": "bob@example.com"})
    into, away = {"externalId": "a"}, {"externalId": "b"}
    await api(MERGE, **{"into": into, "from": away})
    answer = await api(REMOVE, by=into, alias={"email": "bob@example.com"})
    assert answer["changes"] == [
        {"path": 'aliases.email["bob@example.com"]', "before": "bob@example.com", "after": None}
    ]
    assert len(answer["contact"]["aliases"]) == 2
    again = await api(REMOVE, by=into, alias={"email": "bob@example.com"})
    assert (again["__typename"], again["changes"]) == ("ContactUpdated", [])
    own = await api(REMOVE, by=into, alias={"email": "ada@example.com"})
    assert own["changes"] == []
    created = await api(UPSERT, input={"email": "bob@example.com"})
    assert created["__typename"] == "ContactCreated"


@pytest.mark.parametrize("first", ["crm", "shop", "both"])
@pytest.mark.parametrize("size", [1, ROWS])
async def test_two_partners_push_the_same_people_at_once(
    api: Client, shop: Client, database: Database, first: str, size: int
) -> None:
    """By single calls and by bulks, from 16 callers, in either order and at the same time."""
    orders: dict[str, list[Client | None]] = {
        "crm": [api, shop],
        "shop": [shop, api],
        "both": [None],
    }
    for client in orders[first]:
        await push(api, shop, client, size)
    assert await look_up_faults(database) == {}
    found = (await contacts(database)).values()
    assert len(found) == PEOPLE[size]
    for contact in found:
        number = contact.email.partition("@")[0].removeprefix("p")
        assert contact.external_ids == {"default": f"crm-{number}", "shop": f"s-{number}"}


async def push(api: Client, shop: Client, client: Client | None, size: int) -> None:
    """What `client` pushes, or, for None, what both do at the same time."""
    pushers = [api, shop] if client is None else [client]
    queue = [(pusher, start) for start in range(0, PEOPLE[size], size) for pusher in pushers]
    batches = iter(queue)

    async def work() -> None:
        for pusher, start in batches:
            prefix = "crm" if pusher is api else "s"
            rows: list[dict[str, Any]] = [
                {"externalId": f"{prefix}-{number}", "email": f"p{number}@example.com"}
                for number in range(start, start + size)
            ]
            if size == 1:
                answer = await pusher(UPSERT, input=rows[0])
                assert answer["__typename"] in ("ContactCreated", "ContactUpdated"), answer
            else:
                answer = await pusher(BULK, inputs=rows)
                assert (answer["conflicts"], answer["invalid"]) == (0, 0)

    await asyncio.gather(*(work() for _ in range(CALLERS)))
