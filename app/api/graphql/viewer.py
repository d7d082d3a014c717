"""The caller of a request."""

import strawberry

from app.api.graphql.api_keys import ApiKey
from app.api.graphql.context import Info
from app.api.graphql.enums import Scope
from app.api.graphql.field import root_field
from app.workspaces.keys import Caller, scopes_of


@strawberry.type(
    description="The isolation boundary: a key sees and changes the data of its own workspace only."
)
class Workspace:
    id: strawberry.ID = strawberry.field(description="The workspace's own id: a UUID as text.")
    name: str = strawberry.field(description="The workspace's name.")


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
            api_key=ApiKey.of_caller(caller),
            scopes=scopes_of(caller.scopes),
        )


@strawberry.type
class ViewerQuery:
    @root_field(Viewer, None, "The caller: workspace, API key and scopes.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.caller)
