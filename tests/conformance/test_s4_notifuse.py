"""S4, Notifuse's contacts.upsert: keyed by email, with twenty typed slots and kept timestamps."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.contacts.custom_fields import CustomFieldSet, load
from app.database.sessions import Database
from app.tables import now
from app.workspaces import workspaces
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

POLICY: dict[str, Any] = {
    "matchBy": ["EMAIL"],
    "externalIdOnMatch": "REPLACE",
    "customFields": "REPLACE_KEYS",
}
SLOTS: dict[str, Any] = {
    "custom_string_1": "Premium tier",
    "custom_string_2": "<string>",
    "custom_string_3": "<string>",
    "custom_string_4": "<string>",
    "custom_string_5": "<string>",
    "custom_number_1": 42,
    "custom_number_2": 123,
    "custom_number_3": 123,
    "custom_number_4": 123,
    "custom_number_5": 123,
    "custom_datetime_1": "2023-06-01T09:00:00Z",
    "custom_datetime_2": "2023-11-07T05:31:56Z",
    "custom_datetime_3": "2023-11-07T05:31:56Z",
    "custom_datetime_4": "2023-11-07T05:31:56Z",
    "custom_datetime_5": "2023-11-07T05:31:56Z",
    "custom_json_1": {"preferences": {"theme": "dark", "notifications": True}},
    "custom_json_2": {},
    "custom_json_3": {},
    "custom_json_4": {},
    "custom_json_5": {},
}
USER: dict[str, Any] = {
    "email": "user@example.com",
    "externalId": "user_12345",
    "timezone": "America/New_York",
    "language": "en-US",
    "firstName": "John",
    "lastName": "Doe",
    "phone": "+15551234567",
    "addressLine1": "123 Main St",
    "addressLine2": "Apt 4B",
    "country": "US",
    "postcode": "10001",
    "state": "NY",
    "jobTitle": "Software Engineer",
    "lifetimeValue": 1250.5,
    "ordersCount": 5,
    "lastOrderAt": "2023-05-15T14:30:00Z",
    "customFields": SLOTS,
    "createdAt": "2023-01-15T10:30:00Z",
    "updatedAt": "2023-04-22T15:45:00Z",
}
TIMES = ("createdAt", "updatedAt")
OTHERS: dict[str, Any] = {
    "externalId": "user_99",
    "timezone": "Europe/Paris",
    "language": "fr",
    "firstName": "Jean",
    "lastName": "Dupont",
    "phone": "+33123456789",
    "addressLine1": "1 rue de la Paix",
    "addressLine2": "2e étage",
    "country": "FR",
    "postcode": "75002",
    "state": "IDF",
    "jobTitle": "Directeur",
    "lifetimeValue": 0.1,
    "ordersCount": 6,
    "lastOrderAt": "2024-05-15T14:30:00.123456Z",
}
OF_EACH_TYPE = {
    "string": "text",
    "number": 1.5,
    "datetime": "2024-02-29T23:59:59.5+05:30",
    "json": [{"a": 1}],
}
DEFINITIONS = "{ customFieldDefinitions { key type } }"


@pytest.fixture
async def api(api: Client, database: Database) -> Client:
    """With the slots defined, as `rollcall custom-field load notifuse` does."""
    async with database.read_directory() as session:
        workspace = await workspaces.find_workspace(session, "ours")
    async with database.write(workspace) as session:
        await load(session, CustomFieldSet.NOTIFUSE)
    return api


async def upsert(api: Client, given: dict[str, Any], **policy: Any) -> Any:
    return await updated(api, UPSERT, input=given, policy=POLICY | policy)


async def create(api: Client, given: dict[str, Any] = USER) -> Any:
    return await created(api, UPSERT, input=given, policy=POLICY)


def untimed(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in TIMES}


async def test_the_example_is_created_and_answered_field_by_field(api: Client) -> None:
    contact = await create(api)
    assert part(contact, USER) == USER
    assert contact == await api(CONTACT, by={"email": USER["email"]})


async def test_action_is_created_then_updated_as_members_of_the_result(api: Client) -> None:
    actions = [
        (await api(UPSERT, input=given, policy=POLICY))["__typename"]
        for given in (untimed(USER), untimed(USER), USER | {"firstName": "Jack"})
    ]
    assert actions == ["ContactCreated", "ContactUpdated", "ContactUpdated"]
    assert await emails(api) == [USER["email"]]


async def test_there_is_no_error_on_success(api: Client) -> None:
    answer = await api.execute(UPSERT, input=USER, policy=POLICY)
    assert list(answer) == ["data"]


async def test_the_token_goes_into_authorization_as_bearer(
    api: Client, http: httpx.AsyncClient
) -> None:
    variables = {"input": USER, "policy": POLICY}
    for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": api.key}):
        refused = await posted(http, headers, UPSERT, **variables)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
    assert await emails(api) == []
    answer = await posted(http, {"authorization": f"Bearer {api.key}"}, UPSERT, **variables)
    assert answer.status_code == 200
    assert answer.json()["data"]["upsertContact"]["__typename"] == "ContactCreated"


async def test_differs_the_workspace_is_that_of_the_token(api: Client, stranger: Client) -> None:
    ours = await create(api)
    theirs = await create(stranger)
    assert ours["id"] != theirs["id"]
    answer = await api.execute(UPSERT, input=USER | {"workspaceId": "ws_1234567890"})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_email_is_the_key_and_needed(api: Client) -> None:
    without = {name: value for name, value in USER.items() if name != "email"}
    assert await api.errors(UPSERT, input=without, policy=POLICY) == [("REQUIRED", "email")]
    broken = USER | {"email": "user"}
    assert await api.errors(UPSERT, input=broken, policy=POLICY) == [("INVALID_FORMAT", "email")]


async def test_email_alone_is_enough(api: Client) -> None:
    contact = await create(api, {"email": "user@example.com"})
    empty = [name for name in USER if name not in ("email", "customFields", *TIMES)]
    assert part(contact, empty) == dict.fromkeys(empty)
    assert contact["customFields"] == {}


async def test_email_is_the_only_key_and_the_external_id_matches_no_contact(api: Client) -> None:
    await create(api)
    given = {"email": "second@example.com", "externalId": USER["externalId"]}
    found = await clashes(api, UPSERT, input=given, policy=POLICY)
    assert found == [("IDENTIFIER_TAKEN", "EXTERNAL_ID")]
    await create(api, {"email": "second@example.com", "externalId": "user_2"})
    assert await emails(api) == ["second@example.com", USER["email"]]


async def test_differs_emails_that_differ_only_in_case_are_one_key(api: Client) -> None:
    before = await create(api)
    answer = await upsert(api, {"email": "User@Example.com", "firstName": "Jack"})
    assert (answer["matchedBy"], answer["contact"]["id"]) == ("EMAIL", before["id"])


async def test_each_field_given_is_replaced_and_the_others_stay(api: Client) -> None:
    before = await create(api)
    expected = untimed(USER)
    for name, value in OTHERS.items():
        answer = await upsert(api, {"email": USER["email"], name: value})
        change = {"path": name, "before": USER[name], "after": value}
        assert answer["changes"] == [change]
        expected[name] = value
        assert part(answer["contact"], expected) == expected
    assert answer["contact"]["createdAt"] == USER["createdAt"]
    assert answer["contact"]["updatedAt"] > before["updatedAt"]


async def test_each_field_may_be_cleared(api: Client) -> None:
    await create(api)
    expected = untimed(USER)
    for name in OTHERS:
        answer = await upsert(api, {"email": USER["email"], name: None})
        expected[name] = None
        assert part(answer["contact"], expected) == expected


async def test_the_external_id_is_replaced_on_a_match(api: Client) -> None:
    before = await create(api)
    answer = await upsert(api, {"email": USER["email"], "externalId": "user_new"})
    assert (answer["contact"]["id"], answer["contact"]["externalId"]) == (before["id"], "user_new")
    assert await api(CONTACT, by={"externalId": USER["externalId"]}) is None


async def test_differs_an_external_id_that_another_contact_has_is_a_conflict(api: Client) -> None:
    await create(api)
    await create(api, {"email": "second@example.com"})
    given = {"email": "second@example.com", "externalId": USER["externalId"]}
    found = await clashes(api, UPSERT, input=given, policy=POLICY)
    assert found == [("IDENTIFIER_TAKEN", "EXTERNAL_ID")]


async def test_differs_a_value_that_breaks_a_rule_is_named(api: Client) -> None:
    for name, value, code in (
        ("timezone", "America/Springfield", "INVALID_FORMAT"),
        ("language", "English (US)", "INVALID_FORMAT"),
        ("lastOrderAt", "2023-05-15", "INVALID_FORMAT"),
        ("lastOrderAt", "2023-05-15T14:30:00", "INVALID_FORMAT"),
        ("ordersCount", -1, "OUT_OF_RANGE"),
        ("postcode", "1" * 21, "TOO_LONG"),
        ("createdAt", "2999-01-01T00:00:00Z", "OUT_OF_RANGE"),
    ):
        given = USER | {name: value}
        assert await api.errors(UPSERT, input=given, policy=POLICY) == [(code, name)]
    assert await emails(api) == []


async def test_lifetime_value_and_orders_count_are_stored_exactly(api: Client) -> None:
    for value, count in ((0, 0), (1250.5, 5), (0.1, 2**31 - 1), (-12.25, 1)):
        given = {"email": USER["email"], "lifetimeValue": value, "ordersCount": count}
        contact = (await api(UPSERT, input=given, policy=POLICY))["contact"]
        assert (contact["lifetimeValue"], contact["ordersCount"]) == (value, count)


async def test_last_order_at_is_stored_in_utc(api: Client) -> None:
    contact = await create(api, USER | {"lastOrderAt": "2023-05-15T10:30:00-04:00"})
    assert contact["lastOrderAt"] == "2023-05-15T14:30:00Z"


async def test_the_twenty_slots_are_defined_with_their_types(api: Client) -> None:
    defined = {one["key"]: one["type"].lower() for one in await api(DEFINITIONS)}
    assert defined == {key: key.split("_")[1] for key in SLOTS}


async def test_each_slot_takes_its_type_and_refuses_the_others(api: Client) -> None:
    await create(api)
    for key in SLOTS:
        kind = key.split("_")[1]
        for other, value in OF_EACH_TYPE.items():
            given = {"email": USER["email"], "customFields": {key: value}}
            if other == kind or (kind, other) == ("string", "datetime"):
                answer = await upsert(api, given, customFields="REPLACE")
                assert answer["contact"]["customFields"] == {key: value}
            else:
                errors = await api.errors(UPSERT, input=given, policy=POLICY)
                assert errors == [("INVALID_FORMAT", f"customFields.{key}")]


async def test_every_slot_that_is_wrong_is_named(api: Client) -> None:
    wrong = dict.fromkeys(SLOTS, True)
    errors = await api.errors(UPSERT, input=USER | {"customFields": wrong}, policy=POLICY)
    assert errors == [("INVALID_FORMAT", f"customFields.{key}") for key in SLOTS]


async def test_a_slot_given_leaves_the_other_slots(api: Client) -> None:
    await create(api)
    given = {"email": USER["email"], "customFields": {"custom_number_1": 43}}
    answer = await upsert(api, given)
    assert answer["changes"] == [
        {"path": "customFields.custom_number_1", "before": 42, "after": 43}
    ]
    assert answer["contact"]["customFields"] == SLOTS | {"custom_number_1": 43}


async def test_an_object_in_a_json_slot_is_replaced_as_a_whole(api: Client) -> None:
    await create(api)
    given = {
        "email": USER["email"],
        "customFields": {"custom_json_1": {"preferences": {"theme": "light"}}},
    }
    answer = await upsert(api, given)
    assert answer["contact"]["customFields"] == SLOTS | given["customFields"]
    assert (await upsert(api, given))["changes"] == []


async def test_a_null_clears_a_slot(api: Client) -> None:
    await create(api)
    given = {"email": USER["email"], "customFields": {"custom_string_1": None}}
    slots = (await upsert(api, given))["contact"]["customFields"]
    assert slots == {key: value for key, value in SLOTS.items() if key != "custom_string_1"}


async def test_differs_a_datetime_slot_is_answered_as_it_was_written(api: Client) -> None:
    written = "2023-06-01T09:00:00.000+02:00"
    given = {"email": USER["email"], "customFields": {"custom_datetime_1": written}}
    contact = await create(api, given)
    assert contact["customFields"]["custom_datetime_1"] == written


async def test_slots_filter_by_their_types(api: Client) -> None:
    await create(api)
    await create(api, {"email": "second@example.com"})
    day = {"gte": "2023-06-01T11:00:00+02:00", "lt": "2023-06-02T00:00:00Z"}
    for condition in (
        {"key": "custom_string_1", "string": {"eq": "Premium tier"}},
        {"key": "custom_number_1", "number": {"gt": 41.5, "lte": 42}},
        {"key": "custom_datetime_1", "datetime": day},
        {"key": "custom_json_1", "exists": True},
    ):
        assert await emails(api, filter={"customFields": [condition]}) == [USER["email"]]


async def test_commerce_fields_filter(api: Client) -> None:
    await create(api)
    await create(api, {"email": "second@example.com", "lifetimeValue": 10, "ordersCount": 1})
    for condition in (
        {"lifetimeValue": {"gte": 1250.5}},
        {"ordersCount": {"gt": 1}},
        {"lastOrderAt": {"lt": "2023-06-01T00:00:00Z"}},
    ):
        assert await emails(api, filter=condition) == [USER["email"]]


async def test_created_at_and_updated_at_are_kept_from_the_other_system(api: Client) -> None:
    contact = await create(api)
    assert part(contact, TIMES) == part(USER, TIMES)
    before = {"createdAt": {"lt": "2023-02-01T00:00:00Z"}}
    assert await emails(api, filter=before) == [USER["email"]]


async def test_each_time_may_be_given_alone(api: Client) -> None:
    began = now()
    given = {name: value for name, value in USER.items() if name != "updatedAt"}
    contact = await create(api, given)
    assert contact["createdAt"] == USER["createdAt"]
    assert contact["updatedAt"] >= began.isoformat().replace("+00:00", "Z")
    alone = {"email": "second@example.com", "updatedAt": now().isoformat()}
    assert await api.errors(UPSERT, input=alone, policy=POLICY) == [("OUT_OF_RANGE", "updatedAt")]


async def test_differs_updated_at_cannot_come_before_created_at(api: Client) -> None:
    given = USER | {"updatedAt": "2023-01-15T10:29:59Z"}
    assert await api.errors(UPSERT, input=given, policy=POLICY) == [("OUT_OF_RANGE", "updatedAt")]


async def test_differs_a_contact_that_is_there_keeps_its_times_with_a_warning(api: Client) -> None:
    before = await create(api)
    earlier = (now() - timedelta(days=1)).isoformat()
    answer = await upsert(api, USER | {"createdAt": earlier, "updatedAt": earlier})
    assert answer["contact"] == before
    assert answer["warnings"] == [
        {"code": "CREATED_AT_KEPT", "field": "createdAt"},
        {"code": "UPDATED_AT_KEPT", "field": "updatedAt"},
    ]


async def test_the_same_call_again_changes_nothing(api: Client) -> None:
    before = await create(api)
    answer = await upsert(api, USER)
    assert (answer["contact"], answer["changes"], answer["warnings"]) == (before, [], [])
