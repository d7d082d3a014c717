"""Reads pages: those of the whole list by a prepared statement, others in a session.

A page of the whole list is one statement. Its text depends on the order, on which ends of the
window have a cursor and on the columns that are read, so that it is compiled once for each.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Uuid, bindparam

from app.contacts.listing.conditions import Condition, conjuncts
from app.contacts.listing.order import Order, OrderField, Position, Window
from app.contacts.listing.page import Page, page, page_of, walk
from app.contacts.store.columns import STATEMENTS, names_to_read
from app.database.dialect import Dialect
from app.database.prepared import Prepared
from app.database.sessions import Database, InWorkspace, prepared
from app.tables import CONTACT


async def read_page(
    database: Database,
    tenant: InWorkspace,
    order: Order,
    window: Window,
    condition: Condition,
    names: frozenset[str],
) -> Page:
    """The page of those that meet the condition. A contact has the attributes `names`, and may
    have others."""
    ordered_by = "name" if order.field is OrderField.NAME else order.field.value
    read = names_to_read({names | {ordered_by}})
    if any(True for _ in conjuncts(condition)):
        async with database.read(tenant) as session:
            return await page(session, order, window, condition, read)
    return await _page_of_all(database, tenant, order, window, read)


async def _page_of_all(
    database: Database, tenant: InWorkspace, order: Order, window: Window, read: tuple[str, ...]
) -> Page:
    ends = {"after": window.after, "before": window.before}
    has_values = [position and position.value is not None for position in ends.values()]
    statement = _statement(database.dialect, order, window.backward, *has_values, read)
    values = {
        f"{end}_{name}": value
        for end, position in ends.items()
        if position
        for name, value in position._asdict().items()
    }
    rows = await database.fetch(
        statement, workspace_id=tenant.workspace_id, size=window.size, **values
    )
    return page_of(order, window, rows)


@lru_cache(maxsize=STATEMENTS)
def _statement(
    dialect: Dialect,
    order: Order,
    backward: bool,
    after: bool | None,
    before: bool | None,
    names: tuple[str, ...],
) -> Prepared:
    """`after` and `before` tell whether there is such a cursor, and whether it has a value."""

    def position(end: str, has_value: bool | None) -> Position | None:
        if has_value is None:
            return None
        value: Any = bindparam(f"{end}_value", type_=CONTACT.c[order.field.value].type)
        contact_id: Any = bindparam(f"{end}_contact_id", type_=Uuid)
        return Position(value if has_value else None, contact_id)

    size: Any = bindparam("size", type_=Integer)
    window = Window(size, backward, position("after", after), position("before", before))
    return prepared(dialect, walk(order, window, names=names))
