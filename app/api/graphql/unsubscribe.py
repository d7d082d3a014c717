"""Whether a contact may be written to."""

import strawberry

from app.api.graphql.arguments import KeyArgument
from app.api.graphql.contact import ContactKeyInput
from app.api.graphql.context import Info
from app.api.graphql.field import root_field
from app.api.graphql.results import UpdateContactResult, result
from app.contacts.unsubscribe import set_subscription
from app.workspaces.keys import Scope


@strawberry.type
class SubscriptionMutation:
    @root_field(
        Scope.CONTACTS_WRITE,
        "Notes that a contact does not want to be written to; a Conflict where there is none. No "
        "upsert takes that back.",
    )
    async def unsubscribe_contact(self, info: Info, by: KeyArgument) -> UpdateContactResult:
        return await _subscription(info, by, unsubscribed=True)

    @root_field(
        Scope.CONTACTS_WRITE,
        "Notes that a contact wants to be written to again; a Conflict where there is none.",
    )
    async def resubscribe_contact(self, info: Info, by: KeyArgument) -> UpdateContactResult:
        return await _subscription(info, by, unsubscribed=False)


async def _subscription(
    info: Info, by: ContactKeyInput, *, unsubscribed: bool
) -> UpdateContactResult:
    context = info.context
    answer: UpdateContactResult = result(
        await set_subscription(
            context.database, context.caller, by.key("by"), unsubscribed=unsubscribed
        )
    )
    return answer
