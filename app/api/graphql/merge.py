"""Merging contacts."""

from typing import Annotated

import strawberry

from app.api.graphql.contact import Contact, ContactKeyInput, keys_at
from app.api.graphql.context import Info
from app.api.graphql.enums import MergePreference
from app.api.graphql.field import read_from, root_field, stored_field
from app.api.graphql.results import ContactConflict, FieldChange
from app.contacts.decision.outcome import Conflict
from app.contacts.merge import Merged, merge
from app.workspaces.keys import Scope


@strawberry.type(description="The two contacts were merged.")
class ContactsMerged:
    is_type_of = read_from(Merged)

    contact: Contact = strawberry.field(description="The contact that was kept, as it is now.")
    merged_id: strawberry.ID = strawberry.field(
        description="The id of the contact that was merged away. It is now an alias of the one "
        "that was kept."
    )
    changes: list[FieldChange] = stored_field(
        "The changed fields of the contact that was kept.", "changes"
    )


MergeContactsResult = Annotated[
    ContactsMerged | ContactConflict,
    strawberry.union("MergeContactsResult", description="The result of a merge."),
]


@strawberry.type
class MergeMutation:
    @root_field(
        MergeContactsResult,
        Scope.CONTACTS_WRITE,
        "Merges two contacts of the same person: `into` is kept and `from` is merged into it. "
        "Empty fields are filled from the other contact; tags, custom fields and metadata are "
        "combined; assignments are moved; `createdAt` is the earlier one; if either contact is "
        "unsubscribed, so is the result. A phone number is stored in E.164 if the country of the "
        "other contact would change its meaning. The ids, external ids and emails of both contacts "
        "then find the contact that was kept, in queries and upserts, until it gives one of them "
        "up for another. Answers a Conflict if a contact is not found, and BAD_USER_INPUT if the "
        "result exceeds a limit or would get a custom field value that does not have the defined "
        "type.",
        reads=True,
    )
    async def merge_contacts(
        self,
        info: Info,
        into: Annotated[
            ContactKeyInput, strawberry.argument(description="A key of the contact to keep.")
        ],
        from_: Annotated[
            ContactKeyInput,
            strawberry.argument(
                name="from", description="A key of the contact to merge into the other."
            ),
        ],
        prefer: Annotated[
            MergePreference,
            strawberry.argument(description="Which contact's value is kept if both have one."),
        ] = MergePreference.INTO,
        dry_run: Annotated[
            bool,
            strawberry.argument(
                description="Return the result of the call without writing anything; "
                "`assignments` are those that are stored."
            ),
        ] = False,
    ) -> Merged | Conflict:
        context = info.context
        kept, merged_away = await keys_at(context.caller, {"into": into, "from": from_})
        return await merge(
            context.database, context.caller, kept, merged_away, prefer, dry_run=dry_run
        )
