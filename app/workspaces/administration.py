"""The keys of a workspace, as its keys of scope `admin` manage them over the API.

A key that is made here is for the backend of a front end: it may do no more than the key that made
it, and never manage keys; it ends within a day, and with the key that made it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import col, delete, select

from app.database.errors import try_again
from app.database.sessions import Database, WorkspaceSession
from app.errors import FieldError, FieldErrorCode, InvalidInput, Unauthenticated
from app.fields.sources import SOURCE, SOURCE_RULE
from app.tables import ApiKey, now
from app.workspaces.keys import Caller, Scope
from app.workspaces.locks import lock_workspace
from app.workspaces.workspaces import api_key, name_fault, revoke

LIFETIME_LIMIT_SECONDS = 24 * 60 * 60

# Of the keys of a workspace that were made over the API: those that are valid, and those that have
# ended and are still listed, the newest ones.
VALID_LIMIT = 1_000
ENDED_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class KeyRequest:
    name: str
    scopes: Sequence[Scope]
    lifetime_seconds: int
    source: str


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """The key itself, which is not stored, and its record."""

    key: str
    record: ApiKey


@try_again
async def create_key(database: Database, caller: Caller, request: KeyRequest) -> CreatedKey:
    """Raises InvalidInput with every broken rule, Forbidden for a scope that the caller does not
    have, and Unauthenticated if the caller's key has ended since it was looked up."""
    if errors := list(_faults(request)):
        raise InvalidInput(errors)
    for scope in request.scopes:
        caller.require(scope)
    at = now()
    expires_at = at + timedelta(seconds=request.lifetime_seconds)
    key, record = api_key(
        caller.workspace_id, request.name.strip(), request.scopes, expires_at, request.source
    )
    record.created_by = caller.key_id
    async with database.write(caller) as session:
        await lock_workspace(session, caller.workspace_id)
        creator = await _valid_key(session, caller.key_id, at)
        if creator.expires_at is not None:
            record.expires_at = min(expires_at, creator.expires_at)
        await _delete_ended(session, at)
        if await _count_valid(session, at) >= VALID_LIMIT:
            message = f"must be one of at most {VALID_LIMIT:,} valid keys made over the API"
            raise InvalidInput([FieldError(FieldErrorCode.TOO_MANY, "input", message)])
        session.add(record)
    return CreatedKey(key, record)


async def list_keys(
    database: Database, caller: Caller, *, after: UUID | None, limit: int
) -> Sequence[ApiKey]:
    """The newest first, from the one before `after`."""
    wanted = [col(ApiKey.workspace_id) == caller.workspace_id]
    if after is not None:
        wanted.append(col(ApiKey.id) < after)
    statement = select(ApiKey).where(*wanted).order_by(col(ApiKey.id).desc()).limit(limit)
    async with database.read(caller) as session:
        return (await session.exec(statement)).all()


@try_again
async def revoke_key(database: Database, caller: Caller, key_id: UUID) -> ApiKey | None:
    """Returns the key; None if the workspace does not have it. Revoking it again changes
    nothing."""
    statement = select(ApiKey).where(
        col(ApiKey.workspace_id) == caller.workspace_id, col(ApiKey.id) == key_id
    )
    async with database.write(caller) as session:
        key = (await session.exec(statement)).one_or_none()
        if key is not None:
            await revoke(session, key)
    return key


def _faults(request: KeyRequest) -> list[FieldError]:
    faults = {}
    if fault := name_fault(request.name.strip()):
        faults["name"] = fault
    if not request.scopes:
        faults["scopes"] = (FieldErrorCode.REQUIRED, "must have at least one scope")
    if Scope.ADMIN in request.scopes:
        faults["scopes"] = (FieldErrorCode.INVALID_FORMAT, "must not have the scope ADMIN")
    if not 0 < request.lifetime_seconds <= LIFETIME_LIMIT_SECONDS:
        message = f"must be from 1 to {LIFETIME_LIMIT_SECONDS:,}"
        faults["lifetimeSeconds"] = (FieldErrorCode.OUT_OF_RANGE, message)
    if not SOURCE.fullmatch(request.source):
        faults["source"] = (FieldErrorCode.INVALID_FORMAT, SOURCE_RULE)
    return [FieldError(code, f"input.{name}", fault) for name, (code, fault) in faults.items()]


async def _valid_key(session: WorkspaceSession, key_id: UUID, at: datetime) -> ApiKey:
    statement = select(ApiKey).where(col(ApiKey.id) == key_id, _is_valid(at))
    key = (await session.exec(statement)).one_or_none()
    if key is None:
        raise Unauthenticated("The API key was revoked or has expired.")
    return key


async def _delete_ended(session: WorkspaceSession, at: datetime) -> None:
    ended = (
        select(ApiKey.id)
        .where(*_made_over_api(session), ~_is_valid(at))
        .order_by(col(ApiKey.id).desc())
        .offset(ENDED_LIMIT)
    )
    found = (await session.exec(ended)).all()
    if found:
        await session.exec(delete(ApiKey).where(col(ApiKey.id).in_(found)))


async def _count_valid(session: WorkspaceSession, at: datetime) -> int:
    statement = select(func.count(col(ApiKey.id))).where(*_made_over_api(session), _is_valid(at))
    return (await session.exec(statement)).one()


def _made_over_api(session: WorkspaceSession) -> list[ColumnElement[bool]]:
    return [
        col(ApiKey.workspace_id) == session.workspace_id,
        col(ApiKey.created_by).is_not(None),
    ]


def _is_valid(at: datetime) -> ColumnElement[bool]:
    lasts = or_(col(ApiKey.expires_at).is_(None), col(ApiKey.expires_at) > at)
    return and_(col(ApiKey.revoked_at).is_(None), lasts)
