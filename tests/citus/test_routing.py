"""Every statement of a request goes to one shard of the workspace, in one round trip to its node.

New rows alone are first read where the server is connected, and then copied into the shard.
"""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from app.database.engine import pooled
from app.database.sessions import Database
from tests.support.client import Client
from tests.support.probes import PROBES, settle
from tests.support.statements import every_statement

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def statements_of_every_root_field(api: Client) -> Mapping[str, Any]:
    sent: dict[str, Any] = {}

    def note(statement: str, parameters: Any) -> None:
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            sent[statement] = parameters[0] if isinstance(parameters, list) else parameters

    target = await settle(api)
    with every_statement(note):
        for probe in (probe for probes in PROBES.values() for probe in probes):
            await api.execute(probe.document, **probe.aim(target))
    return sent


def is_on_one_shard(plan: str) -> bool:
    return "Distributed Subplan" not in plan and set(re.findall(r"Task Count: (\d+)", plan)) == {
        "1"
    }


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
    assert pulled
    assert all(one.startswith("INSERT INTO contact") for one in pulled)
    others = distributed.keys() - pulled
    assert len(others) > 50
    assert {one: plans[one] for one in others if not is_on_one_shard(plans[one])} == {}
