"""Merging two contacts: what the one that stays is made of."""

from typing import Any
from uuid import uuid4

import pytest

from app.database.sessions import Database
from app.fields.rules import TAGS_LIMIT
from app.workspaces.keys import Scope
from tests.conftest import client_of
from tests.support.client import Client
from tests.support.merging import (
    ADA,
    BOB,
    FIND,
    FROM,
    INTO,
    MERGE,
    UPSERT,
    create,
    merged,
)

DEFINE = "mutation ($input: CustomFieldInput!) { defineCustomField(input: $input) { key } }"


@pytest.mark.parametrize(("prefer", "company"), [("INTO", "Ours"), ("FROM", "Theirs")])
async def test_prefer_selects_the_value(api: Client, prefer: str, company: str) -> None:
    await create(api, **ADA, company="Ours", ordersCount=0, isActive=False)
    await create(api, **BOB, company="Theirs", ordersCount=3)
    contact = (await merged(api, prefer=prefer))["contact"]
    assert contact["company"] == company
    assert contact["ordersCount"] == (0 if prefer == "INTO" else 3)
    assert contact["isActive"] == (prefer == "FROM")


@pytest.mark.parametrize("prefer", ["INTO", "FROM"])
async def test_empty_is_filled_from_the_other(api: Client, prefer: str) -> None:
    await create(api, **ADA, company="", name="Ada")
    await create(api, **BOB, company="Acme", phone="+1 202-456-1111", name=None)
    contact = (await merged(api, prefer=prefer))["contact"]
    assert (contact["company"], contact["name"]) == ("Acme", "Ada")
    assert contact["phoneE164"] == "+12024561111"


@pytest.mark.parametrize(
    ("prefer", "ours", "theirs"),
    [
        ("INTO", {"country": "US"}, {"phone": "020 7946 0958", "country": "GB"}),
        ("FROM", {"phone": "020 7946 0958", "country": "GB"}, {"country": "US"}),
    ],
)
async def test_a_phone_number_stays_the_same_in_the_others_country(
    api: Client, prefer: str, ours: dict[str, str], theirs: dict[str, str]
) -> None:
    await create(api, **ADA, **ours)
    await create(api, **BOB, **theirs)
    contact = (await merged(api, prefer=prefer))["contact"]
    assert (contact["phone"], contact["country"]) == ("+442079460958", "US")
    assert contact["phoneE164"] == "+442079460958"


async def test_tags_custom_fields_and_metadata_are_merged(api: Client) -> None:
    ours = await create(
        api, **ADA, tags=["x", "y"], customFields={"a": 1, "b": 1}, metadata={"source": "web"}
    )
    await create(
        api, **BOB, tags=["y", "z"], customFields={"b": 2, "c": 2}, metadata={"source": "crm"}
    )
    contact = (await merged(api, prefer="FROM"))["contact"]
    assert contact["tags"] == ["x", "y", "z"]
    assert contact["customFields"] == {"a": 1, "b": 2, "c": 2}
    assert contact["metadata"] == ours["metadata"] | {"source": "crm"}


async def test_merged_custom_fields_are_found_by_ranges(api: Client) -> None:
    await create(api, **ADA, customFields={"seats": 1, "since": "2026-01-31T08:00:00Z"})
    await create(api, **BOB, customFields={"seats": 5, "score": 7})
    await merged(api, prefer="FROM")
    document = """query ($of: [CustomFieldFilter!]) {
      contacts(filter: {customFields: $of}) { totalCount }
    }"""
    for key, condition, count in (
        ("seats", {"number": {"gt": 2}}, 1),
        ("seats", {"number": {"lt": 2}}, 0),
        ("score", {"number": {"gte": 7, "lte": 7}}, 1),
        ("since", {"datetime": {"gte": "2026-01-31T09:00:00+01:00"}}, 1),
    ):
        found = await api(document, of=[{"key": key} | condition])
        assert found == {"totalCount": count}, key


async def test_server_stamps_stay_those_of_the_survivor(
    api: Client, http: Any, database: Any
) -> None:
    ours = await create(api, **ADA)
    other_key = await client_of(http, database, "ours", is_new=False)
    theirs = await create(other_key, **BOB)
    assert ours["metadata"]["api_key_id"] != theirs["metadata"]["api_key_id"]
    contact = (await merged(api, prefer="FROM"))["contact"]
    assert contact["metadata"] == ours["metadata"]


@pytest.mark.parametrize("prefer", ["INTO", "FROM"])
@pytest.mark.parametrize("who", ["a", "b"])
async def test_merge_never_resubscribes(api: Client, prefer: str, who: str) -> None:
    await create(api, **ADA)
    await create(api, **BOB)
    await api(f'mutation {{ unsubscribeContact(by: {{externalId: "{who}"}}) {{ __typename }} }}')
    since = (await api(FIND, by={"externalId": who}))["unsubscribedAt"]
    answer = await merged(api, prefer=prefer)
    assert answer["contact"]["isUnsubscribed"]
    assert answer["contact"]["unsubscribedAt"] == since
    paths = [change["path"] for change in answer["changes"]]
    assert ("isUnsubscribed" in paths) == ("unsubscribedAt" in paths) == (who == "b")


async def test_the_earlier_unsubscription_is_kept(api: Client) -> None:
    await create(api, **ADA)
    await create(api, **BOB)
    for who in ("b", "a"):
        await api(
            f'mutation {{ unsubscribeContact(by: {{externalId: "{who}"}}) {{ __typename }} }}'
        )
    since = (await api(FIND, by=FROM))["unsubscribedAt"]
    answer = await merged(api)
    assert answer["contact"]["unsubscribedAt"] == since
    assert [change["path"] for change in answer["changes"]] == ["unsubscribedAt"]


async def test_merge_is_one_change_with_its_field_changes(api: Client) -> None:
    ada = await create(api, **ADA, createdAt="2022-01-01T00:00:00Z", company="Acme")
    bob = await create(
        api, **BOB, createdAt="2021-01-01T00:00:00Z", name="Bob", customFields={"plan": "pro"}
    )
    answer = await merged(api)
    contact = answer["contact"]
    assert (contact["id"], answer["mergedId"]) == (ada["id"], bob["id"])
    assert contact["version"] == ada["version"] + 1
    assert contact["updatedAt"] > bob["updatedAt"]
    assert contact["createdAt"] == bob["createdAt"]
    assert answer["changes"] == [
        {"path": "name", "before": None, "after": "Bob"},
        {"path": "customFields.plan", "before": None, "after": "pro"},
        {"path": "createdAt", "before": ada["createdAt"], "after": bob["createdAt"]},
    ]
    assert await api(FIND, by=INTO) == contact


async def test_assignments_move_over(api: Client) -> None:
    await create(api, **ADA)
    await create(api, **BOB)
    for by, to in ((INTO, "1"), (FROM, "1"), (FROM, "2")):
        await api(
            "mutation ($by: ContactKey!, $id: ID!) "
            '{ assignContact(by: $by, to: {kind: "client", targetId: $id}) { __typename } }',
            by=by,
            id=to,
        )
    client = {"kind": "client", "targetId": "2"}
    moved = {"path": "assignments.client.2", "before": None, "after": client}
    for dry_run in (True, False):
        answer = await merged(api, dryRun=dry_run)
        told = [one for one in answer["changes"] if one["path"].startswith("assignments")]
        assert told == [moved]
    assert sorted(one["targetId"] for one in answer["contact"]["assignments"]) == ["1", "2"]


async def test_dry_run_answers_the_same_and_writes_nothing(api: Client) -> None:
    ada, bob = await create(api, **ADA), await create(api, **BOB, tags=["x"])
    preview = await merged(api, dryRun=True)
    assert [await api(FIND, by=INTO), await api(FIND, by=FROM)] == [ada, bob]
    answer = await merged(api)
    preview["contact"]["updatedAt"] = answer["contact"]["updatedAt"]
    assert preview == answer


async def test_not_found_names_the_argument(api: Client) -> None:
    await create(api, **ADA)
    answer = await api(MERGE, **{"into": INTO, "from": FROM})
    assert answer["message"] == "The contact of `from` does not exist."
    answer = await api(MERGE, **{"into": FROM, "from": {"id": str(uuid4())}})
    assert [reason["code"] for reason in answer["reasons"]] == ["NOT_FOUND", "NOT_FOUND"]
    assert (
        answer["message"]
        == "The contact of `into` does not exist. The contact of `from` does not exist."
    )


async def test_a_contact_is_not_merged_into_itself(api: Client) -> None:
    await create(api, **ADA)
    variables = {"into": INTO, "from": {"email": "ADA@example.com"}}
    assert await api.errors(MERGE, **variables) == [("INVALID_FORMAT", "from")]


async def test_merging_again_after_a_lost_answer_changes_nothing(api: Client) -> None:
    await create(api, **ADA)
    await create(api, **BOB)
    contact = (await merged(api))["contact"]
    assert await api.errors(MERGE, **{"into": INTO, "from": FROM}) == [("INVALID_FORMAT", "from")]
    assert await api(FIND, by=INTO) == contact


async def test_limits_hold_for_the_two_together(api: Client) -> None:
    ada = await create(
        api,
        **ADA,
        tags=[f"a{number}" for number in range(TAGS_LIMIT)],
        customFields={f"a{number}": 1 for number in range(60)},
        metadata={"a": "x" * 40_000},
    )
    bob = await create(
        api,
        **BOB,
        tags=["b"],
        customFields={f"b{number}": 1 for number in range(60)},
        metadata={"b": "x" * 40_000},
    )
    assert await api.errors(MERGE, **{"into": INTO, "from": FROM}) == [
        ("TOO_MANY", "tags"),
        ("TOO_MANY", "customFields"),
        ("TOO_LONG", "metadata"),
    ]
    assert [await api(FIND, by=INTO), await api(FIND, by=FROM)] == [ada, bob]


async def test_a_custom_value_moves_only_if_it_has_the_type_of_its_field(api: Client) -> None:
    ada = await create(api, **ADA, customFields={"mine": "x", "both": "x"})
    bob = await create(api, **BOB, customFields={"zip": "x", "both": "x", "seats": 1})
    for key in ("mine", "both", "zip", "seats"):
        await api(DEFINE, input={"key": key, "type": "NUMBER"})
    for dry_run in (True, False):
        errors = await api.errors(MERGE, **{"into": INTO, "from": FROM, "dryRun": dry_run})
        assert errors == [("INVALID_FORMAT", "customFields.zip")]
    assert [await api(FIND, by=INTO), await api(FIND, by=FROM)] == [ada, bob]
    await api(UPSERT, input=BOB | {"customFields": {"zip": None}})
    contact = (await merged(api))["contact"]
    assert contact["customFields"] == {"mine": "x", "both": "x", "seats": 1}


async def test_merging_needs_the_scope_to_write(http: Any, database: Database) -> None:
    reader = await client_of(http, database, "ours", (Scope.CONTACTS_READ,))
    answer = await reader.execute(MERGE, **{"into": INTO, "from": FROM})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_both_malformed_keys_are_reported(api: Client) -> None:
    keys = {"into": {"id": "x"}, "from": {"email": "a\x00b"}}
    assert await api.errors(MERGE, **keys) == [
        ("INVALID_FORMAT", "into.id"),
        ("INVALID_FORMAT", "from.email"),
    ]
