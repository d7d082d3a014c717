"""Who is calling."""

from datetime import datetime

import strawberry

from app.api.graphql.context import Info
from app.api.graphql.enums import Scope
from app.api.graphql.field import root_field
from app.workspaces.keys import Caller


@strawberry.type(description="The boundary of isolation: nothing of one is seen from another.")
class Workspace:
    id: strawberry.ID = strawberry.field(description="A UUID as text.")
    name: str = strawberry.field(description="The workspace's name.")


@strawberry.type(description="The key of this call, without its secret.")
class ApiKey:
    id: strawberry.ID = strawberry.field(description="A UUID as text.")
    name: str = strawberry.field(description="The name it was given.")
    prefix: str = strawberry.field(description="Its first characters, to tell it from others.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(
        description="When it stops working; null if never."
    )


@strawberry.type(description="The caller: its workspace, key and scopes.")
class Viewer:
    workspace: Workspace = strawberry.field(description="The workspace of the key.")
    api_key: ApiKey = strawberry.field(description="The key.")
    scopes: list[Scope] = strawberry.field(description="What the key may do.")

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
    @root_field(None, "Who is calling: workspace, key and scopes.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.caller)
