"""Merging two contacts, and what their identifiers lead to afterwards."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event
from sqlmodel import select

from app.auth import Scope
from app.database import Database
from app.fields import TAGS_LIMIT
from app.tables import ContactAlias
from tests.client import Client
from tests.conftest import client_of

CONTACT = """
fragment contact on Contact {
  id externalId email name firstName phone phoneE164 company notes tags isActive
  isUnsubscribed unsubscribedAt ordersCount customFields metadata version createdAt updatedAt
  assignments { kind targetId }
}
"""
REASONS = "... on ContactConflict { message reasons { code identifier contact { id } } }"
MERGE = (
    CONTACT
    + """
mutation ($into: ContactKey!, $from: ContactKey!, $prefer: MergePreference! = INTO,
          $dryRun: Boolean! = false) {
  mergeContacts(into: $into, from: $from, prefer: $prefer, dryRun: $dryRun) {
    __typename
    ... on ContactsMerged { contact { ...contact } mergedId changes { path before after } }
"""
    + REASONS
    + "}}"
)
UPSERT = (
    CONTACT
    + """
mutation ($input: ContactInput!, $policy: UpsertPolicy, $dryRun: Boolean! = false) {
  upsertContact(input: $input, policy: $policy, dryRun: $dryRun) {
    __typename
    ... on ContactCreated { contact { ...contact } }
    ... on ContactUpdated { contact { ...contact } matchedBy changes { path } warnings { code } }
"""
    + REASONS
    + "}}"
)
UPDATE = (
    CONTACT
    + """
mutation ($by: ContactKey!, $input: ContactInput!) {
  updateContact(by: $by, input: $input) {
    __typename
    ... on ContactUpdated { contact { ...contact } matchedBy changes { path before after } }
"""
    + REASONS
    + "}}"
)
FIND = CONTACT + "query ($by: ContactKey!) { contact(by: $by) { ...contact } }"
MANY = "query ($keys: [ContactKey!]!) { contactsByKey(keys: $keys) { id } }"
NODE = "query ($id: ID!) { node(id: $id) { id } }"
DELETE = f"""
mutation ($by: ContactKey!) {{
  deleteContact(by: $by) {{ __typename ... on ContactDeleted {{ id }} {REASONS} }}
}}
"""

ADA = {"externalId": "a", "email": "ada@example.com"}
BOB = {"externalId": "b", "email": "Bob@example.com"}
INTO = {"externalId": "a"}
FROM = {"externalId": "b"}


async def create(api: Client, **given: Any) -> Any:
    answer = await api(UPSERT, input=given)
    assert answer["__typename"] == "ContactCreated", answer
    return answer["contact"]


async def merged(api: Client, **variables: Any) -> Any:
    answer = await api(MERGE, **({"into": INTO, "from": FROM} | variables))
    assert answer["__typename"] == "ContactsMerged", answer
    return answer


@pytest.mark.parametrize(("prefer", "company"), [("INTO", "Ours"), ("FROM", "Theirs")])
async def test_prefer_says_whose_value_stands(api: Client, prefer: str, company: str) -> None:
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


async def test_tags_custom_fields_and_metadata_are_united(api: Client) -> None:
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
async def test_nobody_is_resubscribed(api: Client, prefer: str, who: str) -> None:
    await create(api, **ADA)
    await create(api, **BOB)
    await api(f'mutation {{ unsubscribeContact(by: {{externalId: "{who}"}}) {{ __typename }} }}')
    since = (await api(FIND, by={"externalId": who}))["unsubscribedAt"]
    answer = await merged(api, prefer=prefer)
    assert answer["contact"]["isUnsubscribed"]
    assert answer["contact"]["unsubscribedAt"] == since
    paths = [change["path"] for change in answer["changes"]]
    assert ("isUnsubscribed" in paths) == ("unsubscribedAt" in paths) == (who == "b")


async def test_the_earlier_unsubscribing_stands(api: Client) -> None:
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


async def test_a_merge_is_one_change_that_tells_what_it_did(api: Client) -> None:
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
            '{ assignContact(by: $by, to: {kind: "client", id: $id}) { __typename } }',
            by=by,
            id=to,
        )
    contact = (await merged(api))["contact"]
    assert sorted(one["targetId"] for one in contact["assignments"]) == ["1", "2"]


async def test_dry_run_answers_alike_and_writes_nothing(api: Client) -> None:
    ada, bob = await create(api, **ADA), await create(api, **BOB, tags=["x"])
    preview = await merged(api, dryRun=True)
    assert [await api(FIND, by=INTO), await api(FIND, by=FROM)] == [ada, bob]
    answer = await merged(api)
    preview["contact"]["updatedAt"] = answer["contact"]["updatedAt"]
    assert preview == answer


async def test_not_found_names_the_side(api: Client) -> None:
    await create(api, **ADA)
    answer = await api(MERGE, **{"into": INTO, "from": FROM})
    assert answer["message"] == "No contact was found for `from`."
    answer = await api(MERGE, **{"into": FROM, "from": {"id": str(uuid4())}})
    assert [reason["code"] for reason in answer["reasons"]] == ["NOT_FOUND", "NOT_FOUND"]
    assert answer["message"] == "No contact was found for `into`. No contact was found for `from`."


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


@pytest.mark.parametrize("prefer", ["INTO", "FROM"])
async def test_every_identifier_leads_to_the_survivor(api: Client, prefer: str) -> None:
    ada, bob = await create(api, **ADA), await create(api, **BOB)
    contact = (await merged(api, prefer=prefer))["contact"]
    own = ADA if prefer == "INTO" else BOB
    assert {name: contact[name] for name in own} == own
    keys = [{name: one[name]} for one in (ada, bob) for name in ("id", "externalId", "email")]
    assert await api(MANY, keys=keys) == [{"id": ada["id"]}] * 6
    assert [await api(FIND, by=key) for key in keys] == [contact] * 6
    assert await api(NODE, id=bob["id"]) == {"id": ada["id"]}


async def test_what_one_of_them_lacks_is_taken_from_the_other(api: Client) -> None:
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
    async with database.read() as session:
        aliases = (
            await session.exec(select(ContactAlias), execution_options={"any_workspace": True})
        ).all()
    assert {str(alias.contact_id) for alias in aliases} == {ids[2]}
    assert len(aliases) == 6


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
        "warnings": [],
    }
    changed = await api(UPSERT, input=given | {"company": "Acme"}, policy=policy)
    assert [change["path"] for change in changed["changes"]] == ["company"]
    assert changed["contact"]["email"] == ADA["email"]


async def test_old_and_own_identifiers_may_come_together(api: Client) -> None:
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


async def test_an_update_makes_an_alias_the_main_one(api: Client) -> None:
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


async def test_an_identifier_that_was_given_up_is_no_alias_any_more(api: Client) -> None:
    await create(api, **ADA)
    await create(api, **BOB)
    await merged(api)
    await api(UPDATE, by=INTO, input=BOB)
    await api(UPDATE, by=FROM, input={"externalId": None, "email": "ada@example.org"})
    assert await api(MANY, keys=[FROM, {"email": BOB["email"]}]) == [None, None]
    await create(api, **BOB)


async def test_a_survivor_with_a_main_that_was_an_alias_is_merged_away(api: Client) -> None:
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
    assert gone == {"__typename": "ContactDeleted", "id": ada["id"]}
    async with database.read() as session:
        assert (
            await session.exec(select(ContactAlias), execution_options={"any_workspace": True})
        ).all() == []
    assert (await create(api, **BOB))["id"] not in (ada["id"], bob["id"])


async def test_bulk_rows_know_aliases(api: Client) -> None:
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
        "No contact was found for `into`."
    )


async def test_merging_needs_the_scope_to_write(http: Any, database: Database) -> None:
    reader = await client_of(http, database, "ours", (Scope.CONTACTS_READ,))
    answer = await reader.execute(MERGE, **{"into": INTO, "from": FROM})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("size", [1, 20])
async def test_statements_do_not_grow_with_the_keys(api: Client, size: int) -> None:
    """One statement where every key is somebody's own, up to three where some are aliases."""
    own, former = [], []
    for number in range(size):
        await create(api, externalId=f"a{number}", email=f"a{number}@example.com")
        await create(api, externalId=f"b{number}", email=f"b{number}@example.com")
        own.append({"externalId": f"a{number}"})
        former.append({"externalId": f"b{number}"})
        await merged(api, **{"into": own[-1], "from": former[-1]})
    assert await statements(api, own) == 1
    assert await statements(api, [*own, *former]) == 2
    assert await statements(api, [{"externalId": "nobody"}]) == 2
    assert await statements(api, former) == 3


async def statements(api: Client, keys: list[dict[str, Any]]) -> int:
    """How many statements on contacts a look-up takes."""
    seen = 0

    def see(*arguments: Any) -> None:
        nonlocal seen
        seen += "FROM contact" in arguments[2]

    event.listen(Engine, "before_cursor_execute", see)
    await api(MANY, keys=keys)
    event.remove(Engine, "before_cursor_execute", see)
    return seen
