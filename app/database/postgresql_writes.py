"""Writes rows on PostgreSQL: all parts in one statement, the rows of each as one JSON document."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    JSON,
    ColumnElement,
    Dialect,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import array

from app.database.prepared import Prepared
from app.database.writes import STATEMENTS, Action, Form, Part, Row

# Of the text of a statement: it quotes no text that might have it too.
_PARAMETER = re.compile(r"\$(\d+)")


def written(
    parts: Sequence[Part], dialect: Dialect, workspace_id: UUID, *, routed: bool = False
) -> tuple[str, Sequence[Any]]:
    """The statement that writes all parts, and its arguments; `routed` by Citus."""
    statements = tuple(_statement(form, dialect, routed) for form, _ in parts)
    arguments: list[Any] = []
    for one, (form, rows) in zip(statements, parts, strict=True):
        given = document(_with_workspace(form, rows, workspace_id))
        arguments += one.arguments(workspace_id=workspace_id, given=given)
    return _together(statements), arguments


@lru_cache(maxsize=STATEMENTS)
def _together(statements: tuple[Prepared, ...]) -> str:
    """One statement of several, whose parameters follow one another.

    Each of them is compiled once, because there are many more combinations, and SQLAlchemy takes
    milliseconds for one.
    """
    *others, last = statements
    texts = []
    before = 0  # parameters
    for number, one in enumerate(others, 1):
        texts.append(f"written_{number} AS ({_renumbered(one.text, before)})")
        before += one.parameters_count
    start = f"WITH {', '.join(texts)} " if texts else ""
    return start + _renumbered(last.text, before)


def _renumbered(statement: str, before: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + before}", statement)


@lru_cache(maxsize=STATEMENTS)
def _statement(form: Form, dialect: Dialect, routed: bool) -> Prepared:
    action, table, columns = form
    if action is Action.INSERT:
        given = given_rows(table, columns)
        new = select(bindparam("workspace_id", type_=Uuid), *given.c)
        inserted = insert(table).from_select(["workspace_id", *columns], new)
        return Prepared(inserted, dialect, {})
    given = given_rows(table, ("workspace_id", *columns))
    named = list(_named(table, given, routed=routed))
    if action is Action.DELETE:
        return Prepared(delete(table).where(*named), dialect, {})
    values = {table.c[one.name]: one for one in given.c if not table.c[one.name].primary_key}
    return Prepared(update(table).where(*named).values(values), dialect, {})


def given_rows(table: Table, names: Sequence[str]) -> Any:
    """The rows of the parameter `given`, a JSON document."""
    columns = (column(name, table.c[name].type) for name in names)
    recordset = func.json_to_recordset(cast(bindparam("given", type_=Text), JSON))
    return recordset.table_valued(*columns, name="given").render_derived(with_types=True)


def _named(table: Table, given: Any, *, routed: bool) -> Iterator[ColumnElement[bool]]:
    """The table's own workspace is compared with that of each given row alone, so that nothing can
    be read of the workspace but by the whole primary key, whatever the statistics say. By the
    condition on the given rows, the planner expects next to none of them.

    Citus has to know the workspace itself, to find its shard. From a list of one, the planner
    draws fewer conclusions; but where it expects one row of the workspace, it may read it whole.
    """
    workspace = any_(array([bindparam("workspace_id", type_=Uuid)]))
    yield given.c.workspace_id == workspace
    for key in table.primary_key:
        is_known = routed and key.name == "workspace_id"
        yield key == (workspace if is_known else given.c[key.name])


def _with_workspace(form: Form, rows: Sequence[Row], workspace_id: UUID) -> Sequence[Row]:
    """As `_named` compares it."""
    if form.action is Action.INSERT:
        return rows
    text = str(workspace_id)
    return [{"workspace_id": text, **row} for row in rows]


def document(rows: Sequence[Row]) -> str:
    # asyncpg's UUIDs are of a class of their own, which is passed as text.
    return orjson.dumps(rows, default=str).decode()
