"""Bulk upserts: as exact as single calls."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.database.sessions import Database
from tests.conftest import client_of
from tests.support.calls import Call, calls
from tests.support.client import Client, InProcess
from tests.support.consistency import look_up_faults
from tests.support.statements import AFTER_THE_FIRST, statements

FIELDS = """
fragment Outcome on ContactCreated {
  contact { ...Contents }
  warnings { code field message }
}
fragment Change on ContactUpdated {
  contact { ...Contents }
  matchedBy
  changes { path before after }
  warnings { code field message }
}
fragment Clash on ContactConflict {
  message
  reasons { code message identifier contact { ...Contents } }
}
fragment Contents on Contact {
  externalId email company firstName isActive tags customFields version phoneE164
}
"""
SINGLE = (
    """
mutation ($input: ContactInput!, $policy: UpsertPolicy) {
  upsertContact(input: $input, policy: $policy) { __typename ...Outcome ...Change ...Clash }
}
"""
    + FIELDS
)
BULK = (
    """
mutation (
  $inputs: [ContactInput!]!
  $policy: UpsertPolicy
  $atomic: Boolean! = false
  $dryRun: Boolean! = false
) {
  upsertContacts(inputs: $inputs, policy: $policy, atomic: $atomic, dryRun: $dryRun) {
    created updated unchanged conflicts invalid withheld
    rows {
      index
      result {
        __typename
        ...Outcome
        ...Change
        ...Clash
        ... on ContactInvalid { errors { code field message } }
        ... on ContactWithheld { message failedIndex }
      }
    }
  }
}
"""
    + FIELDS
)
ALL = """
{ contacts(orderBy: {field: EMAIL}) {
  nodes { externalId email company firstName isActive tags customFields version }
} }
"""


def email(name: str, **fields: Any) -> dict[str, Any]:
    return {"email": f"{name}@example.com", **fields}


def kinds(answer: dict[str, Any]) -> list[str]:
    return [row["result"]["__typename"] for row in answer["rows"]]


async def everyone(api: Client) -> Any:
    return (await api(ALL))["nodes"]


@given(rows=st.lists(calls, min_size=1, max_size=8), policy=calls)
@settings(max_examples=25)
async def test_bulk_equals_single_calls_in_order(
    http: InProcess, database: Database, rows: list[Call], policy: Call
) -> None:
    one_by_one = await client_of(http, database, str(uuid4()))
    at_once = await client_of(http, database, str(uuid4()))
    shared = policy.variables()["policy"] | {"generateExternalId": False}
    inputs = [row.variables()["input"] for row in rows]
    singles = []
    for given_input in inputs:
        answer = await one_by_one.execute(SINGLE, input=given_input, policy=shared)
        singles.append(_as_row(answer))
    bulk = await at_once(BULK, inputs=inputs, policy=shared)
    assert [row["index"] for row in bulk["rows"]] == list(range(len(rows)))
    assert [row["result"] for row in bulk["rows"]] == singles
    assert await everyone(at_once) == await everyone(one_by_one)


def _as_row(answer: dict[str, Any]) -> dict[str, Any]:
    if "errors" in answer:
        [error] = answer["errors"]
        return {"__typename": "ContactInvalid", "errors": error["extensions"]["errors"]}
    result: dict[str, Any] = answer["data"]["upsertContact"]
    return result


async def test_counts_and_answers_in_input_order(api: Client) -> None:
    await api(BULK, inputs=[email("ada", externalId="a"), email("bob", externalId="b")])
    answer = await api(
        BULK,
        inputs=[
            email("ada", externalId="a"),
            email("ada", externalId="b"),
            {"email": "nope", "tags": [""]},
            email("ada", company="Acme"),
            email("new"),
        ],
    )
    assert kinds(answer) == [
        "ContactUpdated",
        "ContactConflict",
        "ContactInvalid",
        "ContactUpdated",
        "ContactCreated",
    ]
    counts = [answer[name] for name in ("created", "updated", "unchanged", "conflicts", "invalid")]
    assert counts == [1, 1, 1, 1, 1]
    errors = answer["rows"][2]["result"]["errors"]
    assert [(error["code"], error["field"]) for error in errors] == [
        ("INVALID_FORMAT", "email"),
        ("INVALID_FORMAT", "tags.0"),
    ]


async def test_two_rows_on_one_contact_apply_in_input_order(api: Client) -> None:
    rows = [email("ada", company="One"), email("ADA", company="Two"), email("ada", company="Three")]
    answer = await api(BULK, inputs=rows)
    assert kinds(answer) == ["ContactCreated", "ContactUpdated", "ContactUpdated"]
    versions = [row["result"]["contact"]["version"] for row in answer["rows"]]
    assert versions == [1, 2, 3]
    [contact] = await everyone(api)
    assert (contact["company"], contact["version"]) == ("Three", 3)


async def test_identifiers_move_between_contacts_within_one_call(api: Client) -> None:
    await api(BULK, inputs=[email("ada", externalId="a"), email("bob", externalId="b")])
    rows = [
        email("tmp", externalId="a"),
        email("ada", externalId="b"),
        email("bob", externalId="a"),
        email("tmp", externalId="c"),
    ]
    answer = await api(BULK, inputs=rows)
    assert answer["conflicts"] == 0
    held = {contact["externalId"]: contact["email"] for contact in await everyone(api)}
    assert held == {"a": "bob@example.com", "b": "ada@example.com", "c": "tmp@example.com"}


async def test_atomic_call_with_a_row_that_fails_writes_nothing(api: Client) -> None:
    await api(BULK, inputs=[email("ada", externalId="a")])
    rows = [email("new"), email("ada", externalId="b"), email("ada", company="Acme"), {}]
    answer = await api(BULK, inputs=rows, atomic=True)
    assert kinds(answer) == [
        "ContactWithheld",
        "ContactConflict",
        "ContactWithheld",
        "ContactInvalid",
    ]
    assert answer["rows"][0]["result"]["failedIndex"] == 1
    assert [answer[name] for name in ("created", "updated", "withheld")] == [0, 0, 2]
    [contact] = await everyone(api)
    assert (contact["externalId"], contact["version"]) == ("a", 1)


async def test_atomic_call_that_fails_shows_no_contact_that_was_never_written(api: Client) -> None:
    await api(BULK, inputs=[email("ada", externalId="a"), email("bob", externalId="b")])
    rows = [
        email("new", externalId="n"),
        email("ada", company="Acme"),
        email("new", externalId="n2"),
        email("ada", externalId="a2"),
        email("bob", externalId="b2"),
    ]
    for dry_run in (True, False):
        answer = await api(BULK, inputs=rows, atomic=True, dryRun=dry_run)
        assert kinds(answer) == ["ContactWithheld"] * 2 + ["ContactConflict"] * 3
        reasons = [reason for row in answer["rows"][2:] for reason in row["result"]["reasons"]]
        assert [reason["code"] for reason in reasons] == ["EXTERNAL_ID_MISMATCH"] * 3
        shown = [reason["contact"] and reason["contact"]["email"] for reason in reasons]
        assert shown == [None, None, "bob@example.com"]
    answer = await api(BULK, inputs=rows)
    clashes = [row["result"]["reasons"] for row in answer["rows"][2:]]
    shown = [reason["contact"]["email"] for [reason] in clashes]
    assert shown == ["new@example.com", "ada@example.com", "bob@example.com"]


async def test_atomic_call_without_a_failure_writes_all(api: Client) -> None:
    answer = await api(BULK, inputs=[email("ada"), email("bob")], atomic=True)
    assert (answer["created"], answer["withheld"]) == (2, 0)
    assert len(await everyone(api)) == 2


async def test_dry_run_answers_the_same_and_writes_nothing(api: Client) -> None:
    await api(BULK, inputs=[email("ada", externalId="a")])
    before = await everyone(api)
    rows = [email("ada", company="Acme"), email("ada", externalId="b"), email("new"), email("new")]
    atomic = await api(BULK, inputs=rows, atomic=True, dryRun=True)
    assert kinds(atomic)[1] == "ContactConflict"
    assert (atomic["created"], atomic["withheld"]) == (0, 3)
    foretold = await api(BULK, inputs=rows, dryRun=True)
    assert await everyone(api) == before
    assert await api(BULK, inputs=rows) == foretold


async def test_more_rows_than_the_limit_are_refused_as_a_whole(api: Client) -> None:
    rows = [email(f"p{index}") for index in range(1001)]
    assert await api.errors(BULK, inputs=rows) == [("TOO_MANY", "inputs")]
    assert await everyone(api) == []


async def test_no_rows_are_no_work(api: Client) -> None:
    answer = await api(BULK, inputs=[])
    assert (answer["rows"], answer["created"]) == ([], 0)


async def test_statements_do_not_grow_with_the_rows(api: Client) -> None:
    counts = []
    for number in (2, 200):
        new = [email(f"n{number}-{row}", externalId=f"n{number}-{row}") for row in range(number)]
        new[1::2] = [row | {"phone": "1", "tags": ["x"]} for row in new[1::2]]
        changed = [row | {"company": "Acme", "customFields": {"a": 1}} for row in new]
        mixed = [*changed, *(email(f"m{number}-{row}") for row in range(number))]
        with statements() as seen:
            for rows in (new, new, changed, mixed):
                await api(BULK, inputs=rows)
        own = [one for one in seen if "api_key" not in one and not AFTER_THE_FIRST.search(one)]
        counts.append(len(own))
    assert counts[0] == counts[1]


async def test_bulk_of_more_rows_than_one_statement_writes_is_saved_whole(
    api: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database.sessions.ROWS_AT_ONCE", 7)
    people = [
        {"externalId": f"c{number}", "email": f"c{number}@example.com", "tags": ["a", f"t{number}"]}
        for number in range(20)
    ]
    assert (await api(BULK, inputs=people))["created"] == 20
    moved = [one | {"email": f"moved.{one['email']}", "tags": ["b"]} for one in people]
    assert (await api(BULK, inputs=moved))["updated"] == 20
    assert {one["email"] for one in await everyone(api)} == {one["email"] for one in moved}
    assert await look_up_faults(database) == {}
