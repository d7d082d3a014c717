"""Deleting many contacts, by their keys or by a filter."""

from typing import Any

from tests.support.client import Client

UPSERT_MANY = """
mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created } }
"""
DELETE_MANY = """
mutation ($selection: ContactSelection!, $dryRun: Boolean! = false) {
  deleteContacts(selection: $selection, dryRun: $dryRun) {
    deleted
    conflicts
    hasMore
    rows {
      index
      result {
        __typename
        ... on ContactDeleted { externalId }
        ... on ContactConflict { reasons { code } }
      }
    }
  }
}
"""
LEFT = "{ contacts(orderBy: {field: EMAIL, direction: ASC}) { nodes { email } } }"
TAGS = """
query ($first: Int! = 1000, $after: String! = "") {
  tags(first: $first, after: $after) { tag count }
}
"""


async def people(api: Client, *names: str, **fields: Any) -> None:
    inputs = [{"email": f"{name}@example.com", "externalId": name, **fields} for name in names]
    assert (await api(UPSERT_MANY, inputs=inputs))["created"] == len(names)


async def left(api: Client) -> list[str]:
    return [node["email"].partition("@")[0] for node in (await api(LEFT))["nodes"]]


async def test_keys_are_answered_one_by_one_in_order(api: Client) -> None:
    await people(api, "ada", "bob", "cy")
    keys = [
        {"email": "CY@example.com"},
        {"externalId": "nobody"},
        {"externalId": "ada"},
        {"email": "ada@example.com"},
    ]
    answer = await api(DELETE_MANY, selection={"keys": keys})
    assert (answer["deleted"], answer["conflicts"], answer["hasMore"]) == (2, 2, False)
    gone = [row["result"].get("externalId") for row in answer["rows"]]
    assert gone == ["cy", None, "ada", None]
    assert [row["index"] for row in answer["rows"]] == [0, 1, 2, 3]
    assert answer["rows"][3]["result"]["reasons"] == [{"code": "NOT_FOUND"}]
    assert await left(api) == ["bob"]


async def test_filter_deletes_the_contacts_that_meet_it(api: Client) -> None:
    await people(api, "ada", "bob", tags=["old"])
    await people(api, "cy", tags=["new"])
    selection = {"filter": {"tags": {"hasAny": ["old"]}}}
    answer = await api(DELETE_MANY, selection=selection)
    assert [row["result"]["externalId"] for row in answer["rows"]] == ["ada", "bob"]
    assert await left(api) == ["cy"]


async def test_filter_deletes_a_bounded_number_and_says_that_there_are_more(api: Client) -> None:
    await people(api, *(f"p{index:04}" for index in range(1000)), company="Acme")
    await people(api, "q", company="Acme")
    selection = {"filter": {"company": {"eq": "Acme"}}}
    first = await api(DELETE_MANY, selection=selection)
    assert (first["deleted"], first["hasMore"]) == (1000, True)
    assert await left(api) == ["q"]
    second = await api(DELETE_MANY, selection=selection)
    assert (second["deleted"], second["hasMore"]) == (1, False)


async def test_dry_run_answers_the_same_and_deletes_nothing(api: Client) -> None:
    await people(api, "ada", "bob", company="Acme")
    by_keys = {"keys": [{"externalId": "ada"}, {"externalId": "ada"}]}
    by_filter = {"filter": {"company": {"eq": "Acme"}, "email": {"startsWith": "bob"}}}
    for selection in (by_keys, by_filter):
        foretold = await api(DELETE_MANY, selection=selection, dryRun=True)
        assert await left(api) == (["ada", "bob"] if selection is by_keys else ["bob"])
        assert await api(DELETE_MANY, selection=selection) == foretold
    assert await left(api) == []


async def test_filter_without_a_condition_is_refused(api: Client) -> None:
    await people(api, "ada")
    no_condition: list[dict[str, Any]] = [{}, {"and": [{}, {"not": {}}]}]
    no_condition += [{"tags": {"hasNone": []}}, {"not": {"email": {"in": []}}}]
    no_condition += [{"or": [{}, {"email": {"eq": "nobody@example.com"}}]}, {"or": []}]
    no_condition += [{"email": {"contains": ""}}, {"not": {"company": {"startsWith": ""}}}]
    for empty in no_condition:
        errors = await api.errors(DELETE_MANY, selection={"filter": empty})
        assert errors == [("REQUIRED", "selection.filter")]
    assert await left(api) == ["ada"]


async def test_more_keys_than_the_limit_are_refused_as_a_whole(api: Client) -> None:
    await people(api, "ada")
    keys = [{"externalId": "ada"}] * 1001
    errors = await api.errors(DELETE_MANY, selection={"keys": keys})
    assert errors == [("TOO_MANY", "selection.keys")]
    assert await left(api) == ["ada"]


async def test_nothing_of_another_workspace_is_deleted(api: Client, stranger: Client) -> None:
    await people(api, "ada", company="Acme")
    by_key = await stranger(DELETE_MANY, selection={"keys": [{"externalId": "ada"}]})
    by_filter = await stranger(DELETE_MANY, selection={"filter": {"company": {"eq": "Acme"}}})
    assert (by_key["deleted"], by_filter["deleted"]) == (0, 0)
    assert await left(api) == ["ada"]


async def test_tags_are_counted_case_sensitively(api: Client, stranger: Client) -> None:
    await people(api, "ada", tags=["vip", "éclair"])
    await people(api, "bob", tags=["vip", "Vip"])
    await people(stranger, "cy", tags=["secret"])
    counts = [("Vip", 1), ("vip", 2), ("éclair", 1)]
    assert [(one["tag"], one["count"]) for one in await api(TAGS)] == counts
    [second] = await api(TAGS, first=1, after="Vip")
    assert second == {"tag": "vip", "count": 2}
    assert await api(TAGS, after="éclair") == []


async def test_tags_follow_updates_and_deletes(api: Client) -> None:
    await people(api, "ada", "bob", tags=["vip"])
    update = """
    mutation { updateContact(by: {externalId: "ada"}, input: {tags: ["new"]}) { __typename } }
    """
    await api(update)
    await api(DELETE_MANY, selection={"keys": [{"externalId": "bob"}]})
    assert await api(TAGS) == [{"tag": "new", "count": 1}]


async def test_number_of_tags_out_of_range_is_refused(api: Client) -> None:
    for first in (-1, 1001):
        assert await api.errors(TAGS, first=first) == [("OUT_OF_RANGE", "first")]
