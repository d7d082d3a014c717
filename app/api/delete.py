"""Deleting many contacts: what to name them by, and the answer."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from app import tables
from app.api.contact import ContactKeyInput
from app.api.filters import ContactFilter
from app.api.results import ContactConflict, ContactDeleted
from app.contacts.outcome import Conflict

DELETE_LIMIT = 1000


@strawberry.input(one_of=True, description="Names contacts by their keys or by a filter.")
class ContactSelection:
    keys: strawberry.Maybe[list[ContactKeyInput]] = strawberry.field(
        description=f"Up to {DELETE_LIMIT} keys."
    )
    filter: strawberry.Maybe[ContactFilter] = strawberry.field(
        description="A filter with at least one condition."
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
