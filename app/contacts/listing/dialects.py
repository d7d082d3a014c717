"""Text indexes, which are of another kind on each database."""

from functools import singledispatch
from typing import Any

from sqlalchemy import ColumnElement, Select, case, column, func, literal_column, select, table
from sqlmodel import col

from app.database.dialect import Dialect
from app.database.postgresql import PostgreSQL
from app.database.sqlite import SQLite
from app.database.text_indexes import UNBROKEN
from app.tables import CONTACT, ContactTable

Source = tuple[Select[Any], ColumnElement[int]]


@singledispatch
def text_source(dialect: Dialect, name: str, wanted: str, limit: int) -> Source:
    """What selects the ids of the contacts that have the text in the column, by its index, and
    their number. Where that is above the limit, or there is no index, the number is above it."""
    raise NotImplementedError(dialect)


@text_source.register
def _(dialect: PostgreSQL, name: str, wanted: str, limit: int) -> Source:
    unbroken = func.rollcall_unbroken(CONTACT.c[name])
    is_found = unbroken.contains(wanted.translate(UNBROKEN), autoescape=True)
    ids = select(col(ContactTable.id)).where(is_found)
    has_index = func.to_regclass(f"contact_{name}").is_not(None)
    return ids, case((has_index, count_up_to(limit + 1, ids)), else_=limit + 1)


@text_source.register
def _(dialect: SQLite, name: str, wanted: str, limit: int) -> Source:
    """The index is of all workspaces: so is the number."""
    texts = table("contact_text", column("rowid"), column("contact_text"))
    phrase = wanted.replace('"', '""')
    rows = select(texts.c.rowid).where(texts.c.contact_text.match(f'{name} : "{phrase}"'))
    found = rows.limit(limit).subquery()
    is_found = literal_column("contact.number") == found.c.rowid
    ids = dialect.look_up(found, [col(ContactTable.id)], [is_found], 1)
    return ids, count_up_to(limit + 1, rows)


def count_up_to(limit: int, selected: Select[Any]) -> ColumnElement[int]:
    limited = selected.limit(limit).subquery()
    return select(func.count()).select_from(limited).scalar_subquery()
