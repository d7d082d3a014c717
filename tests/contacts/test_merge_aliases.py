"""What the identifiers of merged contacts lead to, in look-ups and upserts."""

from typing import Any

import pytest

from app.database.sessions import Database
from tests.support.client import Client
from tests.support.consistency import contacts, look_up_faults
from tests.support.merging import (
    ADA,
    BOB,
    DELETE,
    FIND,
    FROM,
    INTO,
    MANY,
    MERGE,
    NODE,
    UPDATE,
    UPSERT,
    create,
    merged,
)
from tests.support.statements import statements


@pytest.mark.parametrize("prefer", ["INTO", "FROM"])
async def test_every_identifier_finds_the_survivor(api: Client, prefer: str) -> None:
    ada, bob = await create(api, **ADA), await create(api, **BOB)
    contact = (await merged(api, prefer=prefer))["contact"]
    own = ADA if prefer == "INTO" else BOB
    assert {name: contact[name] for name in own} == own
    keys = [{name: one[name]} for one in (ada, bob) for name in ("id", "externalId", "email")]
    assert await api(MANY, keys=keys) == [{"id": ada["id"]}] * 6
    assert [await api(FIND, by=key) for key in keys] == [contact] * 6
    assert await api(NODE, id=bob["id"]) == {"id": ada["id"]}


async def test_empty_fields_are_filled_from_the_other_contact(api: Client) -> None:
    await create(api, email="ada@example.com")
    await create(api, **BOB)
    contact = (await merged(api, into={"email": "ada@example.com"}))["contact"]
    assert (contact["externalId"], contact["email"]) == ("b", "ada@example.com")


async def test_chains_are_flattened(api: Client, database: Database) -> None:
    ids = [
        (await create(api, externalId=name, email=f"{name}@example.com"))["id"] for name in "abc"
    ]
    await merged(api, **{"into": {"externalId": "b"}, "from": {"externalId": "a"}})
    await merged(api, **{"into": {"externalId": "c"}, "from": {"email": "a@example.com"}})
    keys: list[dict[str, Any]] = [{"id": one} for one in ids]
    keys += [{"externalId": name} for name in "abc"]
    keys += [{"email": f"{name}@example.com"} for name in "abc"]
    assert await api(MANY, keys=keys) == [{"id": ids[2]}] * 9
    assert await look_up_faults(database) == {}
    [contact] = (await contacts(database)).values()
    assert str(contact.id) == ids[2]
    assert len(contact.aliases) == 6


@pytest.mark.parametrize("policy", [{}, {"externalIdOnMatch": "REPLACE"}, {"emailOnMatch": "KEEP"}])
@pytest.mark.parametrize("given", [BOB, {"email": "BOB@example.com"}, {"externalId": "b"}])
async def test_a_partner_goes_on_sending_the_old_identifiers(
    api: Client, given: dict[str, Any], policy: dict[str, Any]
) -> None:
    await create(api, **ADA)
    await create(api, **BOB)
    contact = (await merged(api))["contact"]
    answer = await api(UPSERT, input=given, policy=policy)
    assert answer == {
        "__typename": "ContactUpdated",
        "contact": contact,
        "matchedBy": "EXTERNAL_ID" if "externalId" in given else "EMAIL",
        "changes": [],
        "warnings": [
            {"code": code}
            for name, code in (("email", "EMAIL_KEPT"), ("externalId", "EXTERNAL_ID_KEPT"))
            if name in given
        ],
    }
    changed = await api(UPSERT, input=given | {"company": "Acme"}, policy=policy)
    assert [change["path"] for change in changed["changes"]] == ["company"]
    assert changed["contact"]["email"] == ADA["email"]


async def test_alias_and_own_identifier_may_be_given_together(api: Client) -> None:
    await create(api, **ADA)
    await create(api, **BOB)
    await merged(api)
    for given in ({"externalId": "a", "email": BOB["email"]}, {**ADA, "externalId": "b"}):
        answer = await api(UPSERT, input=given)
        assert (answer["__typename"], answer["changes"]) == ("ContactUpdated", [])


async def test_creating_with_an_alias_is_a_conflict(api: Client) -> None:
    ada, _ = await create(api, **ADA), await create(api, **BOB)
    await merged(api)
    answer = await api(UPSERT, input=BOB, policy={"onMatch": "CONFLICT"})
    held = [(reason["code"], reason["contact"]["id"]) for reason in answer["reasons"]]
    assert held == [("ALREADY_EXISTS", ada["id"])] * 2


@pytest.mark.parametrize("alias", [{"email": "bob@example.com"}, {"externalId": "b"}])
async def test_no_other_contact_takes_an_alias(api: Client, alias: dict[str, Any]) -> None:
    ada = await create(api, **ADA)
    await create(api, **BOB)
    await merged(api)
    await create(api, externalId="e", email="eve@example.com")
    answer = await api(UPDATE, by={"externalId": "e"}, input=alias)
    assert [(reason["code"], reason["contact"]["id"]) for reason in answer["reasons"]] == [
        ("IDENTIFIER_TAKEN", ada["id"])
    ]
    answer = await api(
        UPSERT,
        input={"externalId": "new", "email": "bob@example.com"},
        policy={"fallback": "ABSENT"},
    )
    assert [reason["code"] for reason in answer["reasons"]] == ["IDENTIFIER_TAKEN"]


async def test_update_by_key_makes_an_alias_an_own_identifier(api: Client) -> None:
    ada = await create(api, **ADA)
    await create(api, **BOB)
    await merged(api)
    answer = await api(UPDATE, by=FROM, input=BOB)
    contact = answer["contact"]
    assert answer["changes"] == [
        {"path": "externalId", "before": "a", "after": "b"},
        {"path": "email", "before": ADA["email"], "after": BOB["email"]},
    ]
    assert (contact["id"], contact["email"]) == (ada["id"], BOB["email"])
    # The old main values are nobody's now, and anybody's to take.
    assert await api(MANY, keys=[{"externalId": "a"}, {"email": ADA["email"]}]) == [None, None]
    again = await create(api, **ADA)
    assert again["id"] != ada["id"]


async def test_replaced_identifier_is_no_longer_an_alias(api: Client) -> None:
    await create(api, **ADA)
    await create(api, **BOB)
    await merged(api)
    await api(UPDATE, by=INTO, input=BOB)
    await api(UPDATE, by=FROM, input={"externalId": None, "email": "ada@example.org"})
    assert await api(MANY, keys=[FROM, {"email": BOB["email"]}]) == [None, None]
    await create(api, **BOB)


async def test_survivor_whose_own_identifier_was_an_alias_is_merged_away(api: Client) -> None:
    await create(api, **ADA)
    await create(api, **BOB)
    await create(api, externalId="e", email="eve@example.com")
    await merged(api)
    await api(UPDATE, by=INTO, input=BOB)
    eve = (await merged(api, **{"into": {"externalId": "e"}, "from": FROM}))["contact"]
    assert await api(MANY, keys=[FROM, {"email": BOB["email"]}]) == [{"id": eve["id"]}] * 2


async def test_deleting_the_survivor_frees_its_aliases(api: Client, database: Database) -> None:
    ada, bob = await create(api, **ADA), await create(api, **BOB)
    await merged(api)
    gone = await api(DELETE, by={"id": bob["id"]})
    assert gone == {"__typename": "ContactDeleted", "deletedId": ada["id"]}
    assert await look_up_faults(database) == {}
    assert (await create(api, **BOB))["id"] not in (ada["id"], bob["id"])


async def test_bulk_rows_match_by_aliases(api: Client) -> None:
    ada = await create(api, **ADA)
    await create(api, **BOB)
    await merged(api)
    rows = [{"externalId": "b", "company": "Acme"}, {"email": BOB["email"], "name": "Ada"}, BOB]
    answer = await api(
        "mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { "
        "updated unchanged rows { result { ... on ContactUpdated { contact { id } } } } } }",
        inputs=rows,
    )
    assert (answer["updated"], answer["unchanged"]) == (2, 1)
    assert [row["result"] for row in answer["rows"]] == [{"contact": {"id": ada["id"]}}] * 3


async def test_another_workspace_sees_no_alias(api: Client, stranger: Client) -> None:
    await create(api, **ADA)
    bob = await create(api, **BOB)
    await merged(api)
    keys = [FROM, {"email": BOB["email"]}, {"id": bob["id"]}]
    assert await stranger(MANY, keys=keys) == [None, None, None]
    await create(stranger, **BOB)
    assert (await stranger(MERGE, **{"into": INTO, "from": FROM}))["message"] == (
        "The contact of `into` does not exist."
    )


@pytest.mark.parametrize("size", [1, 20])
async def test_statements_do_not_grow_with_the_keys(api: Client, size: int) -> None:
    own, former = [], []
    for number in range(size):
        await create(api, externalId=f"a{number}", email=f"a{number}@example.com")
        await create(api, externalId=f"b{number}", email=f"b{number}@example.com")
        own.append({"externalId": f"a{number}"})
        former.append({"externalId": f"b{number}"})
        await merged(api, **{"into": own[-1], "from": former[-1]})
    for keys in (own, [*own, *former], [{"externalId": "nobody"}], former):
        with statements() as seen:
            await api(MANY, keys=keys)
        assert len([one for one in seen if "contact" in one]) == 1
