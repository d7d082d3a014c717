"""API keys, scopes and the caller behind a request.

A key is `rollcall_` followed by 64 hexadecimal digits, 256 random bits, and 8 more, their CRC-32:
a scanner can recognise a leaked key without asking the server. The database has only the SHA-256
of a key.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from hashlib import sha256
from secrets import token_hex
from uuid import UUID
from zlib import crc32

from sqlmodel import col, select

from app.database.sessions import Database
from app.errors import Forbidden, Unauthenticated
from app.tables import ApiKey, Workspace, now

PREFIX = "rollcall_"
PREFIX_SHOWN = len(PREFIX) + 8

_SHAPE = re.compile(PREFIX + "([0-9a-f]{64})([0-9a-f]{8})")


class Scope(Enum):
    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """The workspace, key and scopes behind a request; `source` is that of its external ids."""

    workspace_id: UUID
    workspace_name: str
    key_id: UUID
    key_name: str
    key_prefix: str
    key_created_at: datetime
    key_expires_at: datetime | None
    scopes: frozenset[Scope]
    source: str

    def require(self, scope: Scope) -> None:
        if scope not in self.scopes:
            raise Forbidden(f"The API key must have the scope {scope.value}.")


def new_key() -> str:
    secret = token_hex(32)
    return f"{PREFIX}{secret}{_checksum(secret)}"


def digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


async def authenticate(database: Database, key: str) -> Caller:
    shape = _SHAPE.fullmatch(key)
    if shape is None or _checksum(shape[1]) != shape[2]:
        raise Unauthenticated("The API key is malformed.")
    statement = (
        select(ApiKey, Workspace)
        .join(Workspace, col(Workspace.id) == col(ApiKey.workspace_id))
        .where(col(ApiKey.digest) == digest(key))
    )
    async with database.read_directory() as session:
        found = (await session.exec(statement)).one_or_none()
    if found is None:
        raise Unauthenticated("The API key does not exist.")
    api_key, workspace = found
    if api_key.revoked_at is not None:
        raise Unauthenticated("The API key was revoked.")
    if api_key.expires_at is not None and api_key.expires_at <= now():
        raise Unauthenticated("The API key has expired.")
    return Caller(
        workspace_id=workspace.id,
        workspace_name=workspace.name,
        key_id=api_key.id,
        key_name=api_key.name,
        key_prefix=api_key.prefix,
        key_created_at=api_key.created_at,
        key_expires_at=api_key.expires_at,
        scopes=frozenset(Scope(scope) for scope in api_key.scopes),
        source=api_key.source,
    )


def _checksum(secret: str) -> str:
    return f"{crc32(secret.encode()):08x}"
