"""The tags of a workspace and how many contacts have each."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.listing.predicates import TAG
from app.contacts.store.find import of_workspace
from app.database.sessions import is_sqlite
from app.tables import ContactTable
from app.workspaces.keys import Caller


async def tag_counts(
    session: AsyncSession, caller: Caller, *, after: str, limit: int
) -> Sequence[tuple[str, int]]:
    """(tag, contacts) for the tags that follow `after`, letter by letter."""
    if is_sqlite(session):
        tag: ColumnElement[str] = TAG.c.tag
        statement = select(tag, func.count()).where(TAG.c.workspace_id == caller.workspace_id)
    else:
        held = func.jsonb_array_elements_text(type_coerce(col(ContactTable.tags), JSONB))
        members = held.table_valued("value").lateral("members")
        tag = members.c.value.collate("C")
        statement = (
            select(tag, func.count())
            .select_from(ContactTable)
            .join(members, onclause=of_workspace(caller))
            .where(of_workspace(caller))
        )
    grouped = statement.where(tag > after).group_by(tag).order_by(tag)
    return (await session.exec(grouped.limit(limit))).all()
