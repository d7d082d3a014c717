"""Assignments as clients see them and as they name them."""

from datetime import datetime

import strawberry

from app import tables
from app.contacts.assignments import KIND_LIMIT, TARGET_ID_LIMIT, Assignee, assignee


@strawberry.type(description="Whom or what a contact is assigned to.")
class Assignment:
    kind: str = strawberry.field(description="What kind of thing, such as `client`.")
    target_id: strawberry.ID = strawberry.field(description="Its id in the client's own system.")
    assigned_at: datetime = strawberry.field(description="When the contact was assigned to it.")

    @classmethod
    def of(cls, record: tables.Assignment) -> "Assignment":
        return cls(
            kind=record.kind,
            target_id=strawberry.ID(record.target_id),
            assigned_at=record.assigned_at,
        )


@strawberry.input(
    description="Whom or what a contact is assigned to, in the client's own words. Trimmed, and "
    "letter by letter from then on."
)
class AssigneeInput:
    kind: str = strawberry.field(
        description=f"What kind of thing, such as `client`: from 1 to {KIND_LIMIT} characters."
    )
    id: strawberry.ID = strawberry.field(
        description="Its id in the client's own system, such as `42`: from 1 to "
        f"{TARGET_ID_LIMIT} characters."
    )

    def assignee(self, path: str) -> Assignee:
        """Raises InvalidInput, naming what breaks a rule from `path` on."""
        return assignee(self.kind, self.id, path)
