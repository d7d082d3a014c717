"""Bad input: refused with the field and code named, and nothing written."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from sqlalchemy import text

from app.database.sessions import Database
from tests.support.client import Client

NUL = "a\x00b"
SURROGATE = "a\ud800b"
NAN = float("nan")
INFINITY = float("inf")

OUTCOME = "__typename ... on ContactConflict { message }"
UPSERT = f"mutation ($input: ContactInput!) {{ upsertContact(input: $input) {{ {OUTCOME} }} }}"
CREATE = f"mutation ($input: ContactInput!) {{ createContact(input: $input) {{ {OUTCOME} }} }}"
UPDATE = f"""mutation ($input: ContactInput!) {{
    updateContact(by: {{email: "grace@example.com"}}, input: $input) {{ {OUTCOME} }}
}}"""
BULK = """mutation ($inputs: [ContactInput!]!, $atomic: Boolean! = false) {
    upsertContacts(inputs: $inputs, atomic: $atomic) {
        rows { result { __typename ... on ContactInvalid { errors { code field } } } }
        created updated invalid withheld
    }
}"""

REQUIRED, FORMAT = "REQUIRED", "INVALID_FORMAT"
TOO_LONG, TOO_MANY, RANGE = "TOO_LONG", "TOO_MANY", "OUT_OF_RANGE"

LIMITS = {
    "externalId": 255,
    "name": 255,
    "prefix": 255,
    "firstName": 255,
    "lastName": 255,
    "suffix": 255,
    "phone": 50,
    "company": 255,
    "jobTitle": 255,
    "notes": 10_000,
    "addressLine1": 255,
    "addressLine2": 255,
    "city": 100,
    "state": 100,
    "postcode": 20,
    "country": 100,
}
TEXTS = [*LIMITS, "email", "timezone", "language"]


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


# Fields beside a good email, and the (code, field) that refuses them.
BAD_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"email": "ada"}, FORMAT, "email"),
    ({"email": "ada@"}, FORMAT, "email"),
    ({"email": "@example.com"}, FORMAT, "email"),
    ({"email": "ada@example"}, FORMAT, "email"),
    ({"email": "ada@exa mple.com"}, FORMAT, "email"),
    ({"email": "Ada <ada@example.com>"}, FORMAT, "email"),
    ({"email": "a@example.com,b@example.com"}, FORMAT, "email"),
    ({"email": f"{'a' * 245}@example.com"}, TOO_LONG, "email"),
    *(({name: "a" * (limit + 1)}, TOO_LONG, name) for name, limit in LIMITS.items()),
    ({"language": f"en-{'a' * 8}-{'b' * 8}-{'c' * 8}-{'d' * 8}"}, TOO_LONG, "language"),
    *(({name: NUL}, FORMAT, name) for name in TEXTS),
    *(({name: SURROGATE}, FORMAT, name) for name in TEXTS),
    ({"email": f"{'a' * 65}@example.com"}, TOO_LONG, "email"),
    ({"email": " \u00a0 "}, FORMAT, "email"),
    ({"customFields": {"count": 2**63}}, RANGE, "customFields.count"),
    ({"metadata": {"count": -(2**64)}}, RANGE, "metadata.count"),
    ({"timezone": "Mars/Olympus"}, FORMAT, "timezone"),
    ({"timezone": "../../etc/passwd"}, FORMAT, "timezone"),
    ({"language": "english please"}, FORMAT, "language"),
    ({"tags": ["vip", ""]}, FORMAT, "tags.1"),
    ({"tags": [NUL]}, FORMAT, "tags.0"),
    ({"tags": ["vip", SURROGATE]}, FORMAT, "tags.1"),
    ({"tags": ["a" * 101]}, TOO_LONG, "tags.0"),
    ({"tags": [str(number) for number in range(101)]}, TOO_MANY, "tags"),
    ({"isActive": None}, FORMAT, "isActive"),
    ({"ordersCount": -1}, RANGE, "ordersCount"),
    ({"customFields": {"score": NAN}}, RANGE, "customFields.score"),
    ({"customFields": {"scores": [1, -INFINITY]}}, RANGE, "customFields.scores.1"),
    ({"metadata": {"score": INFINITY}}, RANGE, "metadata.score"),
    ({"customFields": {"plan": NUL}}, FORMAT, "customFields.plan"),
    ({"customFields": {"plan": SURROGATE}}, FORMAT, "customFields.plan"),
    ({"metadata": {"a": {"b": [NUL]}}}, FORMAT, "metadata.a.b.0"),
    ({"customFields": {NUL: 1}}, FORMAT, "customFields"),
    ({"customFields": {SURROGATE: 1}}, FORMAT, "customFields"),
    ({"customFields": []}, FORMAT, "customFields"),
    ({"customFields": "{}"}, FORMAT, "customFields"),
    ({"customFields": {str(number): 1 for number in range(101)}}, TOO_MANY, "customFields"),
    ({"customFields": nested(9)}, TOO_MANY, "customFields" + ".a" * 8),
    ({"customFields": {"big": "x" * 65_536}}, TOO_LONG, "customFields"),
    ({"metadata": {"big": "x" * 65_536}}, TOO_LONG, "metadata"),
    ({"professionalId": "seven"}, FORMAT, "professionalId"),
    ({"professionalId": NUL}, FORMAT, "professionalId"),
    ({"professionalId": SURROGATE}, FORMAT, "professionalId"),
    *(
        ({name: moment}, FORMAT, name)
        for name in ("createdAt", "updatedAt", "lastOrderAt")
        for moment in (
            "2026-01-31T08:00:00",
            "2026-01-31",
            "yesterday",
            "2026-02-30T08:00:00Z",
            "2026-01-31T25:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            1769846400,
            NUL,
            SURROGATE,
        )
    ),
    ({"createdAt": "2999-01-01T00:00:00Z"}, RANGE, "createdAt"),
    ({"createdAt": None}, FORMAT, "createdAt"),
]
# What GraphQL itself refuses, before any row of a bulk is looked at.
BAD_TYPES: list[tuple[dict[str, Any], str, str]] = [
    ({"lifetimeValue": NAN}, FORMAT, "lifetimeValue"),
    ({"lifetimeValue": INFINITY}, FORMAT, "lifetimeValue"),
    ({"lifetimeValue": "12"}, FORMAT, "lifetimeValue"),
    ({"ordersCount": 2**31}, FORMAT, "ordersCount"),
    ({"ordersCount": 1.5}, FORMAT, "ordersCount"),
    ({"company": 5}, FORMAT, "company"),
    ({"tags": ["vip", 5]}, FORMAT, "tags[1]"),
    ({"tags": ["vip", None]}, FORMAT, "tags[1]"),
    ({"isActive": "yes"}, FORMAT, "isActive"),
]


def create(fields: str) -> str:
    return f"mutation {{ createContact(input: {{{fields}}}) {{ __typename }} }}"


async def refusals(
    client: Client, document: str, variables: dict[str, Any]
) -> list[tuple[str, str]]:
    """As `Client.errors`, for variables that only json.dumps can write."""
    answer = await sent(client, document, variables)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT", error
    assert not any((answer.get("data") or {}).values())
    return [(broken["code"], broken["field"]) for broken in error["extensions"]["errors"]]


async def sent(client: Client, document: str, variables: dict[str, Any]) -> Any:
    response = await client.http.post(
        "/graphql",
        content=json.dumps({"query": document, "variables": variables}),
        headers={"x-api-key": client.key, "content-type": "application/json"},
    )
    assert response.status_code == 200
    return response.json()


async def stored(database: Database) -> list[str]:
    """The whole table of contacts."""
    async with database.read_directory() as session:
        everyone = text("SELECT * FROM contact").execution_options(any_workspace=True)
        return [str(row) for row in await (await session.connection()).execute(everyone)]


@pytest.fixture
async def grace(api: Client) -> str:
    """The email of a contact that is there already."""
    await api(CREATE, input={"email": "grace@example.com"})
    return "grace@example.com"


async def test_every_bad_field_is_named_with_its_code_and_nothing_is_written(
    api: Client, database: Database, grace: str
) -> None:
    before = await stored(database)
    assert len(before) == 1
    for fields, code, field in [*BAD_FIELDS, *BAD_TYPES]:
        given = {"email": "ada@example.com", **fields}
        for document in (UPSERT, CREATE, UPDATE):
            found = await refusals(api, document, {"input": given})
            assert found == [(code, field)], (fields, document)
    assert await stored(database) == before


async def test_row_of_a_bulk_with_a_bad_field_is_invalid_and_affects_no_other(
    api: Client, database: Database
) -> None:
    for fields, code, field in BAD_FIELDS:
        inputs = [{"email": "ada@example.com", **fields}, {"email": "bob@example.com"}]
        answer = await sent(api, BULK, {"inputs": inputs, "atomic": True})
        rows = [row["result"] for row in answer["data"]["upsertContacts"]["rows"]]
        assert rows == [
            {"__typename": "ContactInvalid", "errors": [{"code": code, "field": field}]},
            {"__typename": "ContactWithheld"},
        ], fields
    assert await stored(database) == []
    answer = await sent(api, BULK, {"inputs": inputs})
    assert answer["data"]["upsertContacts"]["created"] == 1
    assert answer["data"]["upsertContacts"]["invalid"] == 1


async def test_text_at_its_limit_is_stored_unchanged(api: Client) -> None:
    given = {name: "é" * limit for name, limit in LIMITS.items()}
    given["email"] = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.com"
    assert len(given["email"]) == 254
    await api(CREATE, input=given)
    assert await api(f"{{ contacts {{ nodes {{ {' '.join(given)} }} }} }}") == {"nodes": [given]}


async def test_every_broken_rule_is_answered_not_just_the_first(
    api: Client, database: Database
) -> None:
    given = {
        "email": "ada",
        "phone": "1" * 51,
        "tags": ["", NUL],
        "timezone": "Mars/Olympus",
        "lastOrderAt": "2026-01-31T08:00:00",
        "customFields": {"score": NAN, "plan": [NUL, {"code": 2**64}]},
        "metadata": {NUL: {"a": SURROGATE}, SURROGATE: NUL},
    }
    assert sorted(await refusals(api, UPSERT, {"input": given})) == [
        (FORMAT, "customFields.plan.0"),
        (FORMAT, "email"),
        (FORMAT, "lastOrderAt"),
        (FORMAT, "metadata"),
        (FORMAT, "metadata"),
        (FORMAT, f"metadata.{NUL}.a"),
        (FORMAT, f"metadata.{SURROGATE.encode(errors='backslashreplace').decode()}"),
        (FORMAT, "tags.0"),
        (FORMAT, "tags.1"),
        (FORMAT, "timezone"),
        (RANGE, "customFields.plan.1.code"),
        (RANGE, "customFields.score"),
        (TOO_LONG, "phone"),
    ]
    assert await stored(database) == []


async def test_row_of_a_bulk_with_a_value_of_another_type_refuses_the_call_and_is_named(
    api: Client, database: Database
) -> None:
    for fields, code, field in BAD_TYPES:
        inputs = [{"email": "bob@example.com"}, {"email": "ada@example.com", **fields}]
        assert await refusals(api, BULK, {"inputs": inputs}) == [(code, f"[1].{field}")]
    assert await stored(database) == []


async def test_input_without_an_identifier_names_both(api: Client, database: Database) -> None:
    for given in ({}, {"externalId": None}, {"company": "Analytical Engines"}):
        for document in (UPSERT, CREATE):
            found = await api.errors(document, input=given)
            assert found == [(REQUIRED, "externalId"), (REQUIRED, "email")]
    assert await stored(database) == []


async def test_email_cannot_be_cleared(api: Client, database: Database, grace: str) -> None:
    before = await stored(database)
    for document in (UPSERT, CREATE, UPDATE):
        assert await api.errors(document, input={"email": None}) == [(FORMAT, "email")]
    assert await stored(database) == before


async def test_creating_without_an_email_names_it(api: Client, database: Database) -> None:
    for document in (UPSERT, CREATE):
        assert await api.errors(document, input={"externalId": "c1"}) == [(REQUIRED, "email")]
    assert await stored(database) == []


async def test_bulk_over_its_limit_is_refused_as_a_whole(api: Client, database: Database) -> None:
    inputs = [{"email": f"{number}@example.com"} for number in range(1001)]
    assert await api.errors(BULK, inputs=inputs) == [(TOO_MANY, "inputs")]
    assert await stored(database) == []


# Arguments of `contacts`, and the (code, field) that refuses them.
BAD_PAGES: list[tuple[dict[str, Any], str, str]] = [
    ({"first": -1}, RANGE, "first"),
    ({"first": 101}, RANGE, "first"),
    ({"first": 1_000_000}, RANGE, "first"),
    ({"first": 2**40}, FORMAT, "first"),
    ({"first": NAN}, FORMAT, "first"),
    ({"first": 1.5}, FORMAT, "first"),
    ({"last": -1}, RANGE, "last"),
    ({"last": 1_000_000}, RANGE, "last"),
    ({"first": 1, "last": 1}, FORMAT, "last"),
    *(
        ({name: cursor}, FORMAT, name)
        for name in ("after", "before")
        for cursor in (
            "",
            "nonsense",
            "!!!!",
            "é",
            NUL,
            SURROGATE,
            "a" * 100_000,
            *(
                urlsafe_b64encode(text.encode()).decode()
                for text in ("", "null", "1", "[]", "{}", '"text"', "[1, 2]", "[" * 5_000)
            ),
        )
    ),
]
PAGE = """query ($first: Int, $after: String, $last: Int, $before: String) {
    contacts(first: $first, after: $after, last: $last, before: $before) { totalCount }
}"""


async def test_bad_page_is_refused_and_the_argument_named(api: Client) -> None:
    for arguments, code, field in BAD_PAGES:
        assert await refusals(api, PAGE, arguments) == [(code, field)], arguments


async def test_cursor_of_another_order_or_workspace_is_refused(
    api: Client, stranger: Client
) -> None:
    for client in (api, stranger):
        await client(CREATE, input={"email": "ada@example.com"})
    cursors = "{ contacts(orderBy: {field: UPDATED_AT}) { edges { cursor } } }"
    other_order = (await api(cursors))["edges"][0]["cursor"]
    foreign = (await stranger("{ contacts { edges { cursor } } }"))["edges"][0]["cursor"]
    own = (await api("{ contacts { edges { cursor } } }"))["edges"][0]["cursor"]
    for name in ("after", "before"):
        for cursor in (other_order, foreign, own[:-4], own[4:], own.swapcase()):
            assert await api.errors(PAGE, **{name: cursor}) == [(FORMAT, name)]
        assert await api(PAGE, **{name: own}) == {"totalCount": 1}


BAD_KEYS: list[tuple[dict[str, Any], str]] = [
    ({"externalId": NUL}, "externalId"),
    ({"externalId": SURROGATE}, "externalId"),
    ({"email": f"{NUL}@example.com"}, "email"),
    ({"email": SURROGATE}, "email"),
    ({"id": NUL}, "id"),
    ({"id": SURROGATE}, "id"),
    ({"id": "seven"}, "id"),
    ({"id": ""}, "id"),
]


async def test_malformed_key_is_refused_and_named(api: Client) -> None:
    for document, path in (
        ("query ($key: ContactKey!) { contact(by: $key) { id } }", "by"),
        ("query ($key: ContactKey!) { contactsByKey(keys: [$key]) { id } }", "keys.0"),
        ("mutation ($key: ContactKey!) { deleteContact(by: $key) { __typename } }", "by"),
        (
            "mutation ($key: ContactKey!) { updateContact(by: $key, input: {}) { __typename } }",
            "by",
        ),
    ):
        for key, field in BAD_KEYS:
            assert await refusals(api, document, {"key": key}) == [(FORMAT, f"{path}.{field}")]


async def test_node_with_a_malformed_id_is_refused(api: Client) -> None:
    for identity in ("", "seven", NUL, SURROGATE, "0" * 33, "é"):
        node = "query ($id: ID!) { node(id: $id) { id } }"
        assert await refusals(api, node, {"id": identity}) == [(FORMAT, "id")]


async def test_key_that_does_not_name_exactly_one_is_refused(api: Client) -> None:
    document = "query ($key: ContactKey!) { contact(by: $key) { id } }"
    for key in ({}, {"email": None}, {"email": "a@example.com", "externalId": "a"}):
        [error] = (await sent(api, document, {"key": key}))["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
