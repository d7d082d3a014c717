"""Assigning contacts."""

from typing import Annotated

import strawberry

from app.api.graphql.arguments import KeyArgument
from app.api.graphql.assignments import AssigneeInput
from app.api.graphql.contact import ContactKeyInput
from app.api.graphql.context import Info
from app.api.graphql.field import root_field
from app.api.graphql.results import UpdateContactResult, result
from app.contacts.assignments import ASSIGNMENTS_LIMIT, set_assignment
from app.workspaces.keys import Scope


@strawberry.type
class AssignmentMutation:
    @root_field(
        Scope.CONTACTS_WRITE,
        f"Assigns a contact, to up to {ASSIGNMENTS_LIMIT} things; a Conflict where there is none.",
    )
    async def assign_contact(
        self,
        info: Info,
        by: KeyArgument,
        to: Annotated[
            AssigneeInput, strawberry.argument(description="Whom or what to assign it to.")
        ],
    ) -> UpdateContactResult:
        return await _assignment(info, by, to, "to", assigned=True)

    @root_field(
        Scope.CONTACTS_WRITE,
        "Takes an assignment of a contact back; a Conflict where there is no such contact.",
    )
    async def unassign_contact(
        self,
        info: Info,
        by: KeyArgument,
        from_: Annotated[
            AssigneeInput,
            strawberry.argument(name="from", description="Whom or what it was assigned to."),
        ],
    ) -> UpdateContactResult:
        return await _assignment(info, by, from_, "from", assigned=False)


async def _assignment(
    info: Info, by: ContactKeyInput, assignee: AssigneeInput, path: str, *, assigned: bool
) -> UpdateContactResult:
    context = info.context
    answer: UpdateContactResult = result(
        await set_assignment(
            context.database,
            context.caller,
            by.key("by"),
            assignee.assignee(path),
            assigned=assigned,
        )
    )
    return answer
