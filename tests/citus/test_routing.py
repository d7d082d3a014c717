"""Every statement of a request goes to one shard of the workspace, in one round trip to its node.

New rows alone are first read where the server is connected, and then copied into the shard. A
statement that has them as parameters goes there at once, and takes longer.
"""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from app.database.engine import pooled
from app.database.sessions import Database
from app.tables import CONTACT, IDENTIFIER, TERM
from tests.support.client import Client
from tests.support.probes import PROBES, settle
from tests.support.statements import every_statement

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def statements_of_every_root_field(api: Client) -> Mapping[str, Any]:
    sent: dict[str, Any] = {}

    def note(statement: str, parameters: Any) -> None:
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            several = isinstance(parameters, list) and isinstance(parameters[0], tuple)
            sent[statement] = parameters[0] if several else parameters

    target = await settle(api)
    with every_statement(note):
        for probe in (probe for probes in PROBES.values() for probe in probes):
            await api.execute(probe.document, **probe.aim(target))
    return sent


def is_on_one_shard(plan: str) -> bool:
    return "Distributed Subplan" not in plan and set(re.findall(r"Task Count: (\d+)", plan)) == {
        "1"
    }


async def shards_of_copies(driver: Any, statement: str, parameters: Any) -> list[str]:
    """Where the statement copies the rows that it inserts. It leaves nothing behind."""
    told: list[str] = []

    def note(_: Any, message: Any) -> None:
        told.append(str(message))

    driver.add_log_listener(note)
    transaction = driver.transaction()
    await transaction.start()
    for table in (CONTACT, IDENTIFIER, TERM):
        of_workspace = f"DELETE FROM {table.name} WHERE workspace_id = $1"  # noqa: S608  # of names alone
        await driver.execute(of_workspace, parameters[0])
    await driver.execute("SET LOCAL citus.log_remote_commands = on")
    await driver.fetch(statement, *parameters)
    await transaction.rollback()
    driver.remove_log_listener(note)
    return re.findall(r"issuing COPY (\S+)", "\n".join(told))


async def test_every_statement_goes_to_one_shard(api: Client, database: Database) -> None:
    sent = await statements_of_every_root_field(api)
    assert len(sent) > 50
    plans = {}
    async with pooled(database.dialect.writer) as connection:
        driver: Any = connection.driver_connection
        for statement, parameters in sent.items():
            found = await driver.fetch(f"EXPLAIN {statement}", *parameters)
            plans[statement] = "\n".join(row[0] for row in found)
        distributed = {one: plan for one, plan in plans.items() if "Citus" in plan}
        pulled = {one for one, plan in distributed.items() if "pull to coordinator" in plan}
        copied = {one: await shards_of_copies(driver, one, sent[one]) for one in pulled}
    assert pulled
    assert all(one.startswith("INSERT INTO contact") for one in pulled)
    assert {one: shards for one, shards in copied.items() if len(shards) != 1} == {}
    others = distributed.keys() - pulled
    assert len(others) > 50
    assert {one: plans[one] for one in others if not is_on_one_shard(plans[one])} == {}
