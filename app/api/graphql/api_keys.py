"""The GraphQL types and root fields of API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from app import tables
from app.api.graphql.contact import uuid_at
from app.api.graphql.context import Info
from app.api.graphql.enums import Scope
from app.api.graphql.execution.cost.prices import Price, Rows
from app.api.graphql.field import root_field
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.workspaces.administration import (
    LIFETIME_LIMIT_SECONDS,
    VALID_LIMIT,
    CreatedKey,
    KeyRequest,
    create_key,
    list_keys,
    revoke_key,
)
from app.workspaces.keys import Caller, scopes_of
from app.workspaces.workspaces import NAME_LIMIT

PAGE_LIMIT = 100


@strawberry.type(description="An API key, without the key itself.")
class ApiKey:
    id: strawberry.ID = strawberry.field(description="The key's own id: a UUID as text.")
    name: str = strawberry.field(description="The name given to the key.")
    prefix: str = strawberry.field(
        description="The first characters of the key, which distinguish it from other keys."
    )
    scopes: list[Scope] = strawberry.field(description="What the key is allowed to do.")
    source: str = strawberry.field(
        description="The system that the external ids of the key's calls come from."
    )
    created_at: datetime = strawberry.field(description="When the key was created.")
    expires_at: datetime | None = strawberry.field(
        description="When the key expires; null if never."
    )
    revoked_at: datetime | None = strawberry.field(
        description="When the key was revoked; null if it was not."
    )
    last_used_at: datetime | None = strawberry.field(
        description="When the key was last used, to the minute; null if it was not."
    )

    @classmethod
    def of(cls, record: tables.ApiKey) -> "ApiKey":
        return cls(
            id=strawberry.ID(str(record.id)),
            name=record.name,
            prefix=record.prefix,
            scopes=scopes_of(record.scopes),
            source=record.source,
            created_at=record.created_at,
            expires_at=record.expires_at,
            revoked_at=record.revoked_at,
            last_used_at=record.last_used_at,
        )

    @classmethod
    def of_caller(cls, caller: Caller) -> "ApiKey":
        return cls(
            id=strawberry.ID(str(caller.key_id)),
            name=caller.key_name,
            prefix=caller.key_prefix,
            scopes=scopes_of(caller.scopes),
            source=caller.source,
            created_at=caller.key_created_at,
            expires_at=caller.key_expires_at,
            revoked_at=None,
            last_used_at=caller.key_last_used_at,
        )


@strawberry.input(description="A key to create.")
class CreateKeyInput:
    name: str = strawberry.field(
        description=f"What the key is for: one line of up to {NAME_LIMIT} characters."
    )
    scopes: list[Scope] = strawberry.field(
        description="What the key is allowed to do: scopes of the key of this request, without "
        "`ADMIN`."
    )
    lifetime_seconds: int = strawberry.field(
        default=60 * 60,
        description=f"How long the key is valid: 1 to {LIFETIME_LIMIT_SECONDS:,} seconds. It "
        "expires with the key of this request at the latest.",
    )
    source: str | None = strawberry.field(
        default=None,
        description="The system that the external ids of the key's calls come from; null for that "
        "of the key of this request.",
    )

    def request(self, caller: Caller) -> KeyRequest:
        source = caller.source if self.source is None else self.source
        return KeyRequest(self.name, self.scopes, self.lifetime_seconds, source)


@strawberry.type(description="A key was created.")
class CreateKeyPayload:
    key: str = strawberry.field(description="The key itself. It cannot be shown again.")
    api_key: ApiKey = strawberry.field(description="What is stored of the key.")

    @classmethod
    def of(cls, created: CreatedKey) -> "CreateKeyPayload":
        return cls(key=created.key, api_key=ApiKey.of(created.record))


@strawberry.type
class KeyQuery:
    @root_field(
        list[ApiKey],
        Scope.ADMIN,
        "The keys of the workspace, the newest first.",
        Price(rows=Rows(("first",), PAGE_LIMIT, PAGE_LIMIT)),
    )
    async def keys(
        self,
        info: Info,
        first: Annotated[
            int, strawberry.argument(description=f"The page size, from 0 to {PAGE_LIMIT}.")
        ] = PAGE_LIMIT,
        after: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The id of the last key of the previous page."),
        ] = strawberry.UNSET,
    ) -> Sequence[ApiKey]:
        if not 0 <= first <= PAGE_LIMIT:
            message = f"must be from 0 to {PAGE_LIMIT}"
            raise InvalidInput([FieldError(FieldErrorCode.OUT_OF_RANGE, "first", message)])
        start = None if after is None else uuid_at(after, "after")
        context = info.context
        records = await list_keys(context.database, context.caller, after=start, limit=first)
        return [ApiKey.of(record) for record in records]


@strawberry.type
class KeyMutation:
    @root_field(
        CreateKeyPayload,
        Scope.ADMIN,
        "Creates a key that expires soon and has no more scopes than the key of this request, for "
        f"the backend of a front end. A workspace has at most {VALID_LIMIT:,} valid ones.",
    )
    async def create_key(
        self,
        info: Info,
        input: Annotated[  # noqa: A002  # the name in the schema
            CreateKeyInput, strawberry.argument(description="The key to create.")
        ],
    ) -> CreateKeyPayload:
        context = info.context
        request = input.request(context.caller)
        return CreateKeyPayload.of(await create_key(context.database, context.caller, request))

    @root_field(
        ApiKey,
        Scope.ADMIN,
        "Revokes a key and those that it created, and returns it, or null if the workspace has "
        "none with this id. Within a second all processes refuse them.",
    )
    async def revoke_key(
        self,
        info: Info,
        id: Annotated[  # noqa: A002  # the name in the schema
            strawberry.ID, strawberry.argument(description="The id of the key.")
        ],
    ) -> ApiKey | None:
        key_id: UUID = uuid_at(id, "id")
        record = await revoke_key(info.context.database, info.context.caller, key_id)
        return None if record is None else ApiKey.of(record)
