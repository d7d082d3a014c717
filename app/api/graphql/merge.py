"""Merging as clients ask for it."""

from typing import Annotated

import strawberry

from app.api.graphql.contact import Contact, ContactKeyInput, keys_at
from app.api.graphql.context import Info
from app.api.graphql.enums import MergePreference
from app.api.graphql.field import root_field
from app.api.graphql.results import ContactConflict, FieldChange
from app.contacts.decision.outcome import Conflict
from app.contacts.merge import merge
from app.workspaces.keys import Scope


@strawberry.type(description="The two contacts are one.")
class ContactsMerged:
    contact: Contact = strawberry.field(description="The contact that stays, as it is now.")
    merged_id: strawberry.ID = strawberry.field(
        description="The id of the contact that is gone; it leads to the one that stays."
    )
    changes: list[FieldChange] = strawberry.field(
        description="What the merge changed on the contact that stays."
    )


MergeContactsResult = Annotated[
    ContactsMerged | ContactConflict,
    strawberry.union("MergeContactsResult", description="What merging came to."),
]


@strawberry.type
class MergeMutation:
    @root_field(
        Scope.CONTACTS_WRITE,
        "Merges two contacts that are one person: `into` stays, `from` goes. Fields that are "
        "empty are filled from the other, tags, custom fields and metadata are united, "
        "assignments move over, `createdAt` is the earlier one, and unsubscribed stays "
        "unsubscribed. A phone number that the other's country would make another one is kept in "
        "E.164. The id, the external ids and the emails of both go on leading to the "
        "contact that stays, in look-ups and upserts alike, until it gives one up for another. A "
        "Conflict where one is not found; BAD_USER_INPUT where the two together exceed a limit, or "
        "a custom value would move that has not the type its field was defined with since.",
    )
    async def merge_contacts(
        self,
        info: Info,
        into: Annotated[
            ContactKeyInput, strawberry.argument(description="A key of the contact that stays.")
        ],
        from_: Annotated[
            ContactKeyInput,
            strawberry.argument(name="from", description="A key of the contact that goes."),
        ],
        prefer: Annotated[
            MergePreference,
            strawberry.argument(description="Whose value stands where both have one."),
        ] = MergePreference.INTO,
        dry_run: Annotated[
            bool,
            strawberry.argument(
                description="Answer alike, and write nothing; `assignments` are shown as they are."
            ),
        ] = False,
    ) -> MergeContactsResult:
        context = info.context
        stays, goes = keys_at({"into": into, "from": from_})
        merged = await merge(context.database, context.caller, stays, goes, prefer, dry_run=dry_run)
        if isinstance(merged, Conflict):
            return ContactConflict.of(merged)
        return ContactsMerged(
            contact=Contact.of(merged.contact),
            merged_id=strawberry.ID(str(merged.merged_id)),
            changes=[FieldChange.of(change) for change in merged.changes],
        )
