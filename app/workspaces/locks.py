"""Row locks of workspaces. What writes keys takes these first: on Citus a write of the table of
keys locks that of workspaces after it, as it refers to that one, and in two orders they deadlock.

The row lock does not block writers of contacts, whose foreign key only locks the key.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.tables import ApiKey, Workspace


async def lock_workspace(session: AsyncSession, workspace_id: UUID) -> None:
    """Serializes what creates, ends or counts rows of a workspace that are not contacts, so that
    limits hold and no key outlives the one that created it."""
    await _lock(session, col(Workspace.id) == workspace_id)


async def lock_workspaces_of(session: AsyncSession, key_ids: Collection[UUID]) -> None:
    of_keys = select(ApiKey.workspace_id).where(col(ApiKey.id).in_(key_ids))
    await _lock(session, col(Workspace.id).in_(of_keys))


async def _lock(session: AsyncSession, wanted: ColumnElement[bool]) -> None:
    statement = select(Workspace.id).where(wanted).order_by(col(Workspace.id))
    await session.exec(statement.with_for_update(key_share=True))
