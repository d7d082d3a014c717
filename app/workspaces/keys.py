"""API keys, scopes and the caller behind a request.

A key is `rollcall_` followed by 64 hexadecimal digits, 256 random bits, and 8 more, their CRC-32:
a scanner can recognise a leaked key without asking the server. The database has only the SHA-256
of a key.
"""

import asyncio
import re
from asyncio import Task
from collections.abc import Iterable
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from secrets import token_hex
from uuid import UUID
from zlib import crc32

from sqlalchemy import bindparam
from sqlmodel import col, select

from app.database.dialect import Dialect
from app.database.prepared import Prepared
from app.database.sessions import Database
from app.errors import Forbidden, Unauthenticated
from app.tables import ApiKey, Workspace, now
from app.workspaces.last_used import LastUsed

PREFIX = "rollcall_"
PREFIX_SHOWN = len(PREFIX) + 8

HELD_SECONDS = 1.0
HELD_LIMIT = 10_000  # keys

_SHAPE = re.compile(PREFIX + "([0-9a-f]{64})([0-9a-f]{8})")


class Scope(Enum):
    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """The workspace, key and scopes behind a request; `source` is that of its external ids."""

    scopes: frozenset[Scope]
    workspace_id: UUID
    workspace_name: str
    key_id: UUID
    key_name: str
    key_prefix: str
    key_created_at: datetime
    key_expires_at: datetime | None
    source: str
    key_last_used_at: datetime | None = None
    key_created_by: UUID | None = None

    @property
    def quota_key_id(self) -> UUID:
        """The key whose points are spent: a key that was made over the API has those of its maker,
        which would otherwise have as many as it makes keys."""
        return self.key_created_by or self.key_id

    def require(self, scope: Scope) -> None:
        if scope not in self.scopes:
            raise Forbidden(f"The API key must have the scope {scope.value}.")


def scopes_of(values: Iterable[Scope | str]) -> list[Scope]:
    """In the order of their definition."""
    held = {Scope(value) for value in values}
    return [scope for scope in Scope if scope in held]


def new_key() -> str:
    secret = token_hex(32)
    return f"{PREFIX}{secret}{_checksum(secret)}"


def digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


class Authenticator:
    """Finds the caller of a key, once for all requests with that key within HELD_SECONDS. So it
    takes up to that long until a revocation holds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[bytes, Task[Caller]] = {}
        self._last_used = LastUsed(database)

    async def caller(self, key: str) -> Caller:
        """Raises Unauthenticated for a key that is malformed, unknown, revoked or expired."""
        key_digest = digest(key)
        held = self._held.get(key_digest) or self._hold(key_digest, key)
        if not held.done():
            await asyncio.wait([held])
        if held.exception() is not None:
            self._held.pop(key_digest, None)
        caller = held.result()
        _refuse_expired(caller)
        return caller

    def _hold(self, key_digest: bytes, key: str) -> Task[Caller]:
        held = asyncio.create_task(self._authenticate(key), context=Context())
        if len(self._held) < HELD_LIMIT:
            self._held[key_digest] = held
            asyncio.get_running_loop().call_later(HELD_SECONDS, self._held.pop, key_digest, None)
        return held

    async def close(self) -> None:
        await self._last_used.close()

    async def _authenticate(self, key: str) -> Caller:
        caller = await authenticate(self._database, key)
        self._last_used.note(caller.key_id)
        return caller


async def authenticate(database: Database, key: str) -> Caller:
    shape = _SHAPE.fullmatch(key)
    if shape is None or _checksum(shape[1]) != shape[2]:
        raise Unauthenticated("The API key is malformed.")
    found = await database.fetch(_by_digest(database.dialect), digest=digest(key))
    if not found:
        raise Unauthenticated("The API key does not exist.")
    [key_found] = found
    if key_found.pop("revoked_at") is not None:
        raise Unauthenticated("The API key was revoked.")
    caller = Caller(**key_found | {"scopes": frozenset(map(Scope, key_found["scopes"]))})
    _refuse_expired(caller)
    return caller


def _refuse_expired(caller: Caller) -> None:
    if caller.key_expires_at is not None and caller.key_expires_at <= now():
        raise Unauthenticated("The API key has expired.")


@lru_cache(maxsize=8)
def _by_digest(dialect: Dialect) -> Prepared:
    """The fields of a Caller, and the time of the revocation."""
    columns = [
        col(Workspace.id).label("workspace_id"),
        col(Workspace.name).label("workspace_name"),
        *(
            col(getattr(ApiKey, name)).label(f"key_{name}")
            for name in (
                "id",
                "name",
                "prefix",
                "created_at",
                "expires_at",
                "last_used_at",
                "created_by",
            )
        ),
        *(col(ApiKey.source), col(ApiKey.scopes), col(ApiKey.revoked_at)),
    ]
    of_key = col(Workspace.id) == col(ApiKey.workspace_id)
    wanted = col(ApiKey.digest) == bindparam("digest")
    return dialect.prepare(select(*columns).join_from(ApiKey, Workspace, of_key).where(wanted))


def _checksum(secret: str) -> str:
    return f"{crc32(secret.encode()):08x}"
