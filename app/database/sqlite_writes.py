"""Writes rows on SQLite: one statement for each row, or one for all of them.

FTS5 writes its index out before each statement of a transaction that might fail in the middle, as
one with triggers might. For rows of a table with a text index that is most of their time. So these
are put into a temporary table, and written from there by one statement.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from sqlite3 import Connection
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    JSON,
    ColumnElement,
    Dialect,
    Executable,
    Table,
    TableClause,
    Uuid,
    bindparam,
    column,
    delete,
    insert,
    select,
    table,
    update,
)
from sqlmodel.sql.sqltypes import UTCDateTime

from app.database.prepared import Prepared, Processors
from app.database.writes import STATEMENTS, Action, Form, Part, Row
from app.tables import CONTACT

_TEXT_INDEXED = {CONTACT.name}


def _stored_datetime(at: datetime) -> str:
    """In UTC without an offset, as SQLAlchemy stores it."""
    return at.astimezone(UTC).isoformat(" ", "microseconds")[:-6]


def _stored_json(value: Any) -> str:
    return orjson.dumps(value).decode()


_TO_DRIVER: Processors = {
    Uuid: attrgetter("hex"),
    UTCDateTime: _stored_datetime,
    JSON: _stored_json,
}


class _OnGiven(Prepared):
    """A statement on the rows of the temporary table, which `fill` puts there."""

    def __init__(self, statement: Executable, given: TableClause, dialect: Dialect) -> None:
        super().__init__(statement, dialect, {}, _TO_DRIVER)
        self.fill = Prepared(insert(given).values(_parameters(given)), dialect, {}, _TO_DRIVER)


def create_temporary_table(driver: Any) -> None:
    """With the columns of every table whose rows are written from it, in memory."""
    cursor = driver.cursor()
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.execute(f"CREATE TEMPORARY TABLE given ({', '.join(CONTACT.c.keys())})")
    cursor.close()


def write(driver: Connection, dialect: Dialect, workspace_id: UUID, parts: Sequence[Part]) -> None:
    """Runs in the thread of the driver."""
    for form, rows in parts:
        write_rows(driver, statement(form, dialect), workspace_id, rows)


def write_rows(
    driver: Connection, written: Prepared, workspace_id: UUID, rows: Sequence[Row]
) -> None:
    if not isinstance(written, _OnGiven):
        many = written.arguments_of_rows(rows, workspace_id=workspace_id)
        driver.executemany(written.text, many)
        return
    driver.executemany(written.fill.text, written.fill.arguments_of_rows(rows))
    driver.execute(written.text, written.arguments(workspace_id=workspace_id))
    driver.execute("DELETE FROM temp.given")


@lru_cache(maxsize=STATEMENTS)
def statement(form: Form, dialect: Dialect) -> Prepared:
    action, into, columns = form
    if action is Action.DELETE:
        where = (key == bindparam(key.name) for key in into.primary_key)
        return Prepared(delete(into).where(*where), dialect, {}, _TO_DRIVER)
    given = _given(into, columns)
    if action is Action.UPDATE:
        new = {one.name: one for one in given.c if not into.c[one.name].primary_key}
        updated = update(into).where(*_named(into, given)).values(new)
        return _OnGiven(updated, given, dialect)
    workspace_id = bindparam("workspace_id", type_=Uuid)
    if into.name in _TEXT_INDEXED:
        rows = select(workspace_id, *given.c)
        inserted = insert(into).from_select(["workspace_id", *columns], rows)
        return _OnGiven(inserted, given, dialect)
    values = {"workspace_id": workspace_id, **_parameters(given)}
    return Prepared(insert(into).values(values), dialect, {}, _TO_DRIVER)


def _given(table_: Table, columns: Sequence[str]) -> TableClause:
    return table("given", *(column(name, table_.c[name].type) for name in columns), schema="temp")


def _parameters(given: TableClause) -> dict[str, ColumnElement[Any]]:
    return {one.name: bindparam(one.name, type_=one.type) for one in given.c}


def _named(of: Table, given: TableClause) -> list[ColumnElement[bool]]:
    workspace_id = bindparam("workspace_id", type_=Uuid)
    return [
        key == (workspace_id if key.name == "workspace_id" else given.c[key.name])
        for key in of.primary_key
    ]
