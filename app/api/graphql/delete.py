"""Deleting contacts, and its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import strawberry

from app import tables
from app.api.graphql.arguments import DryRunArgument, IfVersionArgument, KeyArgument
from app.api.graphql.context import Info
from app.api.graphql.field import root_field
from app.api.graphql.results import DeleteContactResult
from app.api.graphql.selection import SELECTION_PRICE, ContactSelection
from app.contacts.decision.outcome import Conflict
from app.contacts.delete import delete, delete_by_filter, delete_by_keys
from app.contacts.limits import SELECTION_LIMIT
from app.workspaces.keys import Scope


@dataclass(slots=True)
class Row:
    index: int
    result: tables.Contact | Conflict


@dataclass(frozen=True, slots=True)
class Deletions:
    """The rows, and the number of each kind."""

    rows: Sequence[Row]
    deleted: int
    conflicts: int
    has_more: bool

    @classmethod
    def of(cls, outcomes: Sequence[tables.Contact | Conflict], *, has_more: bool) -> "Deletions":
        rows = [Row(index, outcome) for index, outcome in enumerate(outcomes)]
        conflicts = sum(1 for row in rows if isinstance(row.result, Conflict))
        return cls(rows, len(rows) - conflicts, conflicts, has_more)


@strawberry.type(description="The result for one contact. A list has one for each `index`.")
class DeleteRow:
    index: int = strawberry.field(
        description="The position of the key in `keys`, from 0; for a filter, the position of the "
        "contact in the order of deletion."
    )
    result: DeleteContactResult = strawberry.field(description="The result of the deletion.")


@strawberry.type(description="The results of a bulk deletion.")
class DeleteContactsPayload:
    rows: list[DeleteRow] = strawberry.field(
        description="One row for each key, in the same order; for a filter, one for each contact "
        "that meets it, the oldest first."
    )
    deleted: int = strawberry.field(description="The number of deleted contacts.")
    conflicts: int = strawberry.field(description="The number of keys that belong to no contact.")
    has_more: bool = strawberry.field(
        description="Whether more contacts meet the filter than one call deletes; if so, call "
        "again."
    )


@strawberry.type
class DeleteMutation:
    @root_field(
        DeleteContactResult,
        Scope.CONTACTS_WRITE,
        "Deletes a contact. Answers a Conflict if there is none.",
    )
    async def delete_contact(
        self, info: Info, by: KeyArgument, if_version: IfVersionArgument = strawberry.UNSET
    ) -> tables.Contact | Conflict:
        context = info.context
        key = by.key(context.caller, "by")
        return await delete(context.database, context.caller, key, if_version)

    @root_field(
        DeleteContactsPayload,
        Scope.CONTACTS_WRITE,
        f"Deletes up to {SELECTION_LIMIT} contacts in one transaction, with a result for each.",
        SELECTION_PRICE,
    )
    async def delete_contacts(
        self,
        info: Info,
        selection: Annotated[
            ContactSelection, strawberry.argument(description="The contacts to delete.")
        ],
        dry_run: DryRunArgument = False,
    ) -> Deletions:
        database, caller = info.context.database, info.context.caller
        selected = await selection.selected(info.context)
        if isinstance(selected, list):
            outcomes = await delete_by_keys(database, caller, selected, dry_run=dry_run)
            return Deletions.of(outcomes, has_more=False)
        gone = await delete_by_filter(database, caller, selected, dry_run=dry_run)
        return Deletions.of(gone.contacts, has_more=gone.has_more)
