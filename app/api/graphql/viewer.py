"""The caller of a request."""

from datetime import datetime, timedelta

import strawberry

from app.api.graphql.api_keys import ApiKey
from app.api.graphql.context import Info
from app.api.graphql.enums import Scope
from app.api.graphql.field import root_field
from app.tables import now
from app.workspaces.keys import Caller, scopes_of
from app.workspaces.quota import Allowance


@strawberry.type(
    description="The isolation boundary: a key sees and changes the data of its own workspace only."
)
class Workspace:
    id: strawberry.ID = strawberry.field(description="The workspace's own id: a UUID as text.")
    name: str = strawberry.field(description="The workspace's name.")


@strawberry.type(
    description="The points that the operations of the key may cost: a bucket that is filled at a "
    "steady rate. The cost of an operation is in `extensions.cost` of its answer."
)
class RateLimit:
    limit: int = strawberry.field(description="The points of a full bucket.")
    points_per_second: int = strawberry.field(
        description="The points that come back every second until the bucket is full."
    )
    remaining: int = strawberry.field(
        description="The points that remain after this operation, as far as the process that "
        "answers knows."
    )
    reset_at: datetime = strawberry.field(
        description="When the bucket is full again if no request comes until then."
    )

    @classmethod
    def of(cls, allowance: Allowance) -> "RateLimit":
        remaining, seconds = allowance.balance()
        return cls(
            limit=allowance.rate.burst_points,
            points_per_second=allowance.rate.points_per_second,
            remaining=remaining,
            reset_at=now() + timedelta(seconds=seconds),
        )


@strawberry.type(description="The caller: workspace, API key and scopes.")
class Viewer:
    workspace: Workspace = strawberry.field(description="The workspace of the key.")
    api_key: ApiKey = strawberry.field(description="The API key of the request.")
    scopes: list[Scope] = strawberry.field(description="The scopes of the key.")
    rate_limit: RateLimit | None = strawberry.field(
        description="The points of the key; null if the server does not limit keys."
    )

    @classmethod
    def of(cls, caller: Caller, allowance: Allowance | None) -> "Viewer":
        return cls(
            workspace=Workspace(
                id=strawberry.ID(str(caller.workspace_id)), name=caller.workspace_name
            ),
            api_key=ApiKey.of_caller(caller),
            scopes=scopes_of(caller.scopes),
            rate_limit=RateLimit.of(allowance) if allowance else None,
        )


@strawberry.type
class ViewerQuery:
    @root_field(Viewer, None, "The caller: workspace, API key, scopes and points.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.caller, info.context.allowance)
