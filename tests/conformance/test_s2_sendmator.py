"""S2, Sendmator's add contact: create only, with generated external ids and stamped metadata."""

from typing import Any
from uuid import UUID

import httpx

from tests.conformance.calls import (
    CONTACT,
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

POLICY = {"onMatch": "CONFLICT", "generateExternalId": True}
JOHN: dict[str, Any] = {
    "externalId": "CRM-001",
    "email": "john.doe@example.com",
    "firstName": "John",
    "lastName": "Doe",
    "tags": ["customer", "vip", "premium"],
    "isActive": True,
    "customFields": {
        "company": "Acme Corp",
        "department": "Engineering",
        "phone": "+1-555-0123",
        "job_title": "Senior Developer",
        "annual_revenue": 150000,
        "lead_score": 85,
        "preferred_language": "en",
    },
    "metadata": {
        "source": "website",
        "campaign": "newsletter",
        "signup_date": "2024-01-15",
        "utm_source": "google",
        "utm_medium": "cpc",
        "referrer": "https://google.com",
        "ip_address": "192.168.1.1",
        "browser": "Chrome",
        "notes": "Interested in enterprise plan",
    },
}
JANE = {"email": "jane.doe@example.com", "firstName": "Jane"}
CUSTOM_FIELDS = JOHN["customFields"] | {
    "subscription_tier": "premium",
    "last_login": "2024-01-14T15:30:00Z",
    "account_manager": "jane.smith@yourcompany.com",
}
METADATA = JOHN["metadata"] | {
    "utm_campaign": "winter_sale",
    "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
    "lead_source": "paid_search",
}
CRM: dict[str, Any] = {
    "externalId": "CRM_CONTACT_12345",
    "email": "lead@company.com",
    "customFields": {
        "crm_stage": "qualified_lead",
        "deal_value": 50000,
        "expected_close": "2024-03-15",
    },
}
SHOP: dict[str, Any] = {
    "externalId": "CUSTOMER_67890",
    "email": "customer@example.com",
    "tags": ["customer", "vip"],
    "customFields": {
        "total_orders": 15,
        "lifetime_value": 2500.00,
        "preferred_category": "electronics",
    },
    "metadata": {"source": "checkout", "first_purchase": "2023-06-15"},
}
FORM: dict[str, Any] = {
    "email": "prospect@startup.com",
    "firstName": "Alex",
    "tags": ["lead", "free_trial"],
    "customFields": {"company_size": "10-50", "industry": "saas", "trial_started": True},
    "metadata": {
        "source": "landing_page",
        "utm_campaign": "product_hunt_launch",
        "form_id": "trial_signup",
    },
}

VIEWER = "{ viewer { apiKey { id } } }"
UNSUBSCRIBE = "mutation ($by: ContactKey!) { unsubscribeContact(by: $by) { __typename } }"
RESUBSCRIBE = "mutation ($by: ContactKey!) { resubscribeContact(by: $by) { __typename } }"
WRITES = [
    "upsertContact(input: $input)",
    "upsertContacts(inputs: [$input])",
    "createContact(input: $input)",
    'updateContact(by: {externalId: "CRM-001"}, input: $input)',
]


async def add(api: Client, given: dict[str, Any]) -> Any:
    return await created(api, CREATE, input=given, generate=True)


async def stamps(api: Client) -> dict[str, Any]:
    return {"created_via": "api_key", "api_key_id": (await api(VIEWER))["apiKey"]["id"]}


async def test_the_complete_example_is_answered_with_all_that_was_sent(api: Client) -> None:
    contact = await add(api, JOHN)
    stored = JOHN | {"metadata": JOHN["metadata"] | await stamps(api)}
    assert part(contact, JOHN) == stored
    assert contact == await api(CONTACT, by={"id": contact["id"]})


async def test_the_same_is_an_upsert_that_creates_only(api: Client) -> None:
    contact = await created(api, UPSERT, input=JOHN, policy=POLICY)
    assert contact["externalId"] == "CRM-001"
    assert await clashes(api, UPSERT, input=JOHN, policy=POLICY) == [
        ("ALREADY_EXISTS", "EXTERNAL_ID"),
        ("ALREADY_EXISTS", "EMAIL"),
    ]
    contact = await created(api, UPSERT, input=JANE, policy=POLICY)
    assert contact["externalId"] == contact["id"]


async def test_x_api_key_authenticates_in_any_case(api: Client, http: httpx.AsyncClient) -> None:
    assert (await posted(http, {}, CREATE, input=JOHN)).status_code == 401
    answer = await posted(http, {"X-API-Key": api.key}, CREATE, input=JOHN)
    assert answer.json()["data"]["createContact"]["__typename"] == "ContactCreated"


async def test_content_type_is_json(api: Client, http: httpx.AsyncClient) -> None:
    headers = {"X-API-Key": api.key, "content-type": "text/plain"}
    assert (await posted(http, headers, CREATE, input=JOHN)).status_code == 415


async def test_a_unique_external_id_is_used_as_given(api: Client) -> None:
    assert (await add(api, JOHN))["externalId"] == "CRM-001"


async def test_a_duplicate_external_id_is_a_conflict(api: Client) -> None:
    contact = await add(api, JOHN)
    given = JOHN | {"email": "johnny@example.com"}
    answer = await api(CREATE, input=given, generate=True)
    assert answer["reasons"] == [
        {
            "code": "ALREADY_EXISTS",
            "identifier": "EXTERNAL_ID",
            "message": "A contact with externalId CRM-001 already exists.",
            "contact": {"id": contact["id"]},
        }
    ]
    assert await emails(api) == [JOHN["email"]]


async def test_a_duplicate_email_is_a_conflict(api: Client) -> None:
    contact = await add(api, JOHN)
    given = JOHN | {"externalId": "CRM-002"}
    answer = await api(CREATE, input=given, generate=True)
    assert answer["message"] == "A contact with email john.doe@example.com already exists."
    assert answer["reasons"] == [
        {
            "code": "ALREADY_EXISTS",
            "identifier": "EMAIL",
            "message": "A contact with email john.doe@example.com already exists.",
            "contact": {"id": contact["id"]},
        }
    ]
    assert await api(CONTACT, by={"externalId": "CRM-002"}) is None


async def test_differs_both_duplicates_are_reported_at_once(api: Client) -> None:
    john, jane = await add(api, JOHN), await add(api, JANE)
    given = {"externalId": "CRM-001", "email": JANE["email"]}
    answer = await api(CREATE, input=given, generate=True)
    holders = [(reason["identifier"], reason["contact"]["id"]) for reason in answer["reasons"]]
    assert holders == [("EXTERNAL_ID", john["id"]), ("EMAIL", jane["id"])]


async def test_an_external_id_is_generated_where_none_is_given(api: Client) -> None:
    contact = await add(api, JANE)
    assert contact["externalId"] is not None
    assert part(contact, JANE) == JANE
    assert await api(CONTACT, by={"externalId": contact["externalId"]}) == contact


async def test_differs_a_generated_external_id_is_a_plain_uuid_the_contacts_own_id(
    api: Client,
) -> None:
    contact = await add(api, JANE)
    assert str(UUID(contact["externalId"])) == contact["externalId"] == contact["id"]


async def test_every_contact_has_an_external_id_of_its_own(api: Client) -> None:
    made = {(await add(api, {"email": f"p{n}@example.com"}))["externalId"] for n in range(5)}
    assert len(made) == 5


async def test_email_and_external_id_are_unique_within_an_account_alone(
    api: Client, stranger: Client
) -> None:
    ours, theirs = await add(api, JOHN), await add(stranger, JOHN)
    assert ours["id"] != theirs["id"]
    assert part(theirs, ["email", "externalId"]) == part(JOHN, ["email", "externalId"])
    for client in (api, stranger):
        assert len(await clashes(client, CREATE, input=JOHN, generate=True)) == 2


async def test_differs_emails_that_differ_only_in_case_are_the_same(api: Client) -> None:
    await add(api, JOHN)
    given = {"email": "John.Doe@Example.com"}
    assert await clashes(api, CREATE, input=given) == [("ALREADY_EXISTS", "EMAIL")]


async def test_optional_fields_have_their_defaults(api: Client) -> None:
    contact = await add(api, {"email": "jane.doe@example.com"})
    assert part(contact, ["firstName", "lastName", "tags", "isActive", "customFields"]) == {
        "firstName": None,
        "lastName": None,
        "tags": [],
        "isActive": True,
        "customFields": {},
    }
    assert contact["metadata"] == await stamps(api)


async def test_each_optional_field_is_taken_alone(api: Client) -> None:
    for name, value in (
        ("externalId", "CRM-002"),
        ("firstName", "Jane"),
        ("lastName", "Doe"),
        ("tags", ["customer"]),
        ("isActive", False),
        ("customFields", CUSTOM_FIELDS),
    ):
        contact = await add(api, {"email": f"{name}@example.com", name: value})
        assert contact[name] == value


async def test_custom_fields_take_any_structured_data(api: Client) -> None:
    nested = {"plan": {"tier": "premium", "seats": [1, 2.5, True]}}
    contact = await add(api, JANE | {"customFields": CUSTOM_FIELDS | nested})
    assert contact["customFields"] == CUSTOM_FIELDS | nested


async def test_metadata_takes_tracking_data(api: Client) -> None:
    contact = await add(api, JANE | {"metadata": METADATA})
    assert contact["metadata"] == METADATA | await stamps(api)


async def test_differs_null_in_custom_fields_and_metadata_removes_its_key_unless_replacing(
    api: Client,
) -> None:
    given = {"customFields": {"plan": None, "tier": 1}, "metadata": {"source": None}}
    contact = await add(api, JANE | given)
    assert (contact["customFields"], contact["metadata"]) == ({"tier": 1}, await stamps(api))
    await api(DELETE, by={"id": contact["id"]})
    policy = POLICY | {"customFields": "REPLACE", "metadata": "REPLACE"}
    contact = await created(api, UPSERT, input=JANE | given, policy=policy)
    assert contact["customFields"] == {"plan": None, "tier": 1}
    assert contact["metadata"] == {"source": None} | await stamps(api)


async def test_a_new_contact_is_subscribed_and_created_and_updated_at_once(api: Client) -> None:
    contact = await add(api, JOHN)
    assert (contact["isUnsubscribed"], contact["unsubscribedAt"]) == (False, None)
    assert contact["createdAt"] == contact["updatedAt"]
    assert contact["createdAt"].endswith("Z")


async def test_metadata_is_stamped_with_how_and_by_which_key(api: Client) -> None:
    contact = await add(api, JANE | {"metadata": {"your_metadata": "custom_value"}})
    assert contact["metadata"] == {"your_metadata": "custom_value"} | await stamps(api)


async def test_differs_no_client_can_set_or_change_the_stamps(api: Client) -> None:
    forged = {"created_via": "magic", "api_key_id": "mine", "source": "website"}
    answer = await api(CREATE, input=JANE | {"metadata": forged}, generate=True)
    own = {"source": "website"} | await stamps(api)
    assert answer["contact"]["metadata"] == own
    assert answer["warnings"] == [
        {"code": "RESERVED_METADATA", "field": "metadata.created_via"},
        {"code": "RESERVED_METADATA", "field": "metadata.api_key_id"},
    ]
    by = {"email": JANE["email"]}
    answer = await updated(api, UPDATE, by=by, input={"metadata": forged})
    assert answer["contact"]["metadata"] == own


async def test_an_invalid_email_is_an_error_with_its_field_and_code(api: Client) -> None:
    answer = await api.execute(CREATE, input=JOHN | {"email": "john.doe"}, generate=True)
    extensions = answer["errors"][0]["extensions"]
    assert extensions["code"] == "BAD_USER_INPUT"
    [details] = extensions["errors"]
    assert (details["field"], details["code"]) == ("email", "INVALID_FORMAT")
    assert details["message"].startswith("must be an email address")


async def test_a_missing_email_is_an_error_with_its_field_and_code(api: Client) -> None:
    given = {"externalId": "CRM-001", "firstName": "John"}
    answer = await api.execute(CREATE, input=given, generate=True)
    [details] = answer["errors"][0]["extensions"]["errors"]
    assert (details["field"], details["code"]) == ("email", "REQUIRED")


async def test_differs_all_broken_rules_are_reported(api: Client) -> None:
    broken = {"email": "john.doe", "tags": [""], "customFields": []}
    assert await api.errors(CREATE, input=broken, generate=True) == [
        ("INVALID_FORMAT", "email"),
        ("INVALID_FORMAT", "tags.0"),
        ("INVALID_FORMAT", "customFields"),
    ]


async def test_differs_outcomes_have_the_http_status_200(
    api: Client, http: httpx.AsyncClient
) -> None:
    headers = {"X-API-Key": api.key}
    for _ in ("created", "conflict"):
        assert (await posted(http, headers, CREATE, input=JOHN)).status_code == 200


async def test_contacts_can_unsubscribe_and_the_answer_has_the_time(api: Client) -> None:
    await add(api, JOHN)
    by = {"email": JOHN["email"]}
    for document, unsubscribed in ((UNSUBSCRIBE, True), (RESUBSCRIBE, False)):
        await api(document, by=by)
        contact = await api(CONTACT, by=by)
        assert contact["isUnsubscribed"] is unsubscribed
        assert (contact["unsubscribedAt"] is not None) is unsubscribed
        found = await emails(api, filter={"isUnsubscribed": True})
        assert found == ([JOHN["email"]] if unsubscribed else [])


async def test_no_write_of_a_contacts_data_resubscribes_it(api: Client) -> None:
    await add(api, JOHN)
    await api(UNSUBSCRIBE, by={"externalId": "CRM-001"})
    for index, write in enumerate(WRITES):
        call = f"mutation ($input: ContactInput!) {{ {write} {{ __typename }} }}"
        await api(call, input=JOHN | {"tags": [str(index)]})
        assert (await api(CONTACT, by={"externalId": "CRM-001"}))["isUnsubscribed"] is True


async def test_a_caller_sees_and_changes_its_own_contacts_only(
    api: Client, stranger: Client
) -> None:
    contact = await add(api, JOHN)
    keys: list[dict[str, str]] = [
        {"id": contact["id"]},
        {"externalId": "CRM-001"},
        {"email": contact["email"]},
    ]
    for by in keys:
        assert await stranger(CONTACT, by=by) is None
        for document, variables in ((UPDATE, {"input": JANE}), (DELETE, {})):
            assert await clashes(stranger, document, by=by, **variables) == [("NOT_FOUND", None)]
    assert await emails(stranger) == []
    assert await api(CONTACT, by=keys[0]) == contact


async def test_external_ids_are_found_by_search(api: Client, stranger: Client) -> None:
    for given in (JOHN, CRM, SHOP, FORM):
        await add(api, given)
    assert await emails(api, search="CRM") == [JOHN["email"], CRM["email"]]
    assert await emails(api, search="crm_contact") == [CRM["email"]]
    assert await emails(api, search="67890") == [SHOP["email"]]
    assert await emails(api, search="CRM%") == []
    assert await emails(stranger, search="CRM") == []


async def test_each_use_case_is_stored_as_sent(api: Client) -> None:
    for given in (CRM, SHOP, FORM):
        contact = await add(api, given)
        stored = given | {"metadata": given.get("metadata", {}) | await stamps(api)}
        assert part(contact, stored) == stored


async def test_tags_segment_and_is_active_filters(api: Client) -> None:
    for given in (JOHN, CRM, SHOP, FORM | {"isActive": False}):
        await add(api, given)
    for tags, found in (
        ({"hasAll": ["customer", "vip"]}, [SHOP["email"], JOHN["email"]]),
        ({"hasAny": ["premium", "lead"]}, [JOHN["email"], FORM["email"]]),
        ({"hasNone": ["vip"]}, [CRM["email"], FORM["email"]]),
    ):
        assert await emails(api, filter={"tags": tags}) == found
    assert await emails(api, filter={"isActive": False}) == [FORM["email"]]
    counts = await api("{ tags { tag count } }")
    assert {one["tag"]: one["count"] for one in counts} == {
        "customer": 2,
        "free_trial": 1,
        "lead": 1,
        "premium": 1,
        "vip": 2,
    }


async def test_custom_fields_filter(api: Client) -> None:
    for given in (JOHN, CRM, SHOP, FORM):
        await add(api, given)
    for condition, found in (
        ({"key": "deal_value", "number": {"gte": 50000}}, CRM),
        ({"key": "preferred_category", "string": {"eq": "electronics"}}, SHOP),
        ({"key": "trial_started", "boolean": True}, FORM),
        ({"key": "lead_score", "exists": True}, JOHN),
    ):
        assert await emails(api, filter={"customFields": [condition]}) == [found["email"]]


async def test_contacts_are_read_listed_updated_and_deleted(api: Client) -> None:
    contact = await add(api, JOHN)
    by = {"externalId": "CRM-001"}
    assert await api(CONTACT, by=by) == contact
    assert await emails(api) == [JOHN["email"]]
    answer = await updated(api, UPDATE, by=by, input={"lastName": "Roe", "tags": []})
    assert (answer["contact"]["lastName"], answer["contact"]["tags"]) == ("Roe", [])
    gone = await api(DELETE, by=by)
    assert gone == {
        "__typename": "ContactDeleted",
        "deletedId": contact["id"],
        "externalId": "CRM-001",
    }
    assert await api(CONTACT, by=by) is None
