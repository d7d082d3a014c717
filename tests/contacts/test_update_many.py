"""Updating many contacts in the same way, by their keys or by a filter."""

from typing import Any

import pytest

from app.contacts import selection
from app.contacts.limits import ASSIGNMENTS_LIMIT
from tests.contacts.test_delete_many import left, people
from tests.support.client import Client

UPDATE_MANY = """
mutation (
  $selection: ContactSelection!, $input: ContactPatch, $tags: TagsMode! = REPLACE
  $removeTags: [String!], $customFields: ObjectMode! = MERGE, $metadata: ObjectMode! = MERGE
  $assignTo: AssigneeInput, $unassignFrom: AssigneeInput
  $unsubscribe: Boolean! = false, $after: String, $dryRun: Boolean! = false
) {
  updateContacts(
    selection: $selection, input: $input, tags: $tags, removeTags: $removeTags
    customFields: $customFields, metadata: $metadata
    assignTo: $assignTo, unassignFrom: $unassignFrom, unsubscribe: $unsubscribe
    after: $after, dryRun: $dryRun
  ) {
    updated
    unchanged
    conflicts
    invalid
    hasMore
    endCursor
    rows {
      index
      result {
        __typename
        ... on ContactUpdated {
          matchedBy
          changes { path before after }
          warnings { code field }
          contact { externalId version }
        }
        ... on ContactConflict { reasons { code } }
        ... on ContactInvalid { errors { code field } }
      }
    }
  }
}
"""
STATE = """
{
  contacts(orderBy: {field: EMAIL, direction: ASC}) {
    nodes {
      externalId company notes tags customFields metadata isUnsubscribed version updatedAt
      assignments { kind targetId }
    }
  }
}
"""
DEFINE = """
mutation { defineCustomField(input: {key: "seats", type: NUMBER}) { key } }
"""
ASSIGN = """
mutation ($by: ContactKey!, $to: AssigneeInput!) {
  assignContact(by: $by, to: $to) { __typename }
}
"""
SINGLY = """
mutation (
  $by: ContactKey!, $input: ContactInput!, $from: AssigneeInput!, $to: AssigneeInput!
) {
  updateContact(by: $by, input: $input, tags: ADD, customFields: REPLACE_KEYS) { __typename }
  unassignContact(by: $by, from: $from) { __typename }
  assignContact(by: $by, to: $to) { __typename }
  unsubscribeContact(by: $by) { __typename }
}
"""
KIM, LEE = {"kind": "agent", "targetId": "kim"}, {"kind": "agent", "targetId": "lee"}
ACME = {"filter": {"company": {"eq": "Acme"}}}


async def state(api: Client) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await api(STATE))["nodes"]
    return nodes


def counts(answer: Any) -> list[int]:
    return [answer[name] for name in ("updated", "unchanged", "conflicts", "invalid")]


def results(answer: Any) -> list[Any]:
    return [row["result"] for row in answer["rows"]]


async def test_keys_are_answered_one_by_one_in_order(api: Client) -> None:
    await people(api, "ada", "bob", "cy", tags=["old"])
    keys = [
        {"email": "CY@example.com"},
        {"externalId": "nobody"},
        {"externalId": "ada"},
        {"email": "ada@example.com"},
    ]
    given = {"tags": ["new"], "notes": "Met in May."}
    answer = await api(UPDATE_MANY, selection={"keys": keys}, input=given, tags="ADD")
    assert counts(answer) == [2, 1, 1, 0]
    assert (answer["hasMore"], answer["endCursor"]) == (False, None)
    assert [row["index"] for row in answer["rows"]] == [0, 1, 2, 3]
    first, missing, _, again = results(answer)
    assert first["matchedBy"] == "EMAIL"
    assert first["contact"] == {"externalId": "cy", "version": 2}
    assert first["changes"] == [
        {"path": "notes", "before": None, "after": "Met in May."},
        {"path": "tags", "before": ["old"], "after": ["old", "new"]},
    ]
    assert missing["reasons"] == [{"code": "NOT_FOUND"}]
    assert (again["changes"], again["contact"]) == ([], {"externalId": "ada", "version": 2})
    assert [one["notes"] for one in await state(api)] == ["Met in May.", None, "Met in May."]


async def test_all_parts_are_one_change_and_the_same_call_again_changes_nothing(
    api: Client,
) -> None:
    await people(api, "ada", "bob", company="Acme", tags=["old"], customFields={"a": 1, "b": 1})
    await people(api, "cy", company="Other")
    await api(ASSIGN, by={"externalId": "ada"}, to=KIM)
    call: dict[str, Any] = {
        "selection": ACME,
        "input": {"tags": ["old"], "notes": None, "customFields": {"a": None, "c": {"d": 2}}},
        "tags": "REMOVE",
        "assignTo": LEE,
        "unassignFrom": KIM,
        "unsubscribe": True,
    }
    answer = await api(UPDATE_MANY, **call)
    assert counts(answer) == [2, 0, 0, 0]
    assert [one["contact"]["version"] for one in results(answer)] == [3, 2]
    assert [one["path"] for one in results(answer)[0]["changes"]] == [
        *("tags", "customFields.a", "customFields.c"),
        *("assignments.agent.kim", "assignments.agent.lee", "isUnsubscribed", "unsubscribedAt"),
    ]
    ada, bob, cy = after = await state(api)
    for one in (ada, bob):
        assert (one["tags"], one["isUnsubscribed"], one["assignments"]) == ([], True, [LEE])
        assert one["customFields"] == {"b": 1, "c": {"d": 2}}
    assert (cy["version"], cy["isUnsubscribed"]) == (1, False)
    again = await api(UPDATE_MANY, **call)
    assert counts(again) == [0, 2, 0, 0]
    assert await state(api) == after


async def test_one_call_adds_tags_and_removes_others(api: Client) -> None:
    await people(api, "ada", company="Acme", tags=["lead", "vip", "cold"])
    await people(api, "bob", company="Acme", tags=["customer"])
    await people(api, "cy", company="Acme", tags=[f"tag {number}" for number in range(100)])
    call = {"selection": ACME, "input": {"tags": ["customer"]}, "tags": "ADD"}
    call["removeTags"] = [" cold ", "lead", "tag 0"]
    foretold = await api(UPDATE_MANY, **call, dryRun=True)
    assert [one["version"] for one in await state(api)] == [1, 1, 1]
    answer = await api(UPDATE_MANY, **call)
    assert answer == foretold
    assert counts(answer) == [2, 1, 0, 0]
    ada, bob, cy = results(answer)
    assert ada["changes"] == [
        {"path": "tags", "before": ["lead", "vip", "cold"], "after": ["vip", "customer"]}
    ]
    assert (ada["contact"]["version"], bob["changes"]) == (2, [])
    assert len(cy["changes"][0]["after"]) == 100
    assert [len(one["tags"]) for one in await state(api)] == [2, 1, 100]
    assert counts(await api(UPDATE_MANY, **call)) == [0, 3, 0, 0]
    removed = await api(UPDATE_MANY, selection=ACME, removeTags=["customer", "vip"])
    assert counts(removed) == [3, 0, 0, 0]
    assert [len(one["tags"]) for one in await state(api)] == [0, 0, 99]


async def test_contacts_end_as_after_single_calls(api: Client, stranger: Client) -> None:
    given = {
        "company": "Initech",
        "tags": ["new", "vip"],
        "customFields": {"a": {"x": 1}, "b": None},
        "metadata": {"campaign": "may", "api_key_id": "forged"},
    }
    for client in (api, stranger):
        await people(client, "ada", tags=["vip"], customFields={"a": {"y": 2}, "b": 3})
        await people(client, "bob", company="Initech", metadata={"campaign": "april"})
        await client(ASSIGN, by={"externalId": "bob"}, to=KIM)
    keys = [{"externalId": "ada"}, {"externalId": "bob"}]
    for by in keys:
        variables = {"by": by, "input": given, "from": KIM, "to": LEE}
        assert "errors" not in await stranger.execute(SINGLY, **variables)
    answer = await api(
        UPDATE_MANY,
        **{"selection": {"keys": keys}, "input": given, "tags": "ADD", "unsubscribe": True},
        **{"customFields": "REPLACE_KEYS", "unassignFrom": KIM, "assignTo": LEE},
    )
    reserved = [{"code": "RESERVED_METADATA", "field": "metadata.api_key_id"}]
    assert [one["warnings"] for one in results(answer)] == [reserved, reserved]

    def fields(contact: dict[str, Any]) -> dict[str, Any]:
        contact["metadata"].pop("api_key_id")
        return {key: contact[key] for key in contact if key not in ("version", "updatedAt")}

    ours, theirs = await state(api), await state(stranger)
    assert list(map(fields, ours)) == list(map(fields, theirs))


async def test_contacts_beyond_the_limit_are_updated_after_the_cursor(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "SELECTION_LIMIT", 2)
    await people(api, "eve", "dan", "cy", "bob", "ada", company="Acme")
    updated: list[str] = []
    variables: dict[str, Any] = {"selection": ACME, "input": {"tags": ["seen"]}}
    for has_more in (True, True, False):
        answer = await api(UPDATE_MANY, **variables)
        assert answer["hasMore"] is has_more
        updated += [one["contact"]["externalId"] for one in results(answer)]
        variables["after"] = answer["endCursor"]
    assert updated == ["eve", "dan", "cy", "bob", "ada"]
    end = await api(UPDATE_MANY, **variables)
    assert (end["rows"], end["hasMore"], end["endCursor"]) == ([], False, None)


async def test_dry_run_answers_the_same_and_writes_nothing(api: Client) -> None:
    await people(api, "ada", "bob", company="Acme", tags=["old"])
    twice = {"keys": [{"externalId": "ada"}, {"email": "ada@example.com"}, {"externalId": "no"}]}
    for chosen, given in ((twice, {"tags": ["new"]}), (ACME, {"company": "Other"})):
        before = await state(api)
        foretold = await api(UPDATE_MANY, selection=chosen, input=given, dryRun=True)
        assert await state(api) == before
        assert await api(UPDATE_MANY, selection=chosen, input=given) == foretold
        assert await state(api) != before


async def test_search_and_filter_select_what_they_list(api: Client) -> None:
    await people(api, "ada", "adam", "bob", company="Acme")
    await people(api, "adele", company="Other")
    for chosen, names in (
        (ACME | {"search": "ADA"}, ["ada", "adam"]),
        ({"search": "adele"}, ["adele"]),
        ({"filter": {}, "search": "bob@", "keys": None}, ["bob"]),
    ):
        answer = await api(UPDATE_MANY, selection=chosen, input={"notes": "x"})
        assert [one["contact"]["externalId"] for one in results(answer)] == names
    delete = """mutation ($selection: ContactSelection!) {
      deleteContacts(selection: $selection) { deleted }
    }"""
    assert await api(delete, selection=ACME | {"search": "ada"}) == {"deleted": 2}
    assert await left(api) == ["adele", "bob"]


@pytest.mark.parametrize(
    ("variables", "errors"),
    [
        ({"selection": {"filter": {}}}, [("REQUIRED", "selection.filter")]),
        ({"selection": {}}, [("INVALID_FORMAT", "selection")]),
        ({"selection": {"keys": None, "search": None}}, [("INVALID_FORMAT", "selection")]),
        ({"selection": {"keys": [], "search": "ada"}}, [("INVALID_FORMAT", "selection")]),
        ({"selection": ACME | {"search": "ad"}}, [("OUT_OF_RANGE", "selection.search")]),
        ({"selection": {"keys": [{"id": "x"}]}}, [("INVALID_FORMAT", "selection.keys.0.id")]),
        (
            {"selection": {"keys": [{"externalId": "ada"}] * 1001}},
            [("TOO_MANY", "selection.keys")],
        ),
        ({"selection": {"keys": []}, "after": "WyJ4Il0="}, [("INVALID_FORMAT", "after")]),
        ({"selection": ACME, "after": "WyJ4Il0="}, [("INVALID_FORMAT", "after")]),
        (
            {
                "selection": ACME,
                "input": {"company": "x" * 256, "customFields": {"seats": "many"}},
                "assignTo": {"kind": "", "targetId": "1"},
                "unassignFrom": {"kind": "agent", "targetId": "x" * 256},
            },
            [
                ("TOO_LONG", "company"),
                ("INVALID_FORMAT", "assignTo.kind"),
                ("TOO_LONG", "unassignFrom.targetId"),
                ("INVALID_FORMAT", "customFields.seats"),
            ],
        ),
        (
            {"selection": ACME, "assignTo": KIM, "unassignFrom": KIM},
            [("INVALID_FORMAT", "unassignFrom")],
        ),
        (
            {"selection": ACME, "input": {"tags": ["a"]}, "removeTags": ["b"]},
            [("INVALID_FORMAT", "removeTags")],
        ),
        (
            {
                "selection": ACME,
                **{"input": {"tags": ["caf\u00e9"]}, "tags": "ADD"},
                "removeTags": ["b", "cafe\u0301 "],
            },
            [("INVALID_FORMAT", "removeTags")],
        ),
        (
            {"selection": ACME, "removeTags": ["a", "", "x" * 101]},
            [("INVALID_FORMAT", "removeTags.1"), ("TOO_LONG", "removeTags.2")],
        ),
        (
            {"selection": ACME, "removeTags": [str(number) for number in range(101)]},
            [("TOO_MANY", "removeTags")],
        ),
        (
            {"selection": ACME, "input": {"customFields": {"a": "x" * 4_096}}},
            [("TOO_LONG", "input")],
        ),
    ],
)
async def test_call_that_breaks_a_rule_is_refused_as_a_whole(
    api: Client, variables: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    await api(DEFINE)
    await people(api, "ada", company="Acme")
    assert await api.errors(UPDATE_MANY, **{"input": {"notes": "x"}} | variables) == errors
    assert [one["version"] for one in await state(api)] == [1]


async def test_contact_at_its_limits_is_invalid_and_the_others_are_updated(api: Client) -> None:
    await people(api, "ada", "bob", company="Acme")
    ada = {"keys": [{"externalId": "ada"}]}
    tags = [f"tag {number}" for number in range(100)]
    await api(UPDATE_MANY, selection=ada, input={"tags": tags})
    for number in range(ASSIGNMENTS_LIMIT):
        target = {"kind": "agent", "targetId": str(number)}
        await api(ASSIGN, by={"externalId": "ada"}, to=target)
    before = (await state(api))[0]
    call = {"selection": ACME, "input": {"tags": ["new"], "notes": "x"}, "tags": "ADD"}
    answer = await api(UPDATE_MANY, **call, assignTo=KIM, unsubscribe=True)
    assert counts(answer) == [1, 0, 0, 1]
    assert results(answer)[0]["errors"] == [
        {"code": "TOO_MANY", "field": "tags"},
        {"code": "TOO_MANY", "field": "assignTo"},
    ]
    assert (await state(api))[0] == before
    moved = {"assignTo": KIM, "unassignFrom": {"kind": "agent", "targetId": "7"}}
    assert counts(await api(UPDATE_MANY, selection=ada, **moved)) == [1, 0, 0, 0]
