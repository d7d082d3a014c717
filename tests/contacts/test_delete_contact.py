"""deleteContact, on both databases."""

from typing import Any

from tests.support.client import Client

CREATE = """
mutation ($input: ContactInput!) {
  createContact(input: $input) { ... on ContactCreated { contact { id externalId version } } }
}
"""
DELETE = """
mutation ($by: ContactKey!, $ifVersion: Int) {
  deleteContact(by: $by, ifVersion: $ifVersion) {
    __typename
    ... on ContactDeleted { deletedId externalId }
    ... on ContactConflict { reasons { code contact { id externalId version } } }
  }
}
"""
CONTACTS = "{ contacts(orderBy: {direction: ASC}) { nodes { id externalId version } } }"

ADA = {"externalId": "a", "email": "ada@example.com"}
BOB = {"email": "bob@example.com"}
NOT_FOUND = {
    "__typename": "ContactConflict",
    "reasons": [{"code": "NOT_FOUND", "contact": None}],
}


async def two(api: Client) -> list[Any]:
    """Ada and Bob, as they stand."""
    return [(await api(CREATE, input=one))["contact"] for one in (ADA, BOB)]


async def test_each_key_deletes_its_contact_and_no_other(api: Client) -> None:
    ada, bob = await two(api)
    for by in ({"id": ada["id"]}, {"externalId": " a "}, {"email": "ADA@example.com"}):
        deleted = await api(DELETE, by=by)
        assert deleted == {
            "__typename": "ContactDeleted",
            "deletedId": ada["id"],
            "externalId": "a",
        }
        assert await api(CONTACTS) == {"nodes": [bob]}
        ada = (await api(CREATE, input=ADA))["contact"]


async def test_contact_without_external_id_is_deleted(api: Client) -> None:
    ada, bob = await two(api)
    deleted = await api(DELETE, by={"email": "bob@example.com"})
    assert deleted == {"__typename": "ContactDeleted", "deletedId": bob["id"], "externalId": None}
    assert await api(CONTACTS) == {"nodes": [ada]}


async def test_deleted_contact_is_not_found_and_its_identifiers_are_free(api: Client) -> None:
    ada, _ = await two(api)
    await api(DELETE, by={"externalId": "a"})
    for by in ({"id": ada["id"]}, {"externalId": "a"}, {"email": "ada@example.com"}):
        assert await api(DELETE, by=by) == NOT_FOUND
    again = (await api(CREATE, input=ADA))["contact"]
    assert (again["id"] != ada["id"], again["version"]) == (True, 1)


async def test_stale_version_conflicts_with_the_contact_as_it_is(api: Client) -> None:
    ada, bob = await two(api)
    conflict = await api(DELETE, by={"externalId": "a"}, ifVersion=2)
    assert conflict["reasons"] == [{"code": "VERSION_MISMATCH", "contact": ada}]
    assert await api(CONTACTS) == {"nodes": [ada, bob]}
    assert (await api(DELETE, by={"externalId": "a"}, ifVersion=1))["__typename"] == (
        "ContactDeleted"
    )


async def test_version_of_a_contact_that_is_not_there_is_not_found(api: Client) -> None:
    assert await api(DELETE, by={"externalId": "z"}, ifVersion=1) == NOT_FOUND


async def test_contact_of_another_workspace_is_not_found(api: Client, stranger: Client) -> None:
    ada, bob = await two(api)
    for by in ({"id": ada["id"]}, {"externalId": "a"}, {"email": "ada@example.com"}):
        assert await stranger(DELETE, by=by) == NOT_FOUND
    assert await api(CONTACTS) == {"nodes": [ada, bob]}


async def test_malformed_key_is_named(api: Client) -> None:
    for name, value in {"id": "a", "externalId": "\x00", "email": "\x00"}.items():
        broken = await api.errors(DELETE, by={name: value})
        assert broken == [("INVALID_FORMAT", f"by.{name}")]
