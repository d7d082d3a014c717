"""updateContact, on both databases: one contact, named by one of its keys."""

from typing import Any

import pytest
from graphql import GraphQLInputObjectType

from app.api.graphql.schema import schema
from tests.support.client import Client

FIELDS = "id externalId email company tags customFields createdAt updatedAt version"
CREATE = f"""
mutation ($input: ContactInput!) {{
  createContact(input: $input) {{ ... on ContactCreated {{ contact {{ {FIELDS} }} }} }}
}}
"""
UPDATE = f"""
mutation (
  $by: ContactKey!, $input: ContactInput!, $ifVersion: Int, $tags: TagsMode! = REPLACE
  $customFields: ObjectMode! = MERGE, $metadata: ObjectMode! = MERGE, $dryRun: Boolean! = false
) {{
  updateContact(
    by: $by, input: $input, ifVersion: $ifVersion, tags: $tags, customFields: $customFields
    metadata: $metadata, dryRun: $dryRun
  ) {{
    __typename
    ... on ContactUpdated {{
      contact {{ {FIELDS} }} matchedBy changes {{ path before after }} warnings {{ code field }}
    }}
    ... on ContactConflict {{ reasons {{ code identifier contact {{ {FIELDS} }} }} }}
  }}
}}
"""
CONTACT = f"query ($by: ContactKey!) {{ contact(by: $by) {{ {FIELDS} }} }}"

ADA = {"externalId": "a", "email": "ada@example.com", "company": "Analytical", "tags": ["vip"]}
BOB = {"externalId": "b", "email": "bob@example.com"}
NOT_FOUND = [{"code": "NOT_FOUND", "identifier": None, "contact": None}]
NOBODY = "00000000-0000-7000-8000-000000000000"


async def two(api: Client) -> tuple[Any, Any]:
    """Ada and Bob, as they stand."""
    created = [await api(CREATE, input=one) for one in (ADA, BOB)]
    return created[0]["contact"], created[1]["contact"]


def changes(outcome: Any) -> dict[str, tuple[Any, Any]]:
    return {one["path"]: (one["before"], one["after"]) for one in outcome["changes"]}


async def test_each_key_names_the_contact(api: Client) -> None:
    ada, bob = await two(api)
    keys: list[tuple[str, dict[str, str]]] = [
        ("ID", {"id": ada["id"].upper()}),
        ("EXTERNAL_ID", {"externalId": "a"}),
        ("EXTERNAL_ID", {"externalId": " a\u00a0"}),
        ("EMAIL", {"email": "ada@example.com"}),
        ("EMAIL", {"email": " ADA@Example.com"}),
    ]
    for number, (kind, by) in enumerate(keys):
        updated = await api(UPDATE, by=by, input={"company": f"New {number}"})
        assert (updated["__typename"], updated["matchedBy"]) == ("ContactUpdated", kind)
        assert changes(updated) == {"company": (ada["company"], f"New {number}")}
        after = updated["contact"]
        assert after["updatedAt"] > ada["updatedAt"]
        assert after == ada | {
            "company": f"New {number}",
            "version": ada["version"] + 1,
            "updatedAt": after["updatedAt"],
        }
        ada = await api(CONTACT, by={"id": ada["id"]})
        assert ada == after
    assert await api(CONTACT, by={"id": bob["id"]}) == bob


@pytest.mark.parametrize("by", [{"externalId": "a"}, {"email": "ada@example.com"}])
async def test_changed_identifiers_free_the_old_ones(api: Client, by: Any) -> None:
    ada, _ = await two(api)
    given = {"externalId": "a2", "email": "Lady@Example.com"}
    updated = await api(UPDATE, by=by, input=given)
    assert changes(updated) == {
        "externalId": ("a", "a2"),
        "email": ("ada@example.com", "Lady@Example.com"),
    }
    for key in ({"externalId": "a2"}, {"email": "lady@example.com"}):
        assert (await api(CONTACT, by=key))["id"] == ada["id"]
    for key in ({"externalId": "a"}, {"email": "ada@example.com"}):
        assert await api(CONTACT, by=key) is None
    assert "contact" in await api(CREATE, input=ADA)


async def test_external_id_is_cleared_by_null(api: Client) -> None:
    await two(api)
    updated = await api(UPDATE, by={"externalId": "a"}, input={"externalId": None})
    assert changes(updated) == {"externalId": ("a", None)}
    assert await api(CONTACT, by={"externalId": "a"}) is None


async def test_omitted_is_unchanged_and_null_is_cleared(api: Client) -> None:
    await two(api)
    updated = await api(UPDATE, by={"externalId": "a"}, input={"company": None})
    assert changes(updated) == {"company": ("Analytical", None)}
    assert updated["contact"]["tags"] == ["vip"]


async def test_version_and_updated_at_are_unchanged_if_nothing_differs(api: Client) -> None:
    ada, _ = await two(api)
    for given in ({}, ADA, {"tags": ["vip", "vip "], "customFields": {}}):
        updated = await api(UPDATE, by={"externalId": "a"}, input=given)
        assert (updated["contact"], updated["changes"], updated["warnings"]) == (ada, [], [])


async def test_created_at_is_left_with_a_warning(api: Client) -> None:
    ada, _ = await two(api)
    given = {"createdAt": "2020-01-01T00:00:00Z"}
    updated = await api(UPDATE, by={"externalId": "a"}, input=given)
    assert updated["contact"] == ada
    assert updated["warnings"] == [{"code": "CREATED_AT_KEPT", "field": "createdAt"}]


async def test_identifier_of_another_contact_is_taken(api: Client) -> None:
    ada, bob = await two(api)
    both = {"externalId": "b", "email": "bob@example.com", "company": "New"}
    cases: list[tuple[dict[str, str], list[str]]] = [
        ({"externalId": "b"}, ["EXTERNAL_ID"]),
        ({"email": "BOB@example.com"}, ["EMAIL"]),
        (both, ["EMAIL", "EXTERNAL_ID"]),
    ]
    for given, expected in cases:
        conflict = await api(UPDATE, by={"id": ada["id"]}, input=given)
        assert conflict["reasons"] == [
            {"code": "IDENTIFIER_TAKEN", "identifier": identifier, "contact": bob}
            for identifier in expected
        ]
        assert await api(CONTACT, by={"id": ada["id"]}) == ada


async def test_version_lets_one_update_pass_and_stops_the_next(api: Client) -> None:
    await two(api)
    by = {"externalId": "a"}
    updated = await api(UPDATE, by=by, input={"company": "New"}, ifVersion=1)
    assert updated["contact"]["version"] == 2
    conflict = await api(UPDATE, by=by, input={"company": "Newer"}, ifVersion=1)
    assert conflict["reasons"] == [
        {"code": "VERSION_MISMATCH", "identifier": None, "contact": updated["contact"]}
    ]
    assert await api(CONTACT, by=by) == updated["contact"]


async def test_key_without_a_contact_is_not_found_and_nothing_is_created(api: Client) -> None:
    await two(api)
    given = {"externalId": "n", "email": "n@example.com"}
    keys = [{"id": NOBODY}, {"externalId": "A"}, {"externalId": "n"}, {"email": "n@example.com"}]
    for by in keys:
        for version in (None, 1):
            conflict = await api(UPDATE, by=by, input=given, ifVersion=version)
            assert conflict["reasons"] == NOT_FOUND
    assert await api(CONTACT, by={"externalId": "n"}) is None


async def test_contact_of_another_workspace_is_not_found(api: Client, stranger: Client) -> None:
    ada, _ = await two(api)
    for by in ({"id": ada["id"]}, {"externalId": "a"}, {"email": "ada@example.com"}):
        conflict = await stranger(UPDATE, by=by, input={"company": "New"})
        assert conflict["reasons"] == NOT_FOUND
    assert await api(CONTACT, by={"id": ada["id"]}) == ada


async def test_broken_rules_are_named_and_nothing_is_written(api: Client) -> None:
    ada, _ = await two(api)
    cases: list[tuple[dict[str, str], dict[str, Any], list[tuple[str, str]]]] = [
        ({"id": "a"}, {}, [("INVALID_FORMAT", "by.id")]),
        ({"externalId": "a\x00"}, {}, [("INVALID_FORMAT", "by.externalId")]),
        (
            {"email": "\x00"},
            {"email": "nobody", "company": "x" * 256},
            [("INVALID_FORMAT", "by.email"), ("INVALID_FORMAT", "email"), ("TOO_LONG", "company")],
        ),
        (
            {"externalId": "a"},
            {"email": None, "company": "x" * 256},
            [("INVALID_FORMAT", "email"), ("TOO_LONG", "company")],
        ),
    ]
    for by, given, expected in cases:
        assert await api.errors(UPDATE, by=by, input=given) == expected
    assert await api(CONTACT, by={"id": ada["id"]}) == ada


async def test_key_is_exactly_one(api: Client) -> None:
    ada, _ = await two(api)
    for by in ({}, {"externalId": None}, {"externalId": "a", "email": "ada@example.com"}):
        answer = await api.execute(UPDATE, by=by, input={"company": "New"})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
    assert await api(CONTACT, by={"externalId": "a"}) == ada


async def test_tags_custom_fields_and_metadata_follow_their_modes(api: Client) -> None:
    await two(api)
    by = {"externalId": "a"}
    await api(UPDATE, by=by, input={"customFields": {"x": {"a": 1}}, "metadata": {"x": {"a": 1}}})
    given = {
        "tags": ["new"],
        "customFields": {"x": {"b": 2}, "y": 3},
        "metadata": {"x": {"b": 2}, "y": 3},
    }
    cases = [("ADD", "REPLACE_KEYS", "MERGE"), ("REMOVE", "MERGE", "REPLACE")]
    seen = []
    for tags, custom_fields, metadata in cases:
        modes = {"tags": tags, "customFields": custom_fields, "metadata": metadata}
        seen.append(changes(await api(UPDATE, by=by, input=given, **modes)))
    assert seen == [
        {
            "tags": (["vip"], ["vip", "new"]),
            "customFields.x": ({"a": 1}, {"b": 2}),
            "customFields.y": (None, 3),
            "metadata.x": ({"a": 1}, {"a": 1, "b": 2}),
            "metadata.y": (None, 3),
        },
        {"tags": (["vip", "new"], ["vip"]), "metadata.x": ({"a": 1, "b": 2}, {"b": 2})},
    ]


async def test_dry_run_answers_the_same_and_writes_nothing(api: Client) -> None:
    ada, _ = await two(api)
    by = {"externalId": "a"}
    given = {"company": "New", "email": "lady@example.com"}
    foretold = await api(UPDATE, by=by, input=given, dryRun=True)
    assert await api(CONTACT, by=by) == ada
    told = await api(UPDATE, by=by, input=given)
    foretold["contact"]["updatedAt"] = told["contact"]["updatedAt"]
    assert told == foretold
    taken = {"email": "bob@example.com"}
    dry, real = [await api(UPDATE, by=by, input=taken, dryRun=dry) for dry in (True, False)]
    assert (dry, dry["__typename"]) == (real, "ContactConflict")


def test_modes_are_those_of_the_policy() -> None:
    mutation = schema._schema.mutation_type
    policy = schema._schema.type_map["UpsertPolicy"]
    assert mutation is not None
    assert isinstance(policy, GraphQLInputObjectType)
    for name in ("tags", "customFields", "metadata"):
        argument, member = mutation.fields["updateContact"].args[name], policy.fields[name]
        assert str(argument.type) == str(member.type)
        assert argument.default_value == member.default_value
