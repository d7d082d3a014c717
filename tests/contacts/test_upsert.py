"""An upsert through the API, on both databases: its answers and what it leaves behind."""

from typing import Any
from uuid import UUID

from tests.support.client import Client

FIELDS = """
  id externalId email name displayName prefix firstName lastName suffix phone phoneE164 company
  jobTitle notes addressLine1 addressLine2 city state postcode country timezone language tags
  isActive isUnsubscribed unsubscribedAt lifetimeValue ordersCount lastOrderAt professionalId
  customFields metadata createdAt updatedAt version
"""
UPSERT = f"""
mutation (
  $input: ContactInput!, $policy: UpsertPolicy, $ifVersion: Int, $dryRun: Boolean! = false
) {{
  upsertContact(input: $input, policy: $policy, ifVersion: $ifVersion, dryRun: $dryRun) {{
    __typename
    ... on ContactCreated {{ contact {{ {FIELDS} }} warnings {{ code field message }} }}
    ... on ContactUpdated {{
      contact {{ {FIELDS} }}
      matchedBy changes {{ path before after }} warnings {{ code field message }}
    }}
    ... on ContactConflict {{
      message reasons {{ code message identifier contact {{ {FIELDS} }} }}
    }}
  }}
}}
"""
CONTACTS = f"{{ contacts(orderBy: {{direction: ASC}}) {{ nodes {{ {FIELDS} }} }} }}"

ADA = {"externalId": "a", "email": "ada@example.com", "company": "Analytical"}
BOB = {"externalId": "b", "email": "bob@example.com"}
EVERYTHING = {
    "externalId": "g",
    "email": "Grace@Example.com",
    "name": "Grace Hopper",
    "prefix": "Dr.",
    "firstName": "Grace",
    "lastName": "Hopper",
    "suffix": "PhD",
    "phone": "(202) 456-1111",
    "company": "Navy",
    "jobTitle": "Admiral",
    "notes": "Found\nthe bug.",
    "addressLine1": "1 Main St",
    "addressLine2": "Apt 2",
    "city": "Arlington",
    "state": "VA",
    "postcode": "22201",
    "country": "US",
    "timezone": "America/New_York",
    "language": "en-US",
    "tags": ["vip", "navy"],
    "isActive": False,
    "lifetimeValue": 1250.5,
    "ordersCount": 5,
    "lastOrderAt": "2023-05-15T14:30:00Z",
    "professionalId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "customFields": {"plan": "pro", "seats": 3, "nested": {"list": [1, None, True, "x"]}},
    "createdAt": "2020-01-01T00:00:00Z",
    "updatedAt": "2021-01-01T00:00:00Z",
}


async def stored(api: Client) -> Any:
    """All contacts, the first created first."""
    return (await api(CONTACTS))["nodes"]


async def two(api: Client) -> Any:
    """Ada and Bob, as they stand."""
    await api(UPSERT, input=ADA)
    await api(UPSERT, input=BOB)
    return await stored(api)


async def test_created_contact_is_answered_and_stored_with_everything_given(api: Client) -> None:
    given = {**EVERYTHING, "metadata": {"source": "web"}}
    created = await api(UPSERT, input=given)
    assert (created["__typename"], created["warnings"]) == ("ContactCreated", [])
    contact = created["contact"]
    assert UUID(contact["id"]).version == 7
    stamps = {"created_via": "api_key", "api_key_id": contact["metadata"]["api_key_id"]}
    assert contact == {
        **EVERYTHING,
        "id": contact["id"],
        "displayName": "Grace Hopper",
        "phoneE164": "+12024561111",
        "isUnsubscribed": False,
        "unsubscribedAt": None,
        "metadata": {"source": "web", **stamps},
        "version": 1,
    }
    assert await stored(api) == [contact]


async def test_metadata_is_stamped_with_the_key_of_the_call(api: Client) -> None:
    created = await api(UPSERT, input=ADA)
    viewer = await api("{ viewer { apiKey { id } } }")
    stamps = {"created_via": "api_key", "api_key_id": viewer["apiKey"]["id"]}
    assert created["contact"]["metadata"] == stamps


async def test_updated_contact_is_answered_with_its_changes_and_stored(api: Client) -> None:
    before = (await api(UPSERT, input=EVERYTHING))["contact"]
    given = {
        "externalId": "g",
        "name": None,
        "firstName": "Amazing",
        "email": "grace@example.com",
        "tags": ["vip"],
        "isActive": True,
        "ordersCount": 6,
        "lastOrderAt": "2026-01-31T00:00:00+02:00",
        "professionalId": None,
        "customFields": {"plan": None, "seats": 4, "new": [1]},
        "metadata": {"source": "web"},
    }
    updated = await api(UPSERT, input=given)
    assert (updated["__typename"], updated["matchedBy"]) == ("ContactUpdated", "EXTERNAL_ID")
    changes = {one["path"]: (one["before"], one["after"]) for one in updated["changes"]}
    assert changes == {
        "name": ("Grace Hopper", None),
        "firstName": ("Grace", "Amazing"),
        "tags": (["vip", "navy"], ["vip"]),
        "isActive": (False, True),
        "ordersCount": (5, 6),
        "lastOrderAt": ("2023-05-15T14:30:00Z", "2026-01-30T22:00:00Z"),
        "professionalId": ("a1b2c3d4-e5f6-7890-abcd-ef1234567890", None),
        "customFields.plan": ("pro", None),
        "customFields.seats": (3, 4),
        "customFields.new": (None, [1]),
        "metadata.source": (None, "web"),
    }
    contact = updated["contact"]
    assert contact["updatedAt"] > before["updatedAt"]
    assert contact == {
        **before,
        **given,
        "email": before["email"],
        "displayName": "Amazing Hopper",
        "lastOrderAt": "2026-01-30T22:00:00Z",
        "customFields": {"seats": 4, "nested": before["customFields"]["nested"], "new": [1]},
        "metadata": {**before["metadata"], "source": "web"},
        "updatedAt": contact["updatedAt"],
        "version": 2,
    }
    assert await stored(api) == [contact]


async def test_repeated_call_changes_nothing(api: Client) -> None:
    created = await api(UPSERT, input=EVERYTHING)
    for matched_by, given in [
        ("EXTERNAL_ID", EVERYTHING),
        ("EXTERNAL_ID", EVERYTHING),
        ("EMAIL", {name: EVERYTHING[name] for name in EVERYTHING if name != "externalId"}),
    ]:
        again = await api(UPSERT, input=given)
        assert again == {
            "__typename": "ContactUpdated",
            "contact": created["contact"],
            "matchedBy": matched_by,
            "changes": [],
            "warnings": [],
        }
    assert await stored(api) == [created["contact"]]


CONFLICTS: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str | None, int | None]]]] = [
    (
        {"externalId": "a", "email": "bob@example.com"},
        {"policy": {"onMatch": "CONFLICT"}},
        [("ALREADY_EXISTS", "EXTERNAL_ID", 0), ("ALREADY_EXISTS", "EMAIL", 1)],
    ),
    (
        {"email": "new@example.com"},
        {"policy": {"onMiss": "CONFLICT"}},
        [("NOT_FOUND", None, None)],
    ),
    ({"email": "new@example.com"}, {"ifVersion": 1}, [("NOT_FOUND", None, None)]),
    ({"externalId": "a", "email": " BOB@example.com"}, {}, [("IDENTIFIER_TAKEN", "EMAIL", 1)]),
    (
        {"externalId": "z", "email": "bob@example.com"},
        {"policy": {"fallback": "ABSENT"}},
        [("IDENTIFIER_TAKEN", "EMAIL", 1)],
    ),
    (
        {"externalId": "z", "email": "bob@example.com"},
        {},
        [("EXTERNAL_ID_MISMATCH", "EXTERNAL_ID", 1)],
    ),
    ({"externalId": "a", "company": "New"}, {"ifVersion": 2}, [("VERSION_MISMATCH", None, 0)]),
    (
        {"externalId": "b", "email": "ada@example.com"},
        {"policy": {"matchBy": ["EMAIL"]}, "ifVersion": 9},
        [
            ("VERSION_MISMATCH", None, 0),
            ("EXTERNAL_ID_MISMATCH", "EXTERNAL_ID", 0),
            ("IDENTIFIER_TAKEN", "EXTERNAL_ID", 1),
        ],
    ),
]


async def test_conflict_gives_every_reason_with_its_contact_and_writes_nothing(
    api: Client,
) -> None:
    contacts = await two(api)
    for given, options, expected in CONFLICTS:
        conflict = await api(UPSERT, input=given, **options)
        assert conflict["__typename"] == "ContactConflict"
        reasons = conflict["reasons"]
        assert [(one["code"], one["identifier"], one["contact"]) for one in reasons] == [
            (code, identifier, None if holder is None else contacts[holder])
            for code, identifier, holder in expected
        ]
        assert all(one["message"] for one in reasons)
        assert conflict["message"] == " ".join(one["message"] for one in reasons)
        assert await stored(api) == contacts


WARNINGS: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"email": "new@example.com"}, {"emailOnMatch": "KEEP"}, "EMAIL_KEPT", "email"),
    (
        {"externalId": "z", "email": "ada@example.com"},
        {"externalIdOnMatch": "KEEP"},
        "EXTERNAL_ID_KEPT",
        "externalId",
    ),
    ({"createdAt": "2020-01-01T00:00:00Z"}, {}, "CREATED_AT_KEPT", "createdAt"),
    ({"updatedAt": "2020-01-01T00:00:00Z"}, {}, "UPDATED_AT_KEPT", "updatedAt"),
    ({"metadata": {"created_via": "me"}}, {}, "RESERVED_METADATA", "metadata.created_via"),
]


async def test_given_value_that_is_not_applied_is_a_warning(api: Client) -> None:
    [ada, _] = await two(api)
    for given, policy, code, field in WARNINGS:
        updated = await api(UPSERT, input={"externalId": "a"} | given, policy=policy)
        [warning] = updated["warnings"]
        assert (warning["code"], warning["field"]) == (code, field)
        assert warning["message"]
        assert (updated["contact"], updated["changes"]) == (ada, [])


async def test_dry_run_answers_the_same_and_stores_nothing(api: Client) -> None:
    await two(api)
    for given, options in [
        ({"externalId": "n", "email": "new@example.com"}, {}),
        ({"externalId": "a", "company": "New", "metadata": {"created_via": "me"}}, {}),
        ({"externalId": "a"}, {}),
        ({"externalId": "a", "email": "bob@example.com"}, {}),
        ({"email": "bob@example.com", "tags": ["x"]}, {"ifVersion": 1}),
        ({"email": "bob@example.com", "tags": ["y"]}, {"ifVersion": 1}),
        ({"email": "nobody@example.com"}, {"ifVersion": 1}),
    ]:
        contacts = await stored(api)
        foretold = await api(UPSERT, input=given, dryRun=True, **options)
        assert await stored(api) == contacts
        answer = await api(UPSERT, input=given, **options)
        assert without_time(foretold) == without_time(answer)


def without_time(outcome: Any) -> Any:
    """The outcome without what two runs of a call that writes cannot share."""
    if outcome["__typename"] == "ContactCreated":
        return outcome | {
            "contact": outcome["contact"] | dict.fromkeys(["id", "createdAt", "updatedAt"])
        }
    if outcome["__typename"] == "ContactUpdated" and outcome["changes"]:
        return outcome | {"contact": outcome["contact"] | {"updatedAt": None}}
    return outcome


async def test_version_lets_one_update_pass_and_stops_the_next(api: Client) -> None:
    await api(UPSERT, input=ADA)
    given = {"externalId": "a", "company": "New"}
    updated = await api(UPSERT, input=given, ifVersion=1)
    assert updated["contact"]["version"] == 2
    conflict = await api(UPSERT, input=given | {"company": "Newer"}, ifVersion=1)
    [reason] = conflict["reasons"]
    assert (reason["code"], reason["contact"]) == ("VERSION_MISMATCH", updated["contact"])


async def test_identifiers_of_another_workspace_are_free(api: Client, stranger: Client) -> None:
    theirs = await api(UPSERT, input=ADA)
    ours = await stranger(UPSERT, input=ADA)
    assert (theirs["__typename"], ours["__typename"]) == ("ContactCreated", "ContactCreated")
    for client, outcome in ((api, theirs), (stranger, ours)):
        assert await stored(client) == [outcome["contact"]]
