"""Writes rows on Citus, which sends each of these statements to the shard of the workspace.

It does so with an INSERT ... SELECT that reads a row of the workspace in a table. Therefore the
first row is inserted alone, and the statement of the others reads that one. Otherwise the node that
the server is connected to would read the new rows, and copy them into the shard.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, Uuid, bindparam, insert, select

from app.database.postgresql_writes import document, given_rows, written
from app.database.prepared import Prepared
from app.database.writes import STATEMENTS, Action, Form, Part

# Rows are inserted one by one, in one round trip, up to this number: it takes less time.
FEW = 8

# Of the parameters with the primary key of the first row.
_FIRST = "first_"


def routed(
    part: Part, dialect: Dialect, workspace_id: UUID
) -> Iterator[tuple[str, Sequence[tuple[Any, ...]]]]:
    """Each statement that writes the part, and the arguments of each time that it runs."""
    form, rows = part
    if form.action is not Action.INSERT:
        text, arguments = written([part], dialect, workspace_id, routed=True)
        yield text, [tuple(arguments)]
        return
    few = rows if len(rows) <= FEW else rows[:1]
    one = _one(form, dialect)
    yield one.text, one.arguments_of_rows(few, workspace_id=workspace_id)
    if others := rows[len(few) :]:
        after = _others(form, dialect)
        first = {f"{_FIRST}{name}": rows[0][name] for name in _key(form)}
        given = document(others)
        yield after.text, [after.arguments(workspace_id=workspace_id, given=given, **first)]


def _key(form: Form) -> Iterator[str]:
    """The primary key, without the workspace."""
    return (key.name for key in form.table.primary_key if key.name != "workspace_id")


@lru_cache(maxsize=STATEMENTS)
def _one(form: Form, dialect: Dialect) -> Prepared:
    _, table, columns = form
    names = ("workspace_id", *columns)
    values = {name: bindparam(name, type_=table.c[name].type) for name in names}
    return Prepared(insert(table).values(values), dialect, {})


@lru_cache(maxsize=STATEMENTS)
def _others(form: Form, dialect: Dialect) -> Prepared:
    _, table, columns = form
    first = table.alias("first")
    given = given_rows(table, columns)
    new = select(first.c.workspace_id, *given.c).where(
        first.c.workspace_id == bindparam("workspace_id", type_=Uuid),
        *(first.c[name] == bindparam(f"{_FIRST}{name}") for name in _key(form)),
    )
    inserted = insert(table).from_select(["workspace_id", *columns], new)
    return Prepared(inserted, dialect, {})
