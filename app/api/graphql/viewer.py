"""The caller of a request."""

from datetime import datetime

import strawberry

from app.api.graphql.context import Info
from app.api.graphql.enums import Scope
from app.api.graphql.field import root_field
from app.workspaces.keys import Caller


@strawberry.type(
    description="The isolation boundary: a key sees and changes the data of its own workspace only."
)
class Workspace:
    id: strawberry.ID = strawberry.field(description="The workspace's own id: a UUID as text.")
    name: str = strawberry.field(description="The workspace's name.")


@strawberry.type(description="The API key of this request, without its secret.")
class ApiKey:
    id: strawberry.ID = strawberry.field(description="The key's own id: a UUID as text.")
    name: str = strawberry.field(description="The name given to the key.")
    prefix: str = strawberry.field(
        description="The first characters of the key, which tell it from other keys."
    )
    created_at: datetime = strawberry.field(description="When the key was created.")
    expires_at: datetime | None = strawberry.field(
        description="When the key expires; null if never."
    )


@strawberry.type(description="The caller: workspace, API key and scopes.")
class Viewer:
    workspace: Workspace = strawberry.field(description="The workspace of the key.")
    api_key: ApiKey = strawberry.field(description="The API key of the request.")
    scopes: list[Scope] = strawberry.field(description="The scopes of the key.")

    @classmethod
    def of(cls, caller: Caller) -> "Viewer":
        return cls(
            workspace=Workspace(
                id=strawberry.ID(str(caller.workspace_id)), name=caller.workspace_name
            ),
            api_key=ApiKey(
                id=strawberry.ID(str(caller.key_id)),
                name=caller.key_name,
                prefix=caller.key_prefix,
                created_at=caller.key_created_at,
                expires_at=caller.key_expires_at,
            ),
            scopes=[scope for scope in Scope if scope in caller.scopes],
        )


@strawberry.type
class ViewerQuery:
    @root_field(Viewer, None, "The caller: workspace, API key and scopes.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.caller)
