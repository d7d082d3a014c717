"""Merges and upserts of the same contacts at once: every identifier leads to one contact."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pkgutil import resolve_name
from random import Random
from typing import Any

import pytest

from app.contacts.decision.working_set import keys_of
from app.contacts.keys import ContactKey
from app.database.sessions import Database
from tests.support.client import Client
from tests.support.consistency import contacts, look_up_faults

CALLERS = 32
ROUNDS = 20

UPSERT = """
mutation ($input: ContactInput!) {
  upsertContact(input: $input) { __typename ... on ContactConflict { reasons { code } } }
}
"""
BULK = """
mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created } }
"""
UPDATE = """
mutation ($by: ContactKey!, $input: ContactInput!) {
  updateContact(by: $by, input: $input) { __typename }
}
"""
MERGE = """
mutation ($into: ContactKey!, $from: ContactKey!) {
  mergeContacts(into: $into, from: $from) { __typename }
}
"""
COUNT = "{ contacts { totalCount } }"
SAME_CONTACT = "BAD_USER_INPUT"


async def merge(api: Client, into: dict[str, str], away: dict[str, str]) -> str:
    """What it came to, by its type; SAME_CONTACT where the two were one already."""
    answer = await api.execute(MERGE, **{"into": into, "from": away})
    if "errors" in answer:
        [error] = answer["errors"]
        assert error["extensions"]["code"] == SAME_CONTACT, error
        return SAME_CONTACT
    return str(answer["data"]["mergeContacts"]["__typename"])


async def upsert(api: Client, **given: str) -> str:
    return str((await api(UPSERT, input=given))["__typename"])


async def holders(database: Database) -> dict[ContactKey, set[Any]]:
    """The contacts that each identifier leads to, as their own or as an alias."""
    assert await look_up_faults(database) == {}
    found: dict[ContactKey, set[Any]] = {}
    for contact in (await contacts(database)).values():
        for key in keys_of(contact):
            found.setdefault(key, set()).add(contact.id)
    return found


async def test_upserts_during_a_merge_create_no_second_contact(
    api: Client, database: Database
) -> None:
    for number in range(ROUNDS):
        stays = {"externalId": f"a{number}", "email": f"a{number}@example.com"}
        goes = {"externalId": f"b{number}", "email": f"b{number}@example.com"}
        await upsert(api, **stays)
        await upsert(api, **goes)
        upserts = [
            upsert(api, **given, company=str(caller))
            for caller in range(CALLERS // 4)
            for given in (goes, {"email": goes["email"]}, {"externalId": goes["externalId"]})
        ]
        merges = [
            merge(api, {"email": stays["email"]}, {"email": goes["email"]})
            for _ in range(CALLERS // 4)
        ]
        answers = await asyncio.gather(*merges, *upserts)
        assert Counter(answers) == {
            "ContactsMerged": 1,
            SAME_CONTACT: CALLERS // 4 - 1,
            "ContactUpdated": len(upserts),
        }
        assert (await api(COUNT))["totalCount"] == number + 1
        assert all(len(ids) == 1 for ids in (await holders(database)).values())


async def test_contacts_that_are_merged_as_they_are_created(
    api: Client, database: Database
) -> None:
    """An upsert that found nobody may meet a contact that came and was merged away meanwhile."""
    await upsert(api, email="ada@example.com")
    for number in range(ROUNDS):
        email = f"new{number}@example.com"

        async def come_and_go(email: str = email) -> str:
            await upsert(api, email=email)
            return await merge(api, {"email": "ada@example.com"}, {"email": email})

        answers = await asyncio.gather(
            *(come_and_go() for _ in range(CALLERS // 2)),
            *(upsert(api, email=email) for _ in range(CALLERS // 2)),
        )
        assert Counter(answers)["ContactsMerged"] == 1
        assert Counter(answers)["ContactCreated"] <= 1
        assert (await api(COUNT))["totalCount"] == 1
        assert all(len(ids) == 1 for ids in (await holders(database)).values())


async def test_merging_two_contacts_both_ways_at_once_merges_them_once(api: Client) -> None:
    for number in range(ROUNDS):
        keys = [{"email": f"{name}{number}@example.com"} for name in "ab"]
        for key in keys:
            await upsert(api, **key)
        ways = [(keys[caller % 2], keys[1 - caller % 2]) for caller in range(CALLERS)]
        answers = await asyncio.gather(*(merge(api, *way) for way in ways))
        assert Counter(answers) == {"ContactsMerged": 1, SAME_CONTACT: CALLERS - 1}
        assert (await api(COUNT))["totalCount"] == number + 1


async def test_every_identifier_finds_one_contact_under_concurrent_calls(
    api: Client, database: Database
) -> None:
    random = Random(7)
    names = [str(number) for number in range(6)]
    for _ in range(ROUNDS):
        calls = []
        for _ in range(CALLERS):
            one, other = random.sample(names, 2)
            email, external_id = f"{one}@example.com", f"x{one}"
            key: dict[str, str] = random.choice([{"email": email}, {"externalId": external_id}])
            match random.choice(["merge", "upsert", "both", "new email", "update"]):
                case "merge":
                    calls.append(merge(api, key, {"email": f"{other}@example.com"}))
                case "upsert":
                    calls.append(upsert(api, email=email, company=other))
                case "both":
                    calls.append(upsert(api, externalId=external_id, email=email))
                case "new email":
                    calls.append(upsert(api, externalId=external_id, email=f"{other}@example.com"))
                case "update":
                    calls.append(api(UPDATE, by=key, input={"company": other}))
        await asyncio.gather(*calls)
        assert all(len(ids) == 1 for ids in (await holders(database)).values())


only_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, name: str, happens: Callable[[], Awaitable[None]]
) -> None:
    """Lets something happen after the first call of a function. SQLite would not let it."""
    function = resolve_name(name)

    async def interrupted(*arguments: Any, **options: Any) -> Any:
        monkeypatch.undo()
        answer = await function(*arguments, **options)
        await happens()
        return answer

    monkeypatch.setattr(name, interrupted)


@only_postgresql
async def test_contact_created_and_merged_away_after_the_look_up_is_found(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, new = {"email": "ada@example.com"}, {"email": "new@example.com"}
    await upsert(api, **ada)

    async def come_and_go() -> None:
        await api(BULK, inputs=[new])  # which shares no transaction with a single upsert
        assert await merge(api, ada, new) == "ContactsMerged"

    meanwhile(monkeypatch, "app.contacts.upsert.find", come_and_go)
    assert await upsert(api, **new) == "ContactUpdated"
    assert (await api(COUNT))["totalCount"] == 1


@only_postgresql
async def test_contact_of_an_alias_may_be_merged_after_the_look_up(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob, eve = ({"email": f"{name}@example.com"} for name in ("ada", "bob", "eve"))
    for given in (ada, bob, eve):
        await upsert(api, **given)
    assert await merge(api, bob, eve) == "ContactsMerged"

    async def merge_on() -> None:
        assert await merge(api, ada, bob) == "ContactsMerged"

    meanwhile(monkeypatch, "app.contacts.change_one.find", merge_on)
    answer = await api(UPDATE, by=eve, input={"company": "Acme"})
    assert answer == {"__typename": "ContactUpdated"}
