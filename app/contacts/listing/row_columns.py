"""The columns of a contact that a statement reads in a subquery called `held`.

SQLAlchemy copies the columns of a subquery for each statement, all of them and at each level, which
took a quarter of the time of a filtered page. These are made once, and only those that a statement
uses are read.
"""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, literal_column
from sqlmodel import col

from app.tables import ContactTable

_NAME = "held"
_READ: dict[str, Any] = {
    name: col(getattr(ContactTable, name)).label(name) for name in ContactTable.model_fields
} | {"id": col(ContactTable.id)}
_HELD = {name: literal_column(f"{_NAME}.{name}", read.type) for name, read in _READ.items()}


class RowColumns:
    """By the names of the attributes of `ContactTable`."""

    def __init__(self) -> None:
        self._used = {"id": _READ["id"]}

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        self._used[name] = _READ[name]
        return _HELD[name]

    @property
    def used(self) -> list[ColumnElement[Any]]:
        """What the subquery has to read, the id first: to be asked for at the end."""
        return list(self._used.values())

    @staticmethod
    def of(read: Select[Any]) -> FromClause:
        """The subquery that has them."""
        return read.subquery(_NAME)
