"""The types of defined custom fields, at every write."""

from typing import Any

import pytest

from tests.contacts.test_custom_fields import DEFINITIONS, REMOVE, define
from tests.support.client import Client
from tests.support.statements import statements

OUTCOME = """
... on ContactCreated { contact { customFields } }
... on ContactUpdated { contact { customFields } }
"""
UPSERT = f"""
mutation ($input: ContactInput!, $policy: UpsertPolicy, $dryRun: Boolean! = false) {{
  upsertContact(input: $input, policy: $policy, dryRun: $dryRun) {{ {OUTCOME} }}
}}
"""
CREATE = "mutation ($input: ContactInput!) { createContact(input: $input) { __typename } }"
UPDATE = """
mutation ($input: ContactInput!) {
  updateContact(by: {email: "ada@example.com"}, input: $input) { __typename }
}
"""
BULK = f"""
mutation ($inputs: [ContactInput!]!, $policy: UpsertPolicy, $dryRun: Boolean! = false) {{
  upsertContacts(inputs: $inputs, policy: $policy, dryRun: $dryRun) {{
    rows {{ result {{
      {OUTCOME}
      ... on ContactInvalid {{ errors {{ code field message }} }}
    }} }}
  }}
}}
"""
ADA = "ada@example.com"
ACCEPTED: dict[str, list[Any]] = {
    "STRING": ["gold", "", "42"],
    "NUMBER": [42, -1.5, 0],
    "BOOLEAN": [True, False],
    "DATETIME": ["2023-06-01T09:00:00Z", "2023-06-01t09:00:00.120+02:00"],
    "JSON": [{"theme": {"dark": True}}, [1, "two", None], {}, []],
}
REFUSED: dict[str, list[Any]] = {
    "STRING": [1, True, ["gold"], {"text": "gold"}],
    "NUMBER": ["42", True, [42], {}],
    "BOOLEAN": ["true", 0, 1, []],
    "DATETIME": ["2023-06-01T09:00:00", "2023-06-01", "2023-02-30T09:00:00Z", 1685610000, {}],
    "JSON": ['{"theme": "dark"}', 1, False],
}


def ada(**custom_fields: Any) -> dict[str, Any]:
    return {"email": ADA, "customFields": custom_fields}


@pytest.mark.parametrize("kind", ACCEPTED)
async def test_value_of_the_defined_type_is_stored_unchanged(api: Client, kind: str) -> None:
    await define(api, "field", kind)
    for value in ACCEPTED[kind]:
        replaced = await api(UPSERT, input=ada(field=value), policy={"customFields": "REPLACE"})
        assert replaced["contact"]["customFields"] == {"field": value}
        assert type(replaced["contact"]["customFields"]["field"]) is type(value)


@pytest.mark.parametrize("kind", REFUSED)
async def test_a_value_of_another_type_is_refused_at_every_write(api: Client, kind: str) -> None:
    await define(api, "field", kind)
    await api(UPSERT, input=ada())
    for value in REFUSED[kind]:
        given = ada(field=value, other=value) | {"phone": "0" * 51}
        both = [("TOO_LONG", "phone"), ("INVALID_FORMAT", "customFields.field")]
        for document in (UPSERT, CREATE, UPDATE):
            assert await api.errors(document, input=given) == both
        assert await api.errors(UPSERT, input=given, dryRun=True) == both
        for dry_run in (True, False):
            bulk = await api(BULK, inputs=[given, ada(other=value)], dryRun=dry_run)
            refused, taken = (row["result"] for row in bulk["rows"])
            assert [(error["code"], error["field"]) for error in refused["errors"]] == both
            assert refused["errors"][1]["message"].endswith(f" (type {kind})")
            assert taken["contact"]["customFields"] == {"other": value}


async def test_all_wrong_values_of_a_row_and_its_missing_identifier_come_together(
    api: Client,
) -> None:
    await define(api, "plan", "STRING")
    await define(api, "age", "NUMBER")
    given = {"customFields": {"plan": 1, "age": "old", "free": 1}, "country": "c" * 101}
    assert await api.errors(UPSERT, input=given) == [
        ("TOO_LONG", "country"),
        ("INVALID_FORMAT", "customFields.plan"),
        ("INVALID_FORMAT", "customFields.age"),
        ("REQUIRED", "externalId"),
        ("REQUIRED", "email"),
    ]


async def test_null_removes_a_defined_key_unless_the_whole_object_is_replaced(
    api: Client,
) -> None:
    await define(api, "plan", "STRING")
    await api(UPSERT, input=ada(plan="gold", free=1))
    replace = {"customFields": "REPLACE"}
    given = ada(plan=None, free=None)
    assert await api.errors(UPSERT, input=given, policy=replace) == [
        ("INVALID_FORMAT", "customFields.plan")
    ]
    for mode in ("MERGE", "REPLACE_KEYS"):
        await api(UPSERT, input=ada(plan="gold"))
        removed = await api(UPSERT, input=ada(plan=None), policy={"customFields": mode})
        assert removed["contact"]["customFields"] == {"free": 1}
    replaced = await api(UPSERT, input=ada(free=None), policy=replace)
    assert replaced["contact"]["customFields"] == {"free": None}
    cleared = await api(UPSERT, input={"email": ADA, "customFields": None}, policy=replace)
    assert cleared["contact"]["customFields"] == {}


async def test_definitions_do_not_change_existing_values(api: Client) -> None:
    await api(UPSERT, input=ada(plan=1))
    await define(api, "plan", "STRING")
    other = await api(UPSERT, input=ada(city="Paris"))
    assert other["contact"]["customFields"] == {"plan": 1, "city": "Paris"}
    await api(REMOVE, key="plan")
    free = await api(UPSERT, input=ada(plan=2))
    assert free["contact"]["customFields"] == {"plan": 2, "city": "Paris"}


async def test_definitions_of_another_workspace_do_not_apply(api: Client, stranger: Client) -> None:
    await define(api, "plan", "STRING")
    assert await stranger(DEFINITIONS) == []
    assert await stranger(REMOVE, key="plan") is None
    await stranger(UPSERT, input=ada(plan=1))
    await define(stranger, "plan", "NUMBER")
    assert [definition["type"] for definition in await api(DEFINITIONS)] == ["STRING"]
    assert await api.errors(UPSERT, input=ada(plan=1)) == [("INVALID_FORMAT", "customFields.plan")]


async def test_definitions_are_read_once_a_call_and_only_for_custom_fields(api: Client) -> None:
    await define(api, "plan", "STRING")
    rows = [ada(plan="gold") | {"email": f"{n}@example.com"} for n in range(50)]
    for inputs, times in ((rows, 1), ([{"email": ADA}, ada()], 0)):
        with statements() as seen:
            await api(BULK, inputs=inputs)
        assert len([one for one in seen if "custom_field " in one]) == times
