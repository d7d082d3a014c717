"""S3, a CRM's REST contacts: create, search by a field, edit and delete, one call for each."""

from typing import Any

import httpx
from graphql import GraphQLInputObjectType, GraphQLObjectType, build_schema

from app.api.graphql.schema import schema
from tests.conformance.calls import (
    CONTACT,
    CONTACTS,
    CREATE,
    DELETE,
    UPDATE,
    UPSERT,
    clashes,
    created,
    emails,
    part,
    posted,
    updated,
)
from tests.support.client import Client

JOHN: dict[str, Any] = {
    "firstName": "John",
    "lastName": "Doe",
    "email": "johndoe@example.com",
    "phone": "+1234567890",
    "company": "Example Inc.",
    "jobTitle": "Sales Manager",
    "notes": "Interested in product demo",
}
JANE: dict[str, Any] = {
    "firstName": "Jane",
    "lastName": "Smith",
    "email": "janeroe@example.com",
    "phone": "0441 23456",
    "company": "Example Incorporated",
    "jobTitle": "Buyer",
    "notes": "Wants a call",
}
NOBODY = "00000000-0000-7000-8000-000000000000"


async def add(api: Client, given: dict[str, Any] = JOHN) -> Any:
    return await created(api, CREATE, input=given, require=["FIRST_NAME"])


async def test_the_example_creates_a_contact_with_an_id(api: Client) -> None:
    contact = await add(api)
    assert part(contact, JOHN) == JOHN
    assert contact == await api(CONTACT, by={"id": contact["id"]})


async def test_the_same_is_an_upsert_that_creates_only(api: Client) -> None:
    policy = {"onMatch": "CONFLICT", "requireOnCreate": ["FIRST_NAME"]}
    await created(api, UPSERT, input=JOHN, policy=policy)
    nameless = {"email": "janeroe@example.com"}
    assert await api.errors(UPSERT, input=nameless, policy=policy) == [("REQUIRED", "firstName")]


async def test_x_api_key_authenticates(api: Client, http: httpx.AsyncClient) -> None:
    contact = await add(api)
    by = {"id": contact["id"]}
    calls: list[tuple[str, dict[str, Any]]] = [
        (CREATE, {"input": JANE}),
        (CONTACTS, {}),
        (UPDATE, {"by": by, "input": JANE}),
        (DELETE, {"by": by}),
    ]
    for document, variables in calls:
        assert (await posted(http, {}, document, **variables)).status_code == 401
    assert await api(CONTACT, by=by) == contact


async def test_first_name_and_email_are_required(api: Client) -> None:
    for name in ("firstName", "email"):
        without = {key: value for key, value in JOHN.items() if key != name}
        errors = await api.errors(CREATE, input=without, require=["FIRST_NAME"])
        assert ("REQUIRED", name) in errors


async def test_an_empty_first_name_is_none(api: Client) -> None:
    empty = JOHN | {"firstName": " "}
    errors = await api.errors(CREATE, input=empty, require=["FIRST_NAME"])
    assert errors == [("REQUIRED", "firstName")]


async def test_each_other_field_may_be_left_out(api: Client) -> None:
    for name in ("lastName", "company", "phone", "jobTitle", "notes"):
        given = JOHN | {"email": f"{name}@example.com"}
        del given[name]
        assert part(await add(api, given), JOHN) == given | {name: None}


async def test_differs_phone_is_a_text_and_a_number_is_refused(api: Client) -> None:
    contact = await add(api, JANE)
    assert contact["phone"] == "0441 23456"  # a number would have lost its first digit
    answer = await api.execute(CREATE, input=JOHN | {"phone": 1234567890})
    extensions = answer["errors"][0]["extensions"]
    assert extensions["code"] == "BAD_USER_INPUT"
    assert extensions["errors"][0]["field"] == "phone"
    assert await emails(api) == [JANE["email"]]


async def test_differs_phone_has_its_dialable_form_beside_it(api: Client) -> None:
    contact = await add(api, JOHN | {"phone": "(202) 456-1111", "country": "US"})
    assert (contact["phone"], contact["phoneE164"]) == ("(202) 456-1111", "+12024561111")


async def test_differs_a_second_contact_with_the_same_email_is_a_conflict(api: Client) -> None:
    await add(api)
    given = JANE | {"email": "JohnDoe@example.com"}
    assert await clashes(api, CREATE, input=given) == [("ALREADY_EXISTS", "EMAIL")]


async def test_the_example_search_by_company_answers_the_ids_that_match(api: Client) -> None:
    contact = await add(api)
    await add(api, JANE)
    found = await api(CONTACTS, filter={"company": {"eq": "Example Inc."}})
    assert found["nodes"] == [{"id": contact["id"], "email": JOHN["email"]}]


async def test_each_field_can_be_searched_by(api: Client) -> None:
    await add(api)
    await add(api, JANE)
    for name in JOHN:
        for given in (JOHN, JANE):
            for condition in (
                {"eq": given[name]},
                {"in": [given[name], "nothing"]},
                {"contains": given[name][1:]},
                {"startsWith": given[name]},
            ):
                assert await emails(api, filter={name: condition}) == [given["email"]]
        assert await emails(api, filter={name: {"eq": "nothing"}}) == []


async def test_full_name_and_id_can_be_searched_by(api: Client) -> None:
    contact = await add(api, JOHN | {"name": "John Doe"})
    assert await emails(api, filter={"name": {"eq": "John Doe"}}) == [JOHN["email"]]
    assert (await api(CONTACT, by={"id": contact["id"]}))["email"] == JOHN["email"]


async def test_every_field_that_a_contact_keeps_can_be_filtered_by() -> None:
    types = build_schema(schema.as_str()).type_map
    contact, filters = types["Contact"], types["ContactFilter"]
    assert isinstance(contact, GraphQLObjectType)
    assert isinstance(filters, GraphQLInputObjectType)
    elsewhere = {
        "displayName": "made of name, firstName, lastName and email",
        "assignments": "assignedTo",
        "externalIds": "externalId, of the key's source",
        "aliases": "contact(by:)",
        "metadata": "tracking data; custom fields are those to filter by",
    }
    assert set(contact.fields) - set(filters.fields) == set(elsewhere)


async def test_a_field_that_contacts_do_not_have_is_refused(api: Client) -> None:
    for name in ("surname", "displayName"):
        answer = await api.execute(CONTACTS, filter={name: {"eq": "Doe"}})
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert name in answer["errors"][0]["message"]


async def test_one_search_goes_over_several_fields_at_once(api: Client) -> None:
    await add(api)
    await add(api, JANE)
    assert await emails(api, search="example inc") == [JANE["email"], JOHN["email"]]
    for term in ("johndoe@", "JOHN DOE", "Inc.", "1234567890"):
        assert await emails(api, search=term) == [JOHN["email"]]


async def test_the_example_edit_by_id_changes_email_and_phone(api: Client) -> None:
    contact = await add(api)
    given = {"email": "example@example.com", "phone": "1234567890"}
    answer = await updated(api, UPDATE, by={"id": contact["id"]}, input=given)
    assert answer["matchedBy"] == "ID"
    assert part(answer["contact"], [*JOHN, "id"]) == JOHN | given | {"id": contact["id"]}
    assert await emails(api, filter={"email": {"eq": JOHN["email"]}}) == []


async def test_the_name_can_be_edited(api: Client) -> None:
    contact = await add(api)
    answer = await updated(api, UPDATE, by={"id": contact["id"]}, input={"name": "Johnny"})
    assert answer["contact"]["name"] == "Johnny"


async def test_differs_every_field_can_be_edited(api: Client) -> None:
    contact = await add(api)
    expected = dict(JOHN)
    for name in JOHN:
        answer = await updated(api, UPDATE, by={"id": contact["id"]}, input={name: JANE[name]})
        assert answer["changes"] == [{"path": name, "before": JOHN[name], "after": JANE[name]}]
        expected[name] = JANE[name]
        assert part(answer["contact"], JOHN) == expected


async def test_differs_editing_a_missing_contact_is_a_conflict(api: Client) -> None:
    given = {"by": {"id": NOBODY}, "input": {"name": "Johnny"}}
    assert await clashes(api, UPDATE, **given) == [("NOT_FOUND", None)]


async def test_differs_an_email_that_is_taken_is_a_conflict(api: Client) -> None:
    contact = await add(api)
    await add(api, JANE)
    given = {"by": {"id": contact["id"]}, "input": {"email": JANE["email"]}}
    assert await clashes(api, UPDATE, **given) == [("IDENTIFIER_TAKEN", "EMAIL")]
    assert await emails(api) == [JANE["email"], JOHN["email"]]


async def test_deleting_by_id_removes_the_contact(api: Client) -> None:
    contact = await add(api)
    await add(api, JANE)
    answer = await api(DELETE, by={"id": contact["id"]})
    assert answer == {
        "__typename": "ContactDeleted",
        "deletedId": contact["id"],
        "externalId": None,
    }
    assert await api(CONTACT, by={"id": contact["id"]}) is None
    assert await emails(api) == [JANE["email"]]


async def test_differs_deleting_a_missing_contact_is_a_conflict(api: Client) -> None:
    contact = await add(api)
    by = {"id": contact["id"]}
    await api(DELETE, by=by)
    assert await clashes(api, DELETE, by=by) == [("NOT_FOUND", None)]


async def test_differs_without_any_identifier_the_external_id_is_named_beside_the_email(
    api: Client,
) -> None:
    errors = await api.errors(CREATE, input={"firstName": "John"}, require=["FIRST_NAME"])
    assert errors == [("REQUIRED", "externalId"), ("REQUIRED", "email")]
