"""createContact, on both databases: an upsert that never updates."""

from typing import Any
from uuid import UUID

from tests.support.client import Client

CREATE = """
mutation (
  $input: ContactInput!, $require: [RequirableField!]! = [], $generate: Boolean! = false
) {
  createContact(input: $input, requireOnCreate: $require, generateExternalId: $generate) {
    __typename
    ... on ContactCreated {
      contact { id externalId email company metadata createdAt updatedAt version }
      warnings { code field }
    }
    ... on ContactConflict { message reasons { code identifier contact { email version } } }
  }
}
"""
CONTACTS = """
{ contacts(orderBy: {direction: ASC}) {
  nodes { id externalId email company metadata createdAt updatedAt version }
} }
"""
ADA = {"externalId": "a", "email": "ada@example.com", "company": "Analytical"}
BOB = {"externalId": "b", "email": "bob@example.com"}


async def test_contact_is_created_and_stored(api: Client) -> None:
    created = await api(CREATE, input=ADA | {"createdAt": "2020-01-01T00:00:00Z"})
    assert (created["__typename"], created["warnings"]) == ("ContactCreated", [])
    contact = created["contact"]
    assert (contact["externalId"], contact["email"], contact["company"]) == tuple(ADA.values())
    assert (contact["version"], contact["createdAt"]) == (1, "2020-01-01T00:00:00Z")
    assert contact["metadata"]["created_via"] == "api_key"
    assert (await api(CONTACTS))["nodes"] == [contact]


async def test_contact_that_exists_is_a_conflict_and_nothing_is_written(api: Client) -> None:
    for one in (ADA, BOB):
        await api(CREATE, input=one)
    before = await api(CONTACTS)
    cases: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
        (ADA, [("EXTERNAL_ID", "ada@example.com"), ("EMAIL", "ada@example.com")]),
        (
            {"externalId": "a", "email": "BOB@example.com"},
            [("EXTERNAL_ID", "ada@example.com"), ("EMAIL", "bob@example.com")],
        ),
        ({"externalId": "a", "email": "new@example.com"}, [("EXTERNAL_ID", "ada@example.com")]),
        ({"externalId": "z", "email": "bob@example.com"}, [("EMAIL", "bob@example.com")]),
        ({"email": " Ada@Example.com", "company": "New"}, [("EMAIL", "ada@example.com")]),
        ({"externalId": "b"}, [("EXTERNAL_ID", "bob@example.com")]),
    ]
    for given, expected in cases:
        conflict = await api(CREATE, input=given)
        assert conflict["__typename"] == "ContactConflict"
        assert conflict["reasons"] == [
            {
                "code": "ALREADY_EXISTS",
                "identifier": identifier,
                "contact": {"email": email, "version": 1},
            }
            for identifier, email in expected
        ]
        assert await api(CONTACTS) == before


async def test_external_id_is_generated_where_asked(api: Client) -> None:
    plain = await api(CREATE, input={"email": "ada@example.com"})
    assert plain["contact"]["externalId"] is None
    generated = await api(CREATE, input={"email": "bob@example.com"}, generate=True)
    assert UUID(generated["contact"]["externalId"])
    given = await api(CREATE, input=BOB | {"email": "eve@example.com"}, generate=True)
    assert given["contact"]["externalId"] == "b"


async def test_broken_rules_are_named_and_nothing_is_written(api: Client) -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = [
        ({}, {}, [("REQUIRED", "externalId"), ("REQUIRED", "email")]),
        ({"externalId": "a"}, {}, [("REQUIRED", "email")]),
        (
            {"externalId": "a"},
            {"require": ["FIRST_NAME", "COMPANY"]},
            [("REQUIRED", "email"), ("REQUIRED", "firstName"), ("REQUIRED", "company")],
        ),
        (
            {"email": "nobody", "timezone": "Mars"},
            {},
            [("INVALID_FORMAT", "email"), ("INVALID_FORMAT", "timezone")],
        ),
    ]
    for given, options, expected in cases:
        assert await api.errors(CREATE, input=given, **options) == expected
    assert await api(CONTACTS) == {"nodes": []}


async def test_identifiers_of_another_workspace_are_free(api: Client, stranger: Client) -> None:
    await api(CREATE, input=ADA)
    assert (await stranger(CREATE, input=ADA))["__typename"] == "ContactCreated"


async def test_json_is_read_as_the_creating_call_answered_it(api: Client) -> None:
    numbers = [0.1, 1e22, -1e300, 5e-324, 2**63 - 1, -(2**63), 1.0, -0.5, 123456789012345678]
    texts = ['"', "\\", "\u2028", "é", "\U0001f600", "<a&b>", "\t", "9" * 40]
    metadata = {"numbers": numbers, "texts": texts, "deep": [{"a": [None, True, {}]}], "é": []}
    created = (await api(CREATE, input=ADA | {"metadata": metadata}))["contact"]
    [read] = (await api(CONTACTS))["nodes"]
    assert read["metadata"] == created["metadata"]
    assert repr(read["metadata"]["numbers"]) == repr(numbers)
