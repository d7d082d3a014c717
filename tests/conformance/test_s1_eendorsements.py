"""S1, eEndorsements partner contacts: the default policy is this system's."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.tables import now
from tests.conformance.calls import (
    CONTACT,
    UPSERT,
    clashes,
    created,
    emails,
    part,
    posted,
    updated,
)
from tests.support.client import Client

ALEX = {
    "email": "alex.johnson@example.com",
    "name": "Alex Johnson",
    "professionalId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "externalId": "cust_001",
}


async def test_the_example_request_gets_the_example_response(api: Client) -> None:
    contact = await created(api, UPSERT, input=ALEX)
    assert part(contact, ALEX) == ALEX
    assert contact == await api(CONTACT, by={"externalId": "cust_001"})


async def test_id_is_a_uuid_that_finds_the_contact(api: Client) -> None:
    contact = await created(api, UPSERT, input=ALEX)
    assert str(UUID(contact["id"])) == contact["id"]
    node = await api("query ($id: ID!) { node(id: $id) { __typename id } }", id=contact["id"])
    assert node == {"__typename": "Contact", "id": contact["id"]}


async def test_created_at_is_iso_8601_in_utc_and_the_time_of_the_call(api: Client) -> None:
    before = now()
    contact = await created(api, UPSERT, input=ALEX)
    assert contact["createdAt"].endswith("Z")
    moment = datetime.fromisoformat(contact["createdAt"])
    assert moment.tzinfo == UTC
    assert before <= moment <= now()


async def test_external_id_matches_first_and_the_email_is_updated(api: Client) -> None:
    contact = await created(api, UPSERT, input=ALEX)
    await created(api, UPSERT, input={"email": "other@example.com", "externalId": "cust_002"})
    answer = await updated(api, UPSERT, input=ALEX | {"email": "alex@example.com"})
    assert (answer["matchedBy"], answer["contact"]["id"]) == ("EXTERNAL_ID", contact["id"])
    assert answer["contact"]["email"] == "alex@example.com"


async def test_email_matches_where_no_external_id_does_and_the_external_id_is_kept_from_then_on(
    api: Client,
) -> None:
    contact = await created(api, UPSERT, input={"email": ALEX["email"]})
    answer = await updated(api, UPSERT, input=ALEX)
    assert (answer["matchedBy"], answer["contact"]["id"]) == ("EMAIL", contact["id"])
    assert part(answer["contact"], ALEX) == ALEX
    again = await updated(api, UPSERT, input=ALEX)
    assert (again["matchedBy"], again["changes"]) == ("EXTERNAL_ID", [])


async def test_email_matches_where_no_external_id_is_given(api: Client) -> None:
    await created(api, UPSERT, input=ALEX)
    answer = await updated(api, UPSERT, input={"email": ALEX["email"], "name": "Alex B. Johnson"})
    assert answer["matchedBy"] == "EMAIL"
    assert answer["contact"]["externalId"] == "cust_001"


async def test_where_neither_matches_a_new_contact_is_created(api: Client) -> None:
    first = await created(api, UPSERT, input=ALEX)
    given = {"email": "sam@example.com", "externalId": "cust_002"}
    second = await created(api, UPSERT, input=given)
    assert first["id"] != second["id"]
    assert await emails(api) == [ALEX["email"], "sam@example.com"]


async def test_x_api_key_authenticates_and_nothing_is_done_without_it(
    api: Client, http: httpx.AsyncClient
) -> None:
    refused = await posted(http, {}, UPSERT, input=ALEX)
    assert refused.status_code == 401
    assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await emails(api) == []
    answer = await posted(http, {"x-api-key": api.key}, UPSERT, input=ALEX)
    assert answer.json()["data"]["upsertContact"]["__typename"] == "ContactCreated"


async def test_a_new_contact_needs_an_email(api: Client) -> None:
    without = {name: value for name, value in ALEX.items() if name != "email"}
    assert await api.errors(UPSERT, input=without) == [("REQUIRED", "email")]
    broken = ALEX | {"email": "alex.johnson"}
    assert await api.errors(UPSERT, input=broken) == [("INVALID_FORMAT", "email")]


async def test_differs_an_update_by_external_id_needs_no_email(api: Client) -> None:
    await created(api, UPSERT, input=ALEX)
    answer = await updated(api, UPSERT, input={"externalId": "cust_001", "name": "Alex"})
    assert answer["contact"]["email"] == ALEX["email"]


@pytest.mark.parametrize("name", ["name", "professionalId", "externalId"])
async def test_each_other_field_may_be_left_out_and_is_null_then(api: Client, name: str) -> None:
    given = {key: value for key, value in ALEX.items() if key != name}
    contact = await created(api, UPSERT, input=given)
    assert contact[name] is None
    assert part(contact, given) == given


async def test_professional_id_is_a_uuid(api: Client) -> None:
    broken = ALEX | {"professionalId": "a1b2c3d4"}
    assert await api.errors(UPSERT, input=broken) == [("INVALID_FORMAT", "professionalId")]


async def test_differs_professional_id_is_stored_and_filtered_by(
    api: Client,
) -> None:
    await created(api, UPSERT, input=ALEX)
    await created(api, UPSERT, input={"email": "sam@example.com"})
    chosen = {"professionalId": {"eq": ALEX["professionalId"]}}
    assert await emails(api, filter=chosen) == [ALEX["email"]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "alex@example.com"),
        ("name", "Alex B. Johnson"),
        ("professionalId", "b1b2c3d4-e5f6-7890-abcd-ef1234567890"),
    ],
)
async def test_an_upsert_answers_the_existing_record_with_the_updated_field_applied(
    api: Client, name: str, value: str
) -> None:
    before = await created(api, UPSERT, input=ALEX)
    answer = await updated(api, UPSERT, input=ALEX | {name: value})
    assert answer["changes"] == [{"path": name, "before": ALEX[name], "after": value}]
    after = {name: value, "version": 2, "updatedAt": answer["contact"]["updatedAt"]}
    shown = {"displayName": value} if name == "name" else {}
    assert answer["contact"] == before | after | shown


async def test_the_same_call_is_safe_to_repeat(api: Client) -> None:
    before = await created(api, UPSERT, input=ALEX)
    for _ in range(3):
        answer = await updated(api, UPSERT, input=ALEX)
        assert (answer["contact"], answer["changes"]) == (before, [])
    assert await emails(api) == [ALEX["email"]]


@pytest.mark.parametrize("by", ["externalId", "email"])
async def test_created_at_stays_at_the_original_creation(api: Client, by: str) -> None:
    before = await created(api, UPSERT, input=ALEX)
    for name in ("Alex", "Alexander", "A."):
        given: dict[str, Any] = {by: ALEX[by], "name": name}
        answer = await updated(api, UPSERT, input=given)
        assert answer["contact"]["createdAt"] == before["createdAt"]
    assert answer["contact"]["updatedAt"] > before["updatedAt"]


async def test_created_at_stays_even_where_an_upsert_gives_another(api: Client) -> None:
    before = await created(api, UPSERT, input=ALEX)
    earlier = (now() - timedelta(days=1)).isoformat()
    answer = await updated(api, UPSERT, input=ALEX | {"createdAt": earlier})
    assert answer["contact"] == before
    assert answer["warnings"] == [{"code": "CREATED_AT_KEPT", "field": "createdAt"}]


async def test_differs_an_unknown_external_id_with_the_email_of_another_is_a_conflict(
    api: Client,
) -> None:
    before = await created(api, UPSERT, input=ALEX)
    given = ALEX | {"externalId": "cust_002"}
    assert await clashes(api, UPSERT, input=given) == [("EXTERNAL_ID_MISMATCH", "EXTERNAL_ID")]
    assert await api(CONTACT, by={"email": ALEX["email"]}) == before
    policy = {"externalIdOnMatch": "REPLACE"}
    answer = await updated(api, UPSERT, input=given, policy=policy)
    assert (answer["contact"]["id"], answer["contact"]["externalId"]) == (before["id"], "cust_002")


async def test_differs_an_email_that_another_contact_has_is_a_conflict(api: Client) -> None:
    await created(api, UPSERT, input=ALEX)
    await created(api, UPSERT, input={"email": "sam@example.com", "externalId": "cust_002"})
    given = {"email": "sam@example.com", "externalId": "cust_001"}
    assert await clashes(api, UPSERT, input=given) == [("IDENTIFIER_TAKEN", "EMAIL")]
