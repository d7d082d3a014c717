"""Statements that are put together as text for each call, such as those of filters.

Their values are parameters, so that calls of the same shape have the same text, which is compiled
once. SQLAlchemy's expressions took ten times as long to be put together for each call.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, Text, Uuid, bindparam, column, text
from sqlalchemy.types import TypeEngine

from app.database.dialect import Dialect
from app.database.prepared import Prepared
from app.tables import CONTACT

# The texts that are kept compiled: filters have many shapes.
STATEMENTS = 256

Types = Mapping[str, TypeEngine[Any]]

_KINDS: dict[type, TypeEngine[Any]] = {
    str: Text(),
    bool: Boolean(),
    int: BigInteger(),
    float: Float(),
    datetime: CONTACT.c.created_at.type,
}
_UUID = Uuid()  # asyncpg's are of a class of their own
_PARAMETER = re.compile(r":(value_\d+)")


class Composition:
    """The parameters of statements that are put together. Each of them compares `:workspace_id` in
    every table of workspaces."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.word = dialect.word
        self.values: dict[str, Any] = {}
        self._kinds: dict[str, TypeEngine[Any]] = {}

    def value(self, value: Any) -> str:
        """The parameter of a value."""
        return self._parameter(value, _KINDS.get(type(value), _UUID))

    def table(self, values: Sequence[Any]) -> str:
        """A table `given` with the column `value`. The values are of one type."""
        as_table, value, kind = self.dialect.values(values)
        return as_table.format(self._parameter(value, kind))

    def prepared(self, statement: str, columns: Types) -> Prepared:
        """The columns are those that the statement returns."""
        used = dict.fromkeys(_PARAMETER.findall(statement))
        kinds = tuple((name, self._kinds[name]) for name in used)
        return _prepared(self.dialect, statement, kinds, tuple(columns.items()))

    def _parameter(self, value: Any, kind: TypeEngine[Any]) -> str:
        name = f"value_{len(self.values)}"
        self.values[name] = value
        self._kinds[name] = kind
        return f":{name}"


@lru_cache(maxsize=STATEMENTS)
def _prepared(
    dialect: Dialect,
    statement: str,
    kinds: Sequence[tuple[str, TypeEngine[Any]]],
    columns: Sequence[tuple[str, TypeEngine[Any]]],
) -> Prepared:
    parameters = [bindparam(name, type_=kind) for name, kind in kinds]
    workspace_id = bindparam("workspace_id", type_=_UUID)
    typed = text(statement).bindparams(workspace_id, *parameters)
    return dialect.prepare(typed.columns(*(column(name, kind) for name, kind in columns)))
