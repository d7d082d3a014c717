"""Rows of contacts are written by one statement on SQLite, and stored as SQLAlchemy stores them."""

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite.aiosqlite import dialect as sqlite_dialect

from app.contacts.decision.decide import Request
from app.contacts.upsert import upsert
from app.database.sessions import Database
from app.database.sqlite_writes import statement
from app.database.writes import Action, Form
from app.tables import CONTACT, TERM
from tests.support.statements import every_statement
from tests.support.stored import new_workspace

DIALECT = sqlite_dialect(json_serializer=lambda value: orjson.dumps(value).decode())
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
VALUES = {
    "id": st.uuids(),
    "email": st.text(),
    "tags": st.lists(st.text()),
    "custom_fields": st.dictionaries(st.text(), st.none() | st.booleans() | st.text()),
    "lifetime_value": st.none() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False),
    "orders_count": st.none() | st.integers(0, 2**31 - 1),
    "is_active": st.booleans(),
    "created_at": st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=OFFSETS),
    "last_order_at": st.none(),
}


@given(st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=3))
def test_values_are_stored_as_sqlalchemy_stores_them(rows: list[dict[str, Any]]) -> None:
    fill = statement(Form(Action.INSERT, CONTACT, tuple(VALUES)), DIALECT).fill  # type: ignore[attr-defined]  # has one
    by_sqlalchemy = {
        name: CONTACT.c[name].type.dialect_impl(DIALECT).bind_processor(DIALECT) for name in VALUES
    }
    assert [repr(row) for row in fill.arguments_of_rows(rows)] == [
        repr(
            tuple(
                convert(row[name]) if (convert := by_sqlalchemy[name]) else row[name]
                for name in VALUES
            )
        )
        for row in rows
    ]


def test_values_that_all_rows_share_are_given_once() -> None:
    columns = ("kind", "key", "text", "number", "contact_id")
    inserted = statement(Form(Action.INSERT, TERM, columns), DIALECT)
    row = {"kind": "tag", "key": "", "text": "vip", "number": 0.0, "contact_id": UUID(int=1)}
    [first, second] = inserted.arguments_of_rows([row, row], workspace_id=UUID(int=2))
    assert first == second
    assert f"{2:032x}" in first


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_contacts_are_updated_by_one_statement_that_looks_each_of_them_up(
    database: Database,
) -> None:
    caller = await new_workspace(database)
    people = [{"external_id": str(n), "email": f"{n}@example.com"} for n in range(20)]
    await upsert(database, caller, [Request(one) for one in people])
    updates: list[str] = []

    def note(statement: str, _: Any) -> None:
        if statement.startswith("UPDATE contact "):
            updates.append(statement)

    with every_statement(note):
        await upsert(database, caller, [Request(one | {"company": "Acme"}) for one in people])
    [update] = updates
    async with database.write(caller) as session:
        connection = await session.connection()
        explained = await connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {update}", (caller.workspace_id.hex,)
        )
        steps = [step for *_, step in explained]
        left = await connection.exec_driver_sql("SELECT count(*) FROM temp.given")
    scan, search = steps
    assert scan.startswith("SCAN")
    assert search.startswith("SEARCH contact USING ")
    assert search.endswith("INDEX contact_id (workspace_id=? AND id=?)")
    assert left.scalar_one() == 0
