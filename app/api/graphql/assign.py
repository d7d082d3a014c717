"""Assigning contacts."""

from typing import Annotated

import strawberry

from app.api.graphql.arguments import KeyArgument
from app.api.graphql.assignments import AssigneeInput
from app.api.graphql.contact import ContactKeyInput
from app.api.graphql.context import Info
from app.api.graphql.field import root_field
from app.api.graphql.results import UpdateContactResult, valid
from app.contacts.assignments import set_assignment
from app.contacts.decision.outcome import Outcome
from app.contacts.limits import ASSIGNMENTS_LIMIT
from app.workspaces.keys import Scope


@strawberry.type
class AssignmentMutation:
    @root_field(
        UpdateContactResult,
        Scope.CONTACTS_WRITE,
        f"Adds an assignment to a contact, which can have up to {ASSIGNMENTS_LIMIT}. Answers a "
        "Conflict if there is no such contact.",
    )
    async def assign_contact(
        self,
        info: Info,
        by: KeyArgument,
        to: Annotated[
            AssigneeInput, strawberry.argument(description="What to assign the contact to.")
        ],
    ) -> Outcome:
        return await _assignment(info, by, to, "to", assigned=True)

    @root_field(
        UpdateContactResult,
        Scope.CONTACTS_WRITE,
        "Removes an assignment from a contact. Answers a Conflict if there is no such contact.",
    )
    async def unassign_contact(
        self,
        info: Info,
        by: KeyArgument,
        from_: Annotated[
            AssigneeInput,
            strawberry.argument(name="from", description="What the contact is assigned to."),
        ],
    ) -> Outcome:
        return await _assignment(info, by, from_, "from", assigned=False)


async def _assignment(
    info: Info, by: ContactKeyInput, assignee: AssigneeInput, path: str, *, assigned: bool
) -> Outcome:
    context = info.context
    key, to = by.key(context.caller, "by"), assignee.assignee(path)
    return valid(await set_assignment(context.database, context.caller, key, to, assigned=assigned))
