"""Unsubscribing and resubscribing contacts."""

import strawberry

from app.api.graphql.arguments import KeyArgument
from app.api.graphql.contact import ContactKeyInput
from app.api.graphql.context import Info
from app.api.graphql.field import root_field
from app.api.graphql.results import UpdateContactResult, valid
from app.contacts.decision.outcome import Outcome
from app.contacts.unsubscribe import set_unsubscribed
from app.workspaces.keys import Scope


@strawberry.type
class SubscriptionMutation:
    @root_field(
        UpdateContactResult,
        Scope.CONTACTS_WRITE,
        "Marks a contact as unsubscribed: it does not want to receive messages. Upserts do not "
        "undo that. Answers a Conflict if there is no such contact.",
    )
    async def unsubscribe_contact(self, info: Info, by: KeyArgument) -> Outcome:
        return await _subscription(info, by, unsubscribed=True)

    @root_field(
        UpdateContactResult,
        Scope.CONTACTS_WRITE,
        "Marks a contact as subscribed again. Answers a Conflict if there is no such contact.",
    )
    async def resubscribe_contact(self, info: Info, by: KeyArgument) -> Outcome:
        return await _subscription(info, by, unsubscribed=False)


async def _subscription(info: Info, by: ContactKeyInput, *, unsubscribed: bool) -> Outcome:
    database, caller = info.context.database, info.context.caller
    key = by.key(caller, "by")
    return valid(await set_unsubscribed(database, caller, key, unsubscribed=unsubscribed))
