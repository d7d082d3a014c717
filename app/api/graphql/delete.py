"""Deleting contacts: what to name them by, and the answers."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from app import tables
from app.api.graphql.arguments import DryRunArgument, IfVersionArgument, KeyArgument
from app.api.graphql.contact import ContactKeyInput, keys_of
from app.api.graphql.context import Info
from app.api.graphql.field import root_field
from app.api.graphql.filters import ContactFilter
from app.api.graphql.results import ContactConflict, ContactDeleted, DeleteContactResult
from app.contacts.decision.outcome import Conflict
from app.contacts.delete import delete, delete_by_filter, delete_by_keys
from app.contacts.listing.conditions import narrows
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.workspaces.keys import Scope

DELETE_LIMIT = 1000


@strawberry.input(one_of=True, description="Names contacts by their keys or by a filter.")
class ContactSelection:
    keys: strawberry.Maybe[list[ContactKeyInput]] = strawberry.field(
        description=f"Up to {DELETE_LIMIT} keys."
    )
    filter: strawberry.Maybe[ContactFilter] = strawberry.field(
        description="A filter with at least one condition. An empty group, list or part of a text "
        "is none, nor is `or` with one of these."
    )


DeleteRowResult = Annotated[
    ContactDeleted | ContactConflict,
    strawberry.union("DeleteRowResult", description="What a row came to."),
]


@strawberry.type(description="One contact's answer.")
class DeleteRow:
    index: int = strawberry.field(
        description="The key's place in `keys`, from 0; by a filter, the contact's in its order."
    )
    result: DeleteRowResult = strawberry.field(description="What the row came to.")


@strawberry.type(description="The answers of deleting many.")
class DeleteContactsPayload:
    rows: list[DeleteRow] = strawberry.field(
        description="One for each key, in the same order; by a filter, one for each contact that "
        "met it, oldest first."
    )
    deleted: int = strawberry.field(description="Contacts that are gone.")
    conflicts: int = strawberry.field(description="Keys that found no contact.")
    has_more: bool = strawberry.field(
        description="Whether more contacts meet the filter than one call deletes: call again."
    )

    @classmethod
    def of(
        cls, outcomes: Sequence[tables.Contact | Conflict], *, has_more: bool
    ) -> "DeleteContactsPayload":
        rows = [
            DeleteRow(index=index, result=deleted(outcome))
            for index, outcome in enumerate(outcomes)
        ]
        gone = sum(1 for row in rows if isinstance(row.result, ContactDeleted))
        return cls(rows=rows, deleted=gone, conflicts=len(rows) - gone, has_more=has_more)


def deleted(outcome: tables.Contact | Conflict) -> ContactDeleted | ContactConflict:
    if isinstance(outcome, Conflict):
        return ContactConflict.of(outcome)
    return ContactDeleted(id=strawberry.ID(str(outcome.id)), external_id=outcome.external_id)


@strawberry.type
class DeleteMutation:
    @root_field(Scope.CONTACTS_WRITE, "Deletes a contact; a Conflict where there is none.")
    async def delete_contact(
        self, info: Info, by: KeyArgument, if_version: IfVersionArgument = strawberry.UNSET
    ) -> DeleteContactResult:
        context = info.context
        return deleted(await delete(context.database, context.caller, by.key("by"), if_version))

    @root_field(
        Scope.CONTACTS_WRITE,
        f"Deletes up to {DELETE_LIMIT} contacts, in one transaction, each with its answer.",
    )
    async def delete_contacts(
        self,
        info: Info,
        selection: Annotated[ContactSelection, strawberry.argument(description="Which contacts.")],
        dry_run: DryRunArgument = False,
    ) -> DeleteContactsPayload:
        database, caller = info.context.database, info.context.caller
        if selection.keys is not None:
            keys = keys_of(selection.keys.value, "selection.keys", DELETE_LIMIT)
            outcomes = await delete_by_keys(database, caller, keys, dry_run=dry_run)
            return DeleteContactsPayload.of(outcomes, has_more=False)
        assert selection.filter is not None  # noqa: S101  # the schema wants one of the two
        condition = selection.filter.value.condition()
        if not narrows(condition):
            message = "must have a condition, so that nobody deletes everything by mistake"
            raise InvalidInput([FieldError(FieldErrorCode.REQUIRED, "selection.filter", message)])
        gone = await delete_by_filter(database, caller, condition, DELETE_LIMIT, dry_run=dry_run)
        return DeleteContactsPayload.of(gone.contacts, has_more=gone.has_more)
