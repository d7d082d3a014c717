"""Every statement of an upsert, a bulk, an update and a deletion reads by the primary key alone.

That has to hold for a young workspace of a full PostgreSQL: until ANALYZE has seen it, the planner
knows nothing of it. On Citus, the plans are those of the node that has the shard.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app.contacts.decision.decide import Request
from app.contacts.delete import delete_by_keys
from app.contacts.edit import Edit
from app.contacts.keys import ContactKey
from app.contacts.store.find import find_each
from app.contacts.update import update_by_keys
from app.contacts.upsert import upsert
from app.database.sessions import Database
from app.tables import CONTACT, IDENTIFIER, TERM, Contact
from app.workspaces.keys import Caller
from tests.support.citus import ON_CITUS
from tests.support.statements import every_statement, of_one_run
from tests.support.stored import add, contact_of, new_workspace

pytestmark = [
    pytest.mark.own_database,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]

TABLES = {
    table.name: [key.name for key in table.primary_key] for table in (CONTACT, IDENTIFIER, TERM)
}
ROWS = 1_000

Sent = list[tuple[str, tuple[Any, ...]]]


def person(number: int) -> Contact:
    return contact_of(
        number,
        external_id=f"c{number}",
        company=f"Company {number % 100}",
        tags=["all", f"tag {number % 50}"],
        custom_fields={"plan": "pro", "seats": number % 10},
    )


def given(number: int, **changed: Any) -> Request:
    return Request({"external_id": f"c{number}", "email": f"{number}@example.com"} | changed)


@contextmanager
def noted(sent: Sent) -> Iterator[None]:
    def note(statement: str, parameters: Any) -> None:
        if any(table in statement for table in TABLES):
            sent.append((statement, of_one_run(parameters)))

    with every_statement(note):
        yield


async def write(database: Database, caller: Caller, ours: int, sent: Sent) -> None:
    """A bulk, an upsert, an update and a deletion, of contacts that are there and of new ones."""
    there = range(0, ROWS // 2)
    absent = range(ours, ours + ROWS // 2)
    changed = {"tags": ["other"], "company": "Other", "custom_fields": {"plan": "free"}}
    moved = [given(number, email=f"moved{number}@example.com", **changed) for number in there]
    new = [given(number, tags=["new"]) for number in absent]
    with noted(sent):
        await upsert(database, caller, [*moved, *new], dry_run=True)
        await upsert(database, caller, [*moved, *new])
        await upsert(database, caller, [given(ours + ROWS)])
        keys = [ContactKey.of_email(f"{number}@example.com") for number in range(600, 700)]
        await find_each(database, caller, keys)
        edit = Edit(Request({"tags": ["edited"], "custom_fields": {"plan": "free"}}))
        await update_by_keys(database, caller, keys, edit, dry_run=False)
        await delete_by_keys(database, caller, keys, dry_run=False)


# A shard has the name of the table and its number.
SHARD = re.compile(r"_\d+$")


def reads(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The steps that read one of the tables."""
    if (
        SHARD.sub("", plan.get("Relation Name", "")) in TABLES
        and plan["Node Type"] != "ModifyTable"
    ):
        yield plan
    for task in plan.get("Distributed Query", {}).get("Job", {}).get("Tasks", ()):
        [[on_node]] = task["Remote Plan"]
        yield from reads(on_node["Plan"])
    for step in plan.get("Plans", ()):
        yield from reads(step)


def is_by_primary_key(step: dict[str, Any]) -> bool:
    table = SHARD.sub("", step["Relation Name"])
    condition = step.get("Index Cond", "")
    return (
        step["Node Type"] in ("Index Scan", "Index Only Scan")
        and SHARD.sub("", step["Index Name"]) == f"{table}_pkey"
        and all(f"({column} = " in condition for column in TABLES[table])
    )


# The node that has the shard is given the values of the parameters each time.
MODES = ["force_custom_plan"] if ON_CITUS else ["force_custom_plan", "force_generic_plan"]


def quoted(value: Any) -> str:
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


def faults(connection: Connection, sent: Sent) -> list[Any]:
    """The steps of each statement's plans, for its parameters and for any, that are not so."""
    found = []
    for number, (statement, parameters) in enumerate(sent):
        connection.exec_driver_sql(f"PREPARE s{number} AS {statement}")
        values = ", ".join(map(quoted, parameters))
        for mode in MODES:
            connection.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
            explain = f"EXPLAIN (FORMAT JSON) EXECUTE s{number} ({values})"
            [[root]] = connection.exec_driver_sql(explain).one()
            steps = list(reads(root["Plan"]))
            assert steps or "INSERT" in statement
            found += [(mode, step, statement) for step in steps if not is_by_primary_key(step)]
        connection.exec_driver_sql(f"DEALLOCATE s{number}")
    return found


ANALYSE = f"ANALYZE {', '.join(TABLES)}"
FORGET = """
    WITH forgotten AS (DELETE FROM pg_statistic WHERE starelid = CAST('{0}' AS regclass))
    UPDATE pg_class SET reltuples = -1 WHERE oid = CAST('{0}' AS regclass)
"""


def forget(connection: Connection, table: str) -> None:
    if not ON_CITUS:
        connection.execute(text(FORGET.format(table)))
        return
    on_shards = text("SELECT bool_and(success) FROM run_command_on_shards(:table, :command)")
    values = {"table": table, "command": FORGET.format("%1$s")}
    assert connection.scalar(on_shards, values)


# Citus has to compare the table's own workspace with the given one. Where a shard has some hundred
# contacts, and statistics of one, that is expected to find one row, and is read once as a whole.
plain_only = pytest.mark.skipif(ON_CITUS, reason="a write may read a small workspace as a whole")


@pytest.mark.parametrize(
    ("analysed", "others_count", "ours_count"),
    [
        (0, 20_000, 3_000),
        (2, 20_000, 3_000),
        (60, 20_000, 3_000),
        (2, 0, 3_000),
        pytest.param(1, 0, 800, marks=plain_only),
    ],
)
async def test_every_write_reads_by_primary_key_whatever_the_statistics_say(
    database: Database, analysed: int, others_count: int, ours_count: int
) -> None:
    """The first statistics are those of a table with so many contacts. Later there are those of
    other workspaces."""
    async with database.write_directory() as session:
        connection = await session.connection()
        for table in TABLES:
            await connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
    early = await new_workspace(database)
    await add(database, early, map(person, range(analysed)))
    async with database.write_directory() as session:
        await (await session.connection()).execute(text(ANALYSE))
    others = [await new_workspace(database) for _ in range(2)]
    for caller in others:
        await add(database, caller, map(person, range(others_count // 2)))
    ours = await new_workspace(database)
    await add(database, ours, map(person, range(ours_count)))
    sent: Sent = []
    await write(database, ours, ours_count, sent)
    written = re.compile(r"(DELETE|INSERT|UPDATE) (?:FROM |INTO )?(\w+)")
    assert {found for one, _ in sent for found in written.findall(one)} == {
        ("UPDATE", "contact"),
        *((verb, table) for verb in ("DELETE", "INSERT") for table in TABLES),
    }

    async with database.write_directory() as session:
        connection = await session.connection()
        assert await connection.run_sync(faults, sent) == []  # with statistics of empty tables
        for table in TABLES:
            await connection.run_sync(forget, table)
        assert await connection.run_sync(faults, sent) == []
        await connection.execute(text(ANALYSE))
        assert await connection.run_sync(faults, sent) == []
