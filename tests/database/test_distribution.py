"""What `rollcall distribute` would do, without Citus. tests/citus has what it does."""

from pathlib import Path

import pytest
from sqlalchemy import inspect
from sqlmodel import SQLModel

from app.database.citus import placements
from app.database.sessions import Database
from tests.support.citus import ON_CITUS
from tests.support.commands import Rollcall, refused


async def test_each_table_has_a_place_and_only_the_directory_is_on_every_node(
    database: Database,
) -> None:
    async with database.read_directory() as session:
        connection = await session.connection()
        tables = await connection.run_sync(lambda one: inspect(one).get_table_names())
    expected = {table for table in tables if not table.startswith("contact_text")}
    assert sorted(one.table for one in placements()) == sorted(expected)
    on_every_node = {one.table for one in placements() if not one.by_workspace}
    assert on_every_node == {"workspace", "api_key", "alembic_version"}


def test_table_is_distributed_after_those_that_it_refers_to() -> None:
    done: set[str] = set()
    for placement in placements():
        table = SQLModel.metadata.tables.get(placement.table)
        if table is not None:
            assert {key.column.table.name for key in table.foreign_keys} <= done
        done.add(placement.table)


@pytest.mark.skipif(ON_CITUS, reason="every database has Citus")
def test_distributing_a_database_without_citus_says_what_is_missing(
    rollcall: Rollcall, tmp_path: Path, database_url: str
) -> None:
    line = refused(rollcall("distribute", DATABASE_URL=database_url))
    assert line.startswith("rollcall: rollcall distribute needs a PostgreSQL with Citus: ")
