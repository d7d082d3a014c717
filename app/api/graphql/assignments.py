"""The GraphQL type and input of assignments."""

from datetime import datetime

import strawberry

from app.contacts.assignee import KIND_LIMIT, TARGET_ID_LIMIT, Assignee, assignee
from app.timestamps import parse_timestamp


@strawberry.type(
    description="What a contact is assigned to. A contact has one for each `kind` and `targetId`."
)
class Assignment:
    kind: str = strawberry.field(description="The kind of the target, such as `client`.")
    target_id: strawberry.ID = strawberry.field(
        description="The id of the target in the client's own system."
    )
    assigned_at: datetime = strawberry.field(description="When the contact was assigned.")

    @classmethod
    def of(cls, record: dict[str, str]) -> "Assignment":
        return cls(
            kind=record["kind"],
            target_id=strawberry.ID(record["target_id"]),
            assigned_at=parse_timestamp(record["assigned_at"]),
        )


@strawberry.input(
    description="What a contact is assigned to, in the client's own terms. Both texts are trimmed "
    "and then compared case-sensitively."
)
class AssigneeInput:
    kind: str = strawberry.field(
        description=f"The kind of the target, such as `client`: 1 to {KIND_LIMIT} characters."
    )
    target_id: strawberry.ID = strawberry.field(
        description="The id of the target in the client's own system, such as `42`: 1 to "
        f"{TARGET_ID_LIMIT} characters."
    )

    def assignee(self, path: str) -> Assignee:
        """Raises InvalidInput with every broken rule; `path` is that of the input."""
        return assignee(self.kind, self.target_id, path)
