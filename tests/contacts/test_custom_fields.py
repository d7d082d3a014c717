"""Custom fields that a workspace defines: made, changed, listed, removed, loaded as a set."""

import asyncio
from typing import Any

import pytest

from app.contacts.limits import CUSTOM_FIELDS_LIMIT
from app.database.sessions import Database
from app.tables import CustomField
from app.workspaces import workspaces
from app.workspaces.keys import Scope
from tests.conftest import client_of
from tests.support.client import Client, InProcess
from tests.support.commands import Result, Rollcall

DEFINE = """
mutation ($input: CustomFieldInput!) {
  defineCustomField(input: $input) { key type label description }
}
"""
REMOVE = "mutation ($key: String!) { removeCustomField(key: $key) { key type } }"
DEFINITIONS = "{ customFieldDefinitions { key type label description } }"


async def define(api: Client, key: str, kind: str, **texts: str | None) -> Any:
    return await api(DEFINE, input={"key": key, "type": kind, **texts})


async def test_definitions_are_made_changed_listed_and_removed(api: Client) -> None:
    assert await api(DEFINITIONS) == []
    plan = {"key": "plan", "type": "STRING", "label": "Plan", "description": None}
    assert await define(api, " plan ", "STRING", label=" Plan ") == plan
    age = {"key": "age", "type": "NUMBER", "label": None, "description": "In years."}
    assert await define(api, "age", "NUMBER", description="In years.") == age
    assert await api(DEFINITIONS) == [age, plan]

    assert await define(api, "plan", "STRING") == plan
    changed = plan | {"label": None, "description": "What they pay for."}
    assert await define(api, "plan", "STRING", label=None, description="What they pay for.") == (
        changed
    )
    assert await api(REMOVE, key=" age ") == {"key": "age", "type": "NUMBER"}
    assert await api(REMOVE, key="age") is None
    assert await api(DEFINITIONS) == [changed]


async def test_another_type_is_refused_until_the_definition_is_removed(api: Client) -> None:
    await define(api, "plan", "STRING")
    answer = await api.execute(DEFINE, input={"key": "plan", "type": "NUMBER", "label": "Plan"})
    [error] = answer["errors"][0]["extensions"]["errors"]
    assert (error["code"], error["field"]) == ("INVALID_FORMAT", "type")
    assert error["message"] == "must be STRING, the type of plan, until the definition is removed"
    assert (await api(DEFINITIONS))[0]["label"] is None
    await api(REMOVE, key="plan")
    await define(api, "plan", "NUMBER")


async def test_every_broken_limit_of_a_definition_is_named(api: Client) -> None:
    texts = {"key": "k" * 101, "label": "l" * 256, "description": "d" * 10_001}
    errors = await api.errors(DEFINE, input={"type": "STRING", **texts})
    assert errors == [("TOO_LONG", "key"), ("TOO_LONG", "label"), ("TOO_LONG", "description")]
    texts = {"key": "k" * 100, "label": "l" * 255, "description": "d" * 10_000}
    assert await api(DEFINE, input={"type": "STRING", **texts}) == {"type": "STRING", **texts}
    for key in ("", " \u00a0", "nul\x00"):
        errors = await api.errors(DEFINE, input={"key": key, "type": "STRING"})
        assert errors == [("INVALID_FORMAT", "key")]
    assert await api.errors(REMOVE, key="nul\x00") == [("INVALID_FORMAT", "key")]


async def test_a_workspace_has_at_most_500_definitions_however_many_race(
    api: Client, database: Database
) -> None:
    async with database.write_directory() as session:
        ours = await workspaces.find_workspace(session, "ours")
        for number in range(CUSTOM_FIELDS_LIMIT - 1):
            session.add(CustomField(workspace_id=ours.id, key=f"field_{number}", type="STRING"))
    answers = await asyncio.gather(
        *(api.execute(DEFINE, input={"key": f"last_{n}", "type": "STRING"}) for n in range(8))
    )
    errors = [answer["errors"][0]["extensions"] for answer in answers if "errors" in answer]
    assert [(e["code"], e["errors"][0]["code"]) for e in errors] == [
        ("BAD_USER_INPUT", "TOO_MANY")
    ] * 7
    assert len(await api(DEFINITIONS)) == CUSTOM_FIELDS_LIMIT
    await define(api, "field_0", "STRING", label="One that is defined can still be changed.")


async def test_of_callers_at_once_all_define_one_definition_and_one_removes_it(
    api: Client,
) -> None:
    await asyncio.gather(*(define(api, "plan", "STRING", label=str(n)) for n in range(16)))
    assert [definition["key"] for definition in await api(DEFINITIONS)] == ["plan"]
    removed = await asyncio.gather(*(api(REMOVE, key="plan") for _ in range(16)))
    assert sorted(removed, key=str) == [None] * 15 + [{"key": "plan", "type": "STRING"}]


@pytest.mark.parametrize("document", [DEFINE, REMOVE])
async def test_definitions_are_changed_by_admins_and_listed_by_readers(
    api: Client, http: InProcess, database: Database, document: str
) -> None:
    await define(api, "plan", "STRING")
    scopes = (Scope.CONTACTS_READ, Scope.CONTACTS_WRITE)
    writer = await client_of(http, database, "ours", scopes, is_new=False)
    variables = {"key": "plan", "input": {"key": "plan", "type": "STRING", "label": "Plan"}}
    answer = await writer.execute(document, **variables)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert [definition["label"] for definition in await writer(DEFINITIONS)] == [None]


async def test_the_command_loads_the_slots_and_is_safe_to_repeat(
    api: Client, database_url: str, rollcall: Rollcall
) -> None:
    async def load(workspace: str) -> tuple[int, str]:
        def run() -> Result:
            command = ["custom-field", "load", "notifuse", "--workspace", workspace]
            return rollcall(*command, DATABASE_URL=database_url)

        done = await asyncio.to_thread(run)  # as it has an event loop of its own
        return done.code, done.out + done.err

    assert await load("ours") == (0, "The 20 custom fields of notifuse are defined.\n")
    kinds = ("DATETIME", "JSON", "NUMBER", "STRING")
    slots = [(f"custom_{kind.lower()}_{n}", kind) for kind in kinds for n in range(1, 6)]
    listed = await api(DEFINITIONS)
    assert [(definition["key"], definition["type"]) for definition in listed] == slots

    await define(api, "custom_json_1", "JSON", label="Preferences")
    await api(REMOVE, key="custom_json_2")
    assert (await load("ours"))[0] == 0
    labels = {definition["key"]: definition["label"] for definition in await api(DEFINITIONS)}
    assert len(labels) == 20
    assert labels["custom_json_1"] == "Preferences"

    assert await load("nobody's") == (1, "rollcall: Workspace nobody's does not exist.\n")
    for key in ("custom_json_1", "custom_json_2"):
        await api(REMOVE, key=key)
    await define(api, "custom_json_2", "STRING")
    code, message = await load("ours")
    assert (code, "must be STRING, the type of custom_json_2, until" in message) == (1, True)
    assert len(await api(DEFINITIONS)) == 19
