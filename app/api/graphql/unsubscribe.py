"""Unsubscribing and resubscribing contacts."""

import strawberry

from app.api.graphql.arguments import KeyArgument
from app.api.graphql.contact import ContactKeyInput
from app.api.graphql.context import Info
from app.api.graphql.field import root_field
from app.api.graphql.results import UpdateContactResult, result
from app.contacts.unsubscribe import set_unsubscribed
from app.workspaces.keys import Scope


@strawberry.type
class SubscriptionMutation:
    @root_field(
        Scope.CONTACTS_WRITE,
        "Marks a contact as unsubscribed: it does not want to receive messages. Upserts do not "
        "undo that. Answers a Conflict if there is no such contact.",
    )
    async def unsubscribe_contact(self, info: Info, by: KeyArgument) -> UpdateContactResult:
        return await _subscription(info, by, unsubscribed=True)

    @root_field(
        Scope.CONTACTS_WRITE,
        "Marks a contact as subscribed again. Answers a Conflict if there is no such contact.",
    )
    async def resubscribe_contact(self, info: Info, by: KeyArgument) -> UpdateContactResult:
        return await _subscription(info, by, unsubscribed=False)


async def _subscription(
    info: Info, by: ContactKeyInput, *, unsubscribed: bool
) -> UpdateContactResult:
    database, caller = info.context.database, info.context.caller
    key = by.key(caller, "by")
    answer: UpdateContactResult = result(
        await set_unsubscribed(database, caller, key, unsubscribed=unsubscribed)
    )
    return answer
