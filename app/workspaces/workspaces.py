"""Workspaces and their keys, as the command line manages them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import CommandFailed
from app.fields.sources import DEFAULT_SOURCE, SOURCE, SOURCE_RULE
from app.tables import ApiKey, Workspace, now
from app.workspaces.keys import PREFIX_SHOWN, Scope, digest, new_key


async def is_empty(session: AsyncSession) -> bool:
    return (await session.exec(select(Workspace).limit(1))).first() is None


async def create_workspace(session: AsyncSession, name: str) -> Workspace:
    name = _checked(name, "workspace")
    if await _workspace(session, name) is not None:
        raise CommandFailed(f"Workspace {name} already exists.")
    workspace = Workspace(name=name)
    session.add(workspace)
    await session.flush()
    return workspace


async def find_workspace(session: AsyncSession, name: str) -> Workspace:
    workspace = await _workspace(session, name)
    if workspace is None:
        raise CommandFailed(f"Workspace {name} does not exist.")
    return workspace


async def create_key(
    session: AsyncSession,
    workspace_name: str,
    name: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None = None,
    source: str = DEFAULT_SOURCE,
) -> str:
    """The new key. Only its digest is stored, so it cannot be shown again.

    `source` names the system that the key's external ids come from.
    """
    if not SOURCE.fullmatch(source):
        raise CommandFailed(f"The source {SOURCE_RULE}.")
    workspace = await find_workspace(session, workspace_name)
    name = _checked(name, "key")
    if expires_at is not None and expires_at <= now():
        raise CommandFailed("The expiry of a key must be in the future.")
    key = new_key()
    session.add(
        ApiKey(
            workspace_id=workspace.id,
            name=name,
            prefix=key[:PREFIX_SHOWN],
            digest=digest(key),
            scopes=[scope.value for scope in dict.fromkeys(scopes)],
            expires_at=expires_at,
            source=source,
        )
    )
    return key


async def list_keys(session: AsyncSession) -> Sequence[tuple[ApiKey, Workspace]]:
    statement = (
        select(ApiKey, Workspace)
        .join(Workspace, col(Workspace.id) == col(ApiKey.workspace_id))
        .order_by(col(Workspace.name), col(ApiKey.created_at))
    )
    return (await session.exec(statement)).all()


async def revoke_key(session: AsyncSession, key_id: UUID) -> None:
    """Revoking a key again changes nothing."""
    key = await session.get(ApiKey, key_id)
    if key is None:
        raise CommandFailed(f"Key {key_id} does not exist.")
    key.revoked_at = key.revoked_at or now()


def _checked(name: str, kind: str) -> str:
    """The trimmed name. One printable line, so that a list has one line for each name."""
    name = name.strip()
    if not name:
        raise CommandFailed(f"The name of a {kind} must not be empty.")
    if not name.isprintable():
        raise CommandFailed(f"The name of a {kind} must be one line of printable characters.")
    return name


async def _workspace(session: AsyncSession, name: str) -> Workspace | None:
    name = name.strip()
    if not name.isprintable():  # PostgreSQL refuses some of it
        return None
    return (await session.exec(select(Workspace).where(col(Workspace.name) == name))).one_or_none()
