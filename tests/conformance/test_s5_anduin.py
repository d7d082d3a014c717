"""S5, Anduin's contacts/upsert: by tracking id, by email only where no tracking id is given."""

from typing import Any

import pytest

from tests.conformance.calls import (
    CONTACT,
    UPDATE,
    UPSERT,
    clashes,
    created,
    emails,
    part,
    updated,
)
from tests.support.client import Client

POLICY: dict[str, Any] = {
    "fallback": "ABSENT",
    "emailOnMatch": "KEEP",
    "requireOnCreate": ["FIRST_NAME", "LAST_NAME"],
}
OUR_NAMES = {
    "trackingId": "externalId",
    "email": "email",
    "firstName": "firstName",
    "lastName": "lastName",
    "phone": "phone",
    "company": "company",
    "title": "jobTitle",
    "country": "country",
    "numberAndStreet": "addressLine1",
    "city": "city",
    "state": "state",
    "zipCode": "postcode",
    "prefix": "prefix",
    "suffix": "suffix",
    "note": "notes",
}
MARY: dict[str, Any] = {
    "externalId": "track-42",
    "email": "mary@example.com",
    "firstName": "Mary",
    "lastName": "Jackson",
    "phone": "+1 757 555 0100",
    "company": "Langley Fund",
    "jobTitle": "Partner",
    "country": "US",
    "addressLine1": "1 Research Drive",
    "city": "Hampton",
    "state": "VA",
    "postcode": "23666",
    "prefix": "Dr.",
    "suffix": "PhD",
    "notes": "Prefers email",
}
LEAST = ("externalId", "email", "firstName", "lastName")
OPTIONAL = [name for name in MARY if name not in LEAST]
REPLACEABLE = [name for name in MARY if name not in ("externalId", "email")]
DOROTHY = {
    "externalId": "track-43",
    "email": "dorothy@example.com",
    "firstName": "Dorothy",
    "lastName": "Vaughan",
}

ASSIGN = """
mutation ($by: ContactKey!, $to: AssigneeInput!) {
  assignContact(by: $by, to: $to) { __typename }
}
"""
UNASSIGN = """
mutation ($by: ContactKey!, $from: AssigneeInput!) {
  unassignContact(by: $by, from: $from) { __typename }
}
"""
BULK = """
mutation ($inputs: [ContactInput!]!, $policy: UpsertPolicy) {
  upsertContacts(inputs: $inputs, policy: $policy) { rows { result { __typename } } }
}
"""
CLIENT = {"kind": "client", "targetId": "c-7"}
ENTITY = {"kind": "investment_entity", "targetId": "ie-9"}


async def create(api: Client, given: dict[str, Any] = MARY) -> Any:
    return await created(api, UPSERT, input=given, policy=POLICY)


async def upsert(api: Client, given: dict[str, Any]) -> Any:
    return await updated(api, UPSERT, input=given, policy=POLICY)


async def errors(api: Client, given: dict[str, Any]) -> list[tuple[str, str]]:
    return await api.errors(UPSERT, input=given, policy=POLICY)


def without(name: str, given: dict[str, Any] = MARY) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}


async def test_every_field_of_the_system_maps_to_a_field(api: Client) -> None:
    assert list(OUR_NAMES.values()) == list(MARY)
    contact = await create(api)
    assert part(contact, MARY) == MARY


async def test_created_where_none_matches_and_updated_otherwise(api: Client) -> None:
    results = [
        (await api(UPSERT, input=given, policy=POLICY))["__typename"]
        for given in (MARY, MARY, MARY | {"city": "Newport News"}, DOROTHY)
    ]
    assert results == ["ContactCreated", "ContactUpdated", "ContactUpdated", "ContactCreated"]


async def test_the_response_has_the_full_contact_in_both_cases(api: Client) -> None:
    contact = await create(api)
    assert contact == await api(CONTACT, by={"externalId": "track-42"})
    answer = await upsert(api, {"externalId": "track-42", "city": "Newport News"})
    assert answer["contact"] == await api(CONTACT, by={"externalId": "track-42"})
    assert part(answer["contact"], MARY) == MARY | {"city": "Newport News"}


async def test_the_same_payload_twice_ends_in_the_same_state(api: Client) -> None:
    before = await create(api)
    answer = await upsert(api, MARY)
    assert (answer["contact"], answer["changes"]) == (before, [])


async def test_a_tracking_id_that_matches_updates_that_contact(api: Client) -> None:
    contact = await create(api)
    await create(api, DOROTHY)
    answer = await upsert(api, {"externalId": "track-42", "company": "Langley"})
    assert (answer["matchedBy"], answer["contact"]["id"]) == ("EXTERNAL_ID", contact["id"])


async def test_tracking_id_without_a_contact_creates_with_that_tracking_id(
    api: Client,
) -> None:
    await create(api)
    contact = await create(api, DOROTHY)
    assert contact["externalId"] == "track-43"
    assert await emails(api) == ["dorothy@example.com", "mary@example.com"]


async def test_without_a_tracking_id_the_email_matches_in_any_case(api: Client) -> None:
    contact = await create(api)
    for email in ("mary@example.com", "MARY@Example.COM"):
        answer = await upsert(api, {"email": email, "firstName": "M."})
        assert (answer["matchedBy"], answer["contact"]["id"]) == ("EMAIL", contact["id"])
        assert answer["contact"]["email"] == "mary@example.com"


async def test_null_tracking_id_counts_as_omitted(api: Client) -> None:
    contact = await create(api, without("externalId"))
    answer = await upsert(api, {"externalId": None, "email": "mary@example.com", "city": "Here"})
    assert (answer["matchedBy"], answer["contact"]["id"]) == ("EMAIL", contact["id"])


async def test_without_a_tracking_id_an_email_without_a_contact_creates(api: Client) -> None:
    await create(api)
    contact = await create(api, without("externalId", DOROTHY))
    assert contact["externalId"] is None


async def test_with_neither_the_request_is_rejected(api: Client) -> None:
    given = {"firstName": "Mary", "lastName": "Jackson"}
    assert await errors(api, given) == [("REQUIRED", "externalId"), ("REQUIRED", "email")]
    assert await emails(api) == []


async def test_with_both_only_the_tracking_id_locates_the_contact(api: Client) -> None:
    mary, dorothy = await create(api), await create(api, DOROTHY)
    given = {"externalId": "track-42", "email": DOROTHY["email"], "company": "Langley"}
    answer = await upsert(api, given)
    assert (answer["matchedBy"], answer["contact"]["id"]) == ("EXTERNAL_ID", mary["id"])
    assert await api(CONTACT, by={"externalId": "track-43"}) == dorothy


async def test_differs_email_that_is_not_the_contacts_is_a_warning(api: Client) -> None:
    await create(api)
    given = {"externalId": "track-42", "email": "mary.jackson@example.com", "company": "Langley"}
    answer = await upsert(api, given)
    assert answer["warnings"] == [{"code": "EMAIL_KEPT", "field": "email"}]
    assert answer["contact"]["company"] == "Langley"


async def test_differs_a_new_tracking_id_with_the_email_of_another_is_a_conflict(
    api: Client,
) -> None:
    await create(api)
    given = DOROTHY | {"email": "Mary@example.com"}
    found = await clashes(api, UPSERT, input=given, policy=POLICY)
    assert found == [("IDENTIFIER_TAKEN", "EMAIL")]
    assert await emails(api) == ["mary@example.com"]


async def test_creating_needs_an_email(api: Client) -> None:
    assert await errors(api, without("email")) == [("REQUIRED", "email")]
    assert await errors(api, MARY | {"email": None}) == [("INVALID_FORMAT", "email")]


async def test_an_upsert_never_changes_an_email(api: Client) -> None:
    await create(api)
    answer = await upsert(api, {"externalId": "track-42", "email": "mary.jackson@example.com"})
    assert (answer["contact"]["email"], answer["changes"]) == ("mary@example.com", [])
    assert await api(CONTACT, by={"email": "mary.jackson@example.com"}) is None


async def test_the_regular_update_changes_an_email(api: Client) -> None:
    await create(api)
    given = {"email": "mary.jackson@example.com"}
    answer = await updated(api, UPDATE, by={"externalId": "track-42"}, input=given)
    assert answer["contact"]["email"] == "mary.jackson@example.com"


async def test_creating_needs_both_names(api: Client) -> None:
    for name in ("firstName", "lastName"):
        for given in (without(name), MARY | {name: None}, MARY | {name: " "}):
            assert await errors(api, given) == [("REQUIRED", name)]
    least = {name: MARY[name] for name in ("externalId", "email")}
    assert await errors(api, least) == [("REQUIRED", "firstName"), ("REQUIRED", "lastName")]
    assert await emails(api) == []


async def test_updating_needs_neither_name(api: Client) -> None:
    await create(api)
    answer = await upsert(api, {"externalId": "track-42", "city": "Newport News"})
    assert part(answer["contact"], ["firstName", "lastName"]) == {
        "firstName": "Mary",
        "lastName": "Jackson",
    }


async def test_each_other_field_is_optional_on_create(api: Client) -> None:
    for index, name in enumerate(OPTIONAL):
        given = without(name) | {"externalId": f"t-{index}", "email": f"p{index}@example.com"}
        contact = await create(api, given)
        assert part(contact, MARY) == given | {name: None}


async def test_each_field_is_replaced_if_present_and_the_omitted_stay(api: Client) -> None:
    before = await create(api)
    expected = dict(MARY)
    for name in REPLACEABLE:
        answer = await upsert(api, {"externalId": "track-42", name: "New"})
        assert answer["changes"] == [{"path": name, "before": MARY[name], "after": "New"}]
        expected[name] = "New"
        assert part(answer["contact"], MARY) == expected
    assert answer["contact"]["createdAt"] == before["createdAt"]


async def test_differs_each_optional_field_is_cleared_by_null(api: Client) -> None:
    await create(api)
    expected = dict(MARY)
    for name in OPTIONAL:
        answer = await upsert(api, {"externalId": "track-42", name: None})
        expected[name] = None
        assert part(answer["contact"], MARY) == expected


@pytest.mark.parametrize("as_bulk", [False, True], ids=["single", "bulk"])
async def test_assignments_are_not_affected_by_any_upsert(api: Client, as_bulk: bool) -> None:
    await create(api)
    for to in (CLIENT, ENTITY):
        await api(ASSIGN, by={"externalId": "track-42"}, to=to)
    held = [CLIENT, ENTITY]
    changed = MARY | {"company": "Langley", "tags": ["new"], "customFields": {"plan": "gold"}}
    for given in (MARY, changed, {"externalId": "track-42", "company": None}):
        if as_bulk:
            answer = await api(BULK, inputs=[given, given], policy=POLICY)
            assert [row["result"]["__typename"] for row in answer["rows"]] == ["ContactUpdated"] * 2
        else:
            await upsert(api, given)
        contact = await api(CONTACT, by={"externalId": "track-42"})
        assert contact["assignments"] == held


async def test_no_upsert_can_give_assignments(api: Client) -> None:
    given = MARY | {"assignments": [CLIENT]}
    answer = await api.execute(UPSERT, input=given, policy=POLICY)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert await emails(api) == []


async def test_separate_calls_assign_and_unassign(api: Client) -> None:
    await create(api)
    by = {"externalId": "track-42"}
    for to in (CLIENT, ENTITY):
        await api(ASSIGN, by=by, to=to)
    assert await emails(api, filter={"assignedTo": CLIENT}) == ["mary@example.com"]
    await api(UNASSIGN, by=by, **{"from": CLIENT})
    assert await emails(api, filter={"assignedTo": CLIENT}) == []
    contact = await api(CONTACT, by=by)
    assert contact["assignments"] == [{"kind": "investment_entity", "targetId": "ie-9"}]


async def test_a_validation_error_names_the_offending_field(api: Client) -> None:
    for name, value, code in (
        ("email", "", "INVALID_FORMAT"),
        ("externalId", "t" * 256, "TOO_LONG"),
        ("email", "mary", "INVALID_FORMAT"),
        *((name, "x" * 10_001, "TOO_LONG") for name in REPLACEABLE),
    ):
        assert await errors(api, MARY | {name: value}) == [(code, name)]
    assert await emails(api) == []


async def test_differs_an_empty_external_id_counts_as_none(api: Client) -> None:
    await api(UPSERT, input=MARY | {"externalId": ""}, policy=POLICY)
    nodes = "{ contacts { nodes { email externalId } } }"
    assert await api(nodes) == {"nodes": [{"email": MARY["email"], "externalId": None}]}


async def test_differs_several_validation_errors_are_all_named(api: Client) -> None:
    given = MARY | {"email": "mary", "postcode": "2" * 21, "firstName": "M" * 256}
    assert sorted(await errors(api, given)) == [
        ("INVALID_FORMAT", "email"),
        ("TOO_LONG", "firstName"),
        ("TOO_LONG", "postcode"),
    ]
