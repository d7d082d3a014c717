"""Whatever a key of one workspace sends, it sees and changes nothing of another.

`PROBES` aims every root field at a contact of somebody else. The same call is then aimed at a
contact that does not exist: both must be answered alike.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from sqlmodel import SQLModel, select

from app.api.graphql.schema import schema
from app.contacts.store.columns import row
from app.database.sessions import Database
from app.tables import CONTACT, Workspace
from tests.support.client import Client
from tests.support.mirrors import difference
from tests.support.probes import (
    CREATE,
    DELETE,
    MISSING,
    OWN,
    PROBES,
    UPDATE,
    UPSERT,
    Target,
    both,
    everything,
    settle,
    told,
)
from tests.support.statements import every_statement
from tests.support.stored import caller_of, contact_of
from tests.support.tenancy import DIRECTORY, TENANT_TABLES

# What a contact of the stranger's own may have by an earlier probe.
IDENTIFIERS = {"external_id", "email", "former_email"}


NEW = {"external_id": "new", "email": "new@example.com"}

TELLS_NOTHING_STORED = {"viewer", "createKey"}

# What reads leaves no trace, so that one workspace serves for all of it.
READS = [name for name, probes in PROBES.items() if "mutation" not in probes[0].document]
GROUPS = [READS, *([name] for name in PROBES if name not in READS)]


@pytest.fixture
async def target(api: Client) -> Target:
    """A contact of the workspace `ours`."""
    return await settle(api)


async def workspace(client: Client) -> UUID:
    return UUID((await client("{ viewer { workspace { id } } }"))["workspace"]["id"])


def redacted(answer: Any, target: Target) -> str:
    """The answer without what was sent, and without the ids of the caller's other contacts."""
    text = json.dumps(answer, sort_keys=True)
    for name, value in asdict(target).items():
        text = re.sub(re.escape(value), f"<{name}>", text, flags=re.IGNORECASE)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", text)


def test_every_root_field_is_called_with_a_contact_of_another_workspace() -> None:
    roots = (schema._schema.query_type, schema._schema.mutation_type)
    fields = [name for root in roots if root is not None for name in root.fields]
    assert difference("PROBES of tests/support/probes.py", PROBES, fields) == []
    assert schema._schema.subscription_type is None


@pytest.mark.parametrize("fields", GROUPS, ids=" ".join)
async def test_contact_of_another_workspace_is_treated_as_missing(
    fields: list[str], api: Client, stranger: Client, target: Target
) -> None:
    await stranger(CREATE, input=OWN)
    before = await everything(api)
    ours, theirs = await workspace(api), await workspace(stranger)
    for probe in (probe for field in fields for probe in PROBES[field]):
        missing = await stranger.execute(probe.document, **probe.aim(MISSING))
        with statements() as sent:
            foreign = await stranger.execute(probe.document, **probe.aim(target))
        for statement, parameters in sent:
            values = str(parameters)
            assert theirs.hex in values.replace("-", ""), statement
            assert ours.hex not in values.replace("-", ""), statement
        assert redacted(foreign, target) == redacted(missing, MISSING), probe
        assert told(foreign, probe.aim(target), target) <= IDENTIFIERS, probe
    assert await everything(api) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("fields", GROUPS, ids=" ".join)
async def test_the_same_probes_reach_a_contact_of_the_own_workspace(
    fields: list[str], api: Client, target: Target
) -> None:
    """Else the test above would show nothing."""
    for field in fields:
        found: set[str] = set()
        for probe in PROBES[field]:
            variables = probe.aim(target)
            found |= told(await api.execute(probe.document, **variables), variables, target)
        assert found or field in TELLS_NOTHING_STORED, field


async def test_uniqueness_holds_in_a_workspace_and_not_across(
    api: Client, stranger: Client, target: Target
) -> None:
    theirs = await stranger(CREATE, input=both(target))
    assert theirs["__typename"] == "ContactCreated"
    await stranger(CREATE, input=OWN)
    former = {"email": target.former_email}
    assert (await stranger(UPDATE, by=OWN, input=former))["__typename"] == "ContactUpdated"
    for client in (api, stranger):
        before = await everything(client)
        again = await client(CREATE, input=both(target))
        assert [reason["code"] for reason in again["reasons"]] == ["ALREADY_EXISTS"] * 2
        assert await everything(client) == before


async def test_conflict_shows_the_contact_of_the_callers_own_workspace(
    api: Client, stranger: Client, target: Target
) -> None:
    own = await settle(stranger)
    assert own.id != target.id
    for document, variables in (
        (CREATE, {"input": both(target)}),
        (CREATE, {"input": {"email": target.former_email}}),
        (UPSERT, {"input": {"externalId": "x", "email": target.email}}),
        (UPDATE, {"by": {"email": target.email}, "input": {"city": "X"}, "ifVersion": 7}),
        (UPDATE, {"by": OWN, "input": both(target)}),
        (DELETE, {"by": {"externalId": target.external_id}, "ifVersion": 7}),
    ):
        conflict = await stranger(document, **variables)
        shown = {reason["contact"]["id"] for reason in conflict["reasons"]}
        assert shown == {own.id}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("field", PROBES)
async def test_a_workspace_never_waits_for_another(
    field: str, api: Client, stranger: Client, database: Database, target: Target
) -> None:
    """All rows of ours are locked, and one with the same identifiers as a new one is on its way.
    Who had to wait would be told UNAVAILABLE. On SQLite there is one writer at a time."""
    caller = caller_of(Workspace(id=await workspace(api), name="ours"))
    await settle(stranger)
    async with database.write_directory() as session:
        connection = await session.connection()
        await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await session.exec(
            insert(CONTACT),
            params=[{"workspace_id": caller.workspace_id, **row(contact_of(1, **NEW))}],
        )
        for name in set(SQLModel.metadata.tables) - DIRECTORY:
            held = SQLModel.metadata.tables[name].c.workspace_id
            await session.exec(select(held).where(held == caller.workspace_id).with_for_update())
        created = await stranger(CREATE, input={"externalId": "new", "email": "new@example.com"})
        assert created["__typename"] == "ContactCreated"
        for probe in PROBES[field]:
            answer = await stranger.execute(probe.document, **probe.aim(target))
            assert "UNAVAILABLE" not in json.dumps(answer), probe
        await session.rollback()


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What any engine is sent meanwhile about a workspace's data, with the parameters.

    That each statement compares the workspace is watched in every test, by `conftest.py`.
    """
    found: list[tuple[str, Any]] = []

    def note(statement: str, parameters: Any) -> None:
        if any(re.search(rf"\b{table}\b", statement) for table in TENANT_TABLES):
            found.append((statement, parameters))

    with every_statement(note):
        yield found
