"""Removing aliases."""

from typing import Annotated

import strawberry

from app.api.graphql.arguments import KeyArgument
from app.api.graphql.contact import ContactKeyInput, keys_at
from app.api.graphql.context import Info
from app.api.graphql.field import root_field
from app.api.graphql.results import UpdateContactResult, valid
from app.contacts.aliases import remove_alias
from app.contacts.decision.outcome import Outcome
from app.workspaces.keys import Scope


@strawberry.type
class AliasMutation:
    @root_field(
        UpdateContactResult,
        Scope.CONTACTS_WRITE,
        "Removes an alias of a contact. Another contact can then have it. Answers a Conflict if "
        "there is no such contact, and changes nothing if the contact does not have the alias.",
    )
    async def remove_contact_alias(
        self,
        info: Info,
        by: KeyArgument,
        alias: Annotated[
            ContactKeyInput,
            strawberry.argument(description="An identifier from the contact's `aliases`."),
        ],
    ) -> Outcome:
        caller = info.context.caller
        contact, former = await keys_at(caller, {"by": by, "alias": alias})
        return valid(await remove_alias(info.context.database, caller, contact, former))
