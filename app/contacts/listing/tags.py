"""The tags of a workspace and how many contacts have each."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import col, select

from app.contacts.store.terms import TermKind
from app.database.sessions import WorkspaceSession
from app.tables import TermTable


async def tag_counts(
    session: WorkspaceSession, *, after: str, limit: int
) -> Sequence[tuple[str, int]]:
    """(tag, contacts) for the tags that follow `after`, in the order of code points."""
    tag = col(TermTable.text)
    statement = (
        select(tag, func.count())
        .where(col(TermTable.kind) == TermKind.TAG.value, col(TermTable.key) == "", tag > after)
        .group_by(tag)
        .order_by(tag)
        .limit(limit)
    )
    return (await session.exec(statement)).all()
