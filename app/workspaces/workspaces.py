"""Workspaces and their keys, as the command line manages them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import CommandFailed, FieldErrorCode
from app.fields.sources import DEFAULT_SOURCE, SOURCE, SOURCE_RULE
from app.tables import ApiKey, Workspace, now
from app.workspaces.keys import PREFIX_SHOWN, Scope, digest, new_key
from app.workspaces.locks import lock_workspace

NAME_LIMIT = 255


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


async def list_workspaces(session: AsyncSession) -> Sequence[Workspace]:
    return (await session.exec(select(Workspace).order_by(col(Workspace.name)))).all()


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
    _check_expiry(expires_at)
    key, record = api_key(workspace.id, name, scopes, expires_at, source)
    await lock_workspace(session, workspace.id)
    session.add(record)
    return key


async def rotate_key(
    session: AsyncSession, key_id: UUID, overlap: timedelta, expires_at: datetime | None
) -> str:
    """A new key of the same name, source and scopes. The old one and those that it made over the
    API expire after the overlap, unless they do before."""
    old = await _key(session, key_id)
    await lock_workspace(session, old.workspace_id)
    at = now()
    _check_expiry(expires_at)
    if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= at):
        raise CommandFailed(f"Key {key_id} is not valid any more. Create a new one.")
    if old.expires_at is not None and expires_at is None:
        raise CommandFailed(f"Key {key_id} has an expiry. Give --expires-at for the new one.")
    scopes = [Scope(scope) for scope in old.scopes]
    key, record = api_key(old.workspace_id, old.name, scopes, expires_at, old.source)
    session.add(record)
    end = at + overlap
    lasts = or_(col(ApiKey.expires_at).is_(None), col(ApiKey.expires_at) > end)
    old_ones = or_(col(ApiKey.id) == old.id, col(ApiKey.created_by) == old.id)
    await session.exec(update(ApiKey).where(old_ones, lasts).values(expires_at=end))
    return key


def api_key(
    workspace_id: UUID,
    name: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None,
    source: str,
) -> tuple[str, ApiKey]:
    """A new key and its record."""
    key = new_key()
    record = ApiKey(
        workspace_id=workspace_id,
        name=name,
        prefix=key[:PREFIX_SHOWN],
        digest=digest(key),
        scopes=[scope.value for scope in dict.fromkeys(scopes)],
        expires_at=expires_at,
        source=source,
    )
    return key, record


async def list_keys(session: AsyncSession) -> Sequence[tuple[ApiKey, Workspace]]:
    statement = (
        select(ApiKey, Workspace)
        .join(Workspace, col(Workspace.id) == col(ApiKey.workspace_id))
        .order_by(col(Workspace.name), col(ApiKey.created_at))
    )
    return (await session.exec(statement)).all()


async def revoke_key(session: AsyncSession, key_id: UUID) -> None:
    """Revoking a key again changes nothing."""
    await revoke(session, await _key(session, key_id))


async def revoke(session: AsyncSession, key: ApiKey) -> None:
    """With the keys that it made over the API."""
    await lock_workspace(session, key.workspace_id)
    key.revoked_at = key.revoked_at or now()
    made = (col(ApiKey.created_by) == key.id, col(ApiKey.revoked_at).is_(None))
    await session.exec(update(ApiKey).where(*made).values(revoked_at=key.revoked_at))


def name_fault(name: str) -> tuple[FieldErrorCode, str] | None:
    """The rule that a name breaks: one printable line, so that a list has one for each name."""
    if not name:
        return FieldErrorCode.INVALID_FORMAT, "must not be empty"
    if len(name) > NAME_LIMIT:
        return FieldErrorCode.TOO_LONG, f"must have at most {NAME_LIMIT} characters"
    if not name.isprintable():
        return FieldErrorCode.INVALID_FORMAT, "must be one line of printable characters"
    return None


def _checked(name: str, kind: str) -> str:
    """The trimmed name."""
    name = name.strip()
    if fault := name_fault(name):
        raise CommandFailed(f"The name of a {kind} {fault[1]}.")
    return name


def _check_expiry(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= now():
        raise CommandFailed("The expiry of a key must be in the future.")


async def _key(session: AsyncSession, key_id: UUID) -> ApiKey:
    key = await session.get(ApiKey, key_id)
    if key is None:
        raise CommandFailed(f"Key {key_id} does not exist.")
    return key


async def _workspace(session: AsyncSession, name: str) -> Workspace | None:
    name = name.strip()
    if not name.isprintable():  # PostgreSQL refuses some of it
        return None
    return (await session.exec(select(Workspace).where(col(Workspace.name) == name))).one_or_none()
