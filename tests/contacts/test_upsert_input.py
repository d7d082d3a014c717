"""What an upsert takes: omitted and null, literals and variables, and every broken rule named."""

import json
from typing import Any

from tests.support.client import Client

UPSERT = """
mutation (
  $input: ContactInput!, $policy: UpsertPolicy, $ifVersion: Int, $dryRun: Boolean! = false
) {
  upsertContact(input: $input, policy: $policy, ifVersion: $ifVersion, dryRun: $dryRun) {
    ... on ContactCreated { contact { company version customFields } }
    ... on ContactUpdated { contact { company version customFields } changes { path } }
    ... on ContactConflict { reasons { code } }
  }
}
"""
COUNT = "{ contacts { totalCount } }"
ADA = {"externalId": "a", "email": "ada@example.com", "company": "Analytical"}
NEW = {"email": "new@example.com"}


def upsert(arguments: str, variables: str = "") -> str:
    """A document with the arguments written out."""
    signature = f"({variables})" if variables else ""
    return f"""mutation {signature} {{ upsertContact({arguments}) {{
      ... on ContactCreated {{ contact {{ company version customFields }} }}
      ... on ContactUpdated {{ contact {{ company version customFields }} }}
      ... on ContactConflict {{ reasons {{ code }} }}
    }} }}"""


async def test_omitted_is_unchanged_and_null_is_cleared_in_literals_and_variables_alike(
    api: Client,
) -> None:
    whole = upsert("input: $i", "$i: ContactInput!")
    part = 'input: {externalId: "a", company: $c}'
    cases: list[tuple[str, dict[str, Any], str | None]] = [
        (upsert('input: {externalId: "a"}'), {}, "Analytical"),
        (upsert('input: {externalId: "a", company: null}'), {}, None),
        (upsert('input: {externalId: "a", company: "New"}'), {}, "New"),
        (whole, {"i": {"externalId": "a"}}, "Analytical"),
        (whole, {"i": {"externalId": "a", "company": None}}, None),
        (whole, {"i": {"externalId": "a", "company": "New"}}, "New"),
        (upsert(part, "$c: String"), {}, "Analytical"),
        (upsert(part, "$c: String"), {"c": None}, None),
        (upsert(part, "$c: String"), {"c": "New"}, "New"),
        (upsert(part, "$c: String = null"), {}, None),
        (upsert(part, '$c: String = "New"'), {}, "New"),
    ]
    for document, variables, company in cases:
        before = await api(UPSERT, input=ADA)
        outcome = await api(document, **variables)
        rise = 0 if company == "Analytical" else 1
        assert outcome["contact"]["company"] == company, (document, variables)
        assert outcome["contact"]["version"] == before["contact"]["version"] + rise


async def test_policy_and_version_that_are_null_are_as_if_absent(api: Client) -> None:
    await api(UPSERT, input=ADA)
    arguments = 'input: {externalId: "a"}, policy: $p, ifVersion: $v'
    with_variables = upsert(arguments, "$p: UpsertPolicy, $v: Int")
    cases: list[tuple[str, dict[str, Any]]] = [
        (upsert('input: {externalId: "a"}, policy: null, ifVersion: null'), {}),
        (upsert('input: {externalId: "a"}, policy: {}'), {}),
        (with_variables, {}),
        (with_variables, {"p": None, "v": None}),
        (with_variables, {"p": {}}),
    ]
    for document, variables in cases:
        outcome = await api(document, **variables)
        assert outcome["contact"]["version"] == 1, (document, variables)


async def test_policy_is_the_same_in_literals_and_variables(api: Client) -> None:
    given = 'input: {externalId: "z"}'
    policy = {"onMiss": "CONFLICT"}
    cases: list[tuple[str, dict[str, Any]]] = [
        (upsert(f"{given}, policy: {{onMiss: CONFLICT}}"), {}),
        (upsert(f"{given}, policy: {{onMiss: $m}}", "$m: OnMiss!"), {"m": "CONFLICT"}),
        (upsert(f"{given}, policy: $p", "$p: UpsertPolicy"), {"p": policy}),
    ]
    for document, variables in cases:
        outcome = await api(document, **variables)
        assert outcome == {"reasons": [{"code": "NOT_FOUND"}]}, (document, variables)


async def test_custom_fields_may_be_written_out_with_variables_inside(api: Client) -> None:
    document = upsert(
        'input: {email: "n@example.com", customFields: {a: $a, b: [1, 2.5, true, "x", null]}}',
        "$a: JSON",
    )
    custom_fields = (await api(document, a={"c": 1}))["contact"]["customFields"]
    assert custom_fields == {"a": {"c": 1}, "b": [1, 2.5, True, "x", None]}
    assert await api.errors(document) == [("INVALID_FORMAT", "customFields.a")]


async def test_custom_fields_come_back_as_json_whatever_the_database(api: Client) -> None:
    given = {
        "big": 2**63 - 1,
        "least": -(2**63),
        "float": 1e19,
        "tiny": 5e-324,
        "huge": 1e308,
        "false": False,
        "zero": 0,
        "empty": [{}, [], ""],
        "é\u2028": "\U0001f600\x01\\\"'",
    }
    created = await api(UPSERT, input=ADA | {"customFields": given})
    assert created["contact"]["customFields"] == given
    again = await api(UPSERT, input=ADA | {"customFields": given})
    assert (again["contact"]["customFields"], again["changes"]) == (given, [])
    more = await api(UPSERT, input=ADA | {"customFields": {"more": True}})
    assert more["contact"]["customFields"] == {**given, "more": True}


BROKEN: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = [
    ({}, {}, [("REQUIRED", "externalId"), ("REQUIRED", "email")]),
    ({"externalId": None, "name": "x"}, {"matchBy": ["EMAIL"]}, [("REQUIRED", "email")]),
    ({"externalId": "z"}, {}, [("REQUIRED", "email")]),
    (
        NEW,
        {"requireOnCreate": ["FIRST_NAME", "LAST_NAME"]},
        [("REQUIRED", "firstName"), ("REQUIRED", "lastName")],
    ),
    ({"email": "nobody"}, {}, [("INVALID_FORMAT", "email")]),
    ({"email": None, "externalId": "a"}, {}, [("INVALID_FORMAT", "email")]),
    ({"email": " ", "externalId": "a"}, {}, [("INVALID_FORMAT", "email")]),
    ({"externalId": " "}, {"matchBy": ["EXTERNAL_ID"]}, [("REQUIRED", "externalId")]),
    ({"email": f"{'a' * 65}@example.com"}, {}, [("TOO_LONG", "email")]),
    (NEW | {"name": "a\x00b"}, {}, [("INVALID_FORMAT", "name")]),
    (NEW | {"lastOrderAt": "2026-01-31T08:00:00"}, {}, [("INVALID_FORMAT", "lastOrderAt")]),
    (NEW | {"createdAt": "2999-01-01T00:00:00Z"}, {}, [("OUT_OF_RANGE", "createdAt")]),
    (
        NEW | {"createdAt": "2020-01-02T00:00:00Z", "updatedAt": "2020-01-01T00:00:00Z"},
        {},
        [("OUT_OF_RANGE", "updatedAt")],
    ),
    (
        {
            "email": "x",
            "notes": "x" * 10_001,
            "timezone": "Mars",
            "tags": ["ok", "x" * 101, " "],
            "isActive": None,
            "ordersCount": -1,
            "professionalId": "me",
            "customFields": {"plan": {str(n): n for n in range(101)}, "big": "x" * 65_536},
            "metadata": "x",
        },
        {},
        [
            ("INVALID_FORMAT", "email"),
            ("TOO_LONG", "notes"),
            ("INVALID_FORMAT", "timezone"),
            ("TOO_LONG", "tags.1"),
            ("INVALID_FORMAT", "tags.2"),
            ("INVALID_FORMAT", "isActive"),
            ("OUT_OF_RANGE", "ordersCount"),
            ("INVALID_FORMAT", "professionalId"),
            ("TOO_LONG", "customFields"),
            ("INVALID_FORMAT", "metadata"),
        ],
    ),
]


async def test_every_broken_rule_is_named_and_nothing_written(api: Client) -> None:
    for given, policy, expected in BROKEN:
        for dry_run in (True, False):
            found = await api.errors(UPSERT, input=given, policy=policy, dryRun=dry_run)
            assert found == expected, (given, policy)
    assert await api(COUNT) == {"totalCount": 0}


async def test_empty_text_clears_a_field_and_is_no_external_id(api: Client) -> None:
    await api(UPSERT, input=ADA)
    cleared = {"email": "ada@example.com", "company": " ", "timezone": "", "language": "\u00a0"}
    assert (await api(UPSERT, input=cleared))["contact"]["company"] is None
    created = await api(UPSERT, input=NEW | {"externalId": ""})
    assert created["contact"]["version"] == 1
    nodes = "{ contacts(orderBy: {direction: ASC}) { nodes { externalId } } }"
    assert await api(nodes) == {"nodes": [{"externalId": "a"}, {"externalId": None}]}


async def test_every_spelling_of_an_email_names_the_same_contact(api: Client) -> None:
    email = "jörg@bücher.example"
    await api(UPSERT, input={"email": email})
    for spelling in (
        "jo\u0308rg@bu\u0308cher.example",
        "JÖRG@XN--BCHER-KVA.EXAMPLE",
        "\u00a0JO\u0308RG@Bücher.example ",
    ):
        found = "query ($email: String!) { contact(by: {email: $email}) { email } }"
        assert await api(found, email=spelling) == {"email": email}
        filtered = (
            "query ($email: String!) { contacts(filter: {email: {eq: $email}}) { totalCount } }"
        )
        assert await api(filtered, email=spelling) == {"totalCount": 1}
        await api(UPSERT, input={"email": spelling})
        assert await api(COUNT) == {"totalCount": 1}
        await api(UPSERT, input={"email": email})


async def test_text_stored_in_nfc_is_found_in_nfd(api: Client) -> None:
    await api(UPSERT, input=NEW | {"externalId": "e\u0301-1", "city": "Orle\u0301ans"})
    found = "query ($id: String!) { contact(by: {externalId: $id}) { externalId city } }"
    for given in ("e\u0301-1", "\u00e9-1"):
        assert await api(found, id=given) == {"externalId": "\u00e9-1", "city": "Orl\u00e9ans"}


async def test_error_has_code_field_and_limit(
    api: Client,
) -> None:
    answer = await api.execute(UPSERT, input=NEW | {"tags": ["x" * 101]})
    [error] = answer["errors"]
    [broken] = error["extensions"]["errors"]
    assert broken.keys() == {"code", "field", "message"}
    assert "100" in broken["message"]
    assert error["message"] == f"tags.0: {broken['message']}"
    assert error["path"] == ["upsertContact"]
    assert answer["data"] == {"upsertContact": None}


async def test_limit_that_only_the_merged_value_exceeds_is_named_and_nothing_written(
    api: Client,
) -> None:
    await api(UPSERT, input=ADA | {"customFields": {str(n): n for n in range(100)}})
    given = {"externalId": "a", "company": "New", "customFields": {"x": 1}}
    assert await api.errors(UPSERT, input=given) == [("TOO_MANY", "customFields")]
    unchanged = await api(UPSERT, input={"externalId": "a"})
    assert (unchanged["contact"]["company"], unchanged["contact"]["version"]) == ("Analytical", 1)


async def test_value_of_the_wrong_type_is_named_and_nothing_written(api: Client) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"input": {"email": 5}}, "email"),
        ({"input": NEW | {"tags": ["x", None]}}, "tags[1]"),
        ({"input": NEW | {"ordersCount": 2**31}}, "ordersCount"),
        ({"input": NEW | {"isActive": "yes"}}, "isActive"),
        ({"input": NEW | {"surname": "x"}}, "input.surname"),
        ({"input": NEW, "policy": {"matchBy": None}}, "matchBy"),
        ({"input": NEW, "policy": {"onMiss": "MAYBE"}}, "onMiss"),
        ({"input": NEW, "ifVersion": 1.5}, "ifVersion"),
        ({"input": NEW, "dryRun": None}, "dryRun"),
    ]
    for variables, field in cases:
        assert await api.errors(UPSERT, **variables) == [("INVALID_FORMAT", field)]
    assert await api(COUNT) == {"totalCount": 0}


async def test_value_that_is_not_json_or_unicode_is_named_and_nothing_written(api: Client) -> None:
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"name": "a\ud800"}, "INVALID_FORMAT", "name"),
        ({"externalId": "\udc00"}, "INVALID_FORMAT", "externalId"),
        ({"email": "\ud800@example.com"}, "INVALID_FORMAT", "email"),
        ({"tags": ["\udfff"]}, "INVALID_FORMAT", "tags.0"),
        ({"customFields": {"a": [2**63]}}, "OUT_OF_RANGE", "customFields.a.0"),
        ({"customFields": {"a": {"b": 2**64}}}, "OUT_OF_RANGE", "customFields.a.b"),
        ({"metadata": {"a": -(2**63) - 1}}, "OUT_OF_RANGE", "metadata.a"),
        ({"metadata": {"a": -(10**30)}}, "OUT_OF_RANGE", "metadata.a"),
        ({"customFields": {"a": [float("nan")]}}, "OUT_OF_RANGE", "customFields.a.0"),
        ({"metadata": {"a": float("inf")}}, "OUT_OF_RANGE", "metadata.a"),
        ({"metadata": {"a": {"\ud800": 1}}}, "INVALID_FORMAT", "metadata.a"),
        ({"lifetimeValue": float("nan")}, "INVALID_FORMAT", "lifetimeValue"),
    ]
    for given, code, field in cases:
        body = json.dumps({"query": UPSERT, "variables": {"input": NEW | given}})
        headers = {"x-api-key": api.key, "content-type": "application/json"}
        answer = await api.http.post("/graphql", content=body, headers=headers)
        [error] = answer.json()["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        [broken] = error["extensions"]["errors"]
        assert (broken["code"], broken["field"]) == (code, field)
    assert await api(COUNT) == {"totalCount": 0}
