"""Writes: rows of a table to insert, update or delete. A session runs several of them together."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from sqlalchemy import Table

# The statements that are kept prepared: updates have many sets of columns.
STATEMENTS = 256

Row = Mapping[str, Any]


class Action(Enum):
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class Write(NamedTuple):
    """All rows have the same columns, in the same order, without the workspace."""

    action: Action
    table: Table
    rows: Iterable[Row]


def insert(table: Table, rows: Iterable[Row]) -> Write:
    """In the order of the rows."""
    return Write(Action.INSERT, table, rows)


def update(table: Table, rows: Iterable[Row]) -> Write:
    """Each row has its primary key and the columns to set."""
    return Write(Action.UPDATE, table, rows)


def delete(table: Table, rows: Iterable[Row]) -> Write:
    """Each row is the primary key of one to delete."""
    return Write(Action.DELETE, table, rows)


class Form(NamedTuple):
    """What the statement of a write depends on."""

    action: Action
    table: Table
    columns: tuple[str, ...]


Part = tuple[Form, Sequence[Row]]  # of a write: at least one row
