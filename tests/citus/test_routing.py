"""Every statement of a request goes to one shard of the workspace, in one round trip."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from app.contacts.keys import ContactKey
from app.contacts.store.find import find
from app.database.citus_writes import FEW
from app.database.engine import pooled
from app.database.sessions import Database
from tests.support.client import Client
from tests.support.probes import PROBES, settle
from tests.support.statements import every_statement, of_one_run
from tests.support.stored import add, contact_of, new_workspace

# What inserts rows into a table: a few, and more of them.
ONE_BY_ONE = r"INSERT INTO {} \([^)]*\) VALUES"
TOGETHER = r"INSERT INTO {} \([^)]*\) SELECT"
TABLES = ("contact", "contact_identifier", "contact_term")

SETTINGS = """
    SELECT current_setting(wanted) FROM unnest(ARRAY[
        'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
        'enable_seqscan', 'enable_sort', 'enable_bitmapscan'
    ]) AS wanted
"""

BULK = "mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created } }"

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def statements_of_every_root_field(api: Client) -> Mapping[str, Any]:
    sent: dict[str, Any] = {}

    def note(statement: str, parameters: Any) -> None:
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            sent[statement] = of_one_run(parameters)

    target = await settle(api)
    with every_statement(note):
        for probe in (probe for probes in PROBES.values() for probe in probes):
            await api.execute(probe.document, **probe.aim(target))
        new = [{"email": f"{number}@example.com", "tags": ["new"]} for number in range(FEW + 1)]
        await api(BULK, inputs=new)
    return sent


def is_on_one_shard(plan: str) -> bool:
    return "Distributed Subplan" not in plan and set(re.findall(r"Task Count: (\d+)", plan)) == {
        "1"
    }


async def test_every_statement_goes_to_one_shard(api: Client, database: Database) -> None:
    sent = await statements_of_every_root_field(api)
    for table in TABLES:
        few, many = (inserted.format(table) for inserted in (ONE_BY_ONE, TOGETHER))
        assert any(re.match(few, one) for one in sent), few
        assert any(re.match(many, one) for one in sent), many
    plans = {}
    async with pooled(database.dialect.writer) as connection:
        driver: Any = connection.driver_connection
        for statement, parameters in sent.items():
            found = await driver.fetch(f"EXPLAIN {statement}", *parameters)
            plans[statement] = "\n".join(row[0] for row in found)
    distributed = {one: plan for one, plan in plans.items() if "Citus" in plan}
    assert len(distributed) > 50
    assert {one: plan for one, plan in distributed.items() if not is_on_one_shard(plan)} == {}


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 3 * FEW])
async def test_rows_are_stored_as_they_are_given(database: Database, count: int) -> None:
    tenant = await new_workspace(database)
    given = [
        contact_of(
            number,
            company='Ed\'s "Shop" \\ $1',
            lifetime_value=0.1,
            tags=["all", f"tag {number}"],
            custom_fields={"plan": "pro", "seats": number, "none": None},
        )
        for number in range(count)
    ]
    await add(database, tenant, given)
    async with database.read(tenant) as session:
        found = await find(session, [ContactKey.of_id(contact.id) for contact in given])
    assert [found.by_id(contact.id) for contact in given] == given
    terms = text("SELECT count(*) FROM contact_term WHERE workspace_id = :workspace_id")
    async with database.read_directory() as session:
        values = {"workspace_id": tenant.workspace_id}
        assert await (await session.connection()).scalar(terms, values) == 4 * count


async def test_settings_of_a_transaction_reach_the_shard_in_one_message(
    database: Database,
) -> None:
    tenant = await new_workspace(database)
    await add(database, tenant, [contact_of(1)])
    told: list[str] = []
    async with database.write(tenant) as session:
        connection = await session.connection()
        driver: Any = (await connection.get_raw_connection()).driver_connection
        own = await connection.scalars(text(SETTINGS))
        driver.add_log_listener(lambda _, message: told.append(str(message)))
        await driver.execute("SET LOCAL citus.log_remote_commands = on")
        of_shard = await driver.fetch(
            f"{SETTINGS}, contact WHERE workspace_id = $1", tenant.workspace_id
        )
    assert [row[0] for row in of_shard] == list(own)
    assert "\n".join(told).count("SET LOCAL lock_timeout") == 1
    assert "already a transaction" not in "\n".join(told)
