"""The answer of a bulk upsert: as many rows as inputs, in the same order."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.api.graphql.enums import FieldErrorCode
from app.api.graphql.results import ContactConflict, ContactCreated, ContactUpdated, result
from app.contacts.decision.outcome import Conflict, Created, Invalid, Outcome, Updated


@strawberry.type(description="A broken rule.")
class FieldError:
    code: FieldErrorCode = strawberry.field(description="Which rule was broken.")
    field: str = strawberry.field(description="The field: `email`, or `customFields.plan`.")
    message: str = strawberry.field(description="The same for a person, with the limit.")


@strawberry.type(description="The row breaks rules; nothing was written for it.")
class ContactInvalid:
    errors: list[FieldError] = strawberry.field(description="All of them, not the first.")


@strawberry.type(
    description="The row alone would have been written, and was not: the call is atomic and "
    "another row failed."
)
class ContactWithheld:
    message: str = strawberry.field(description="The same for a person.")
    failed_index: int = strawberry.field(description="The first row that failed.")


UpsertRowResult = Annotated[
    ContactCreated | ContactUpdated | ContactConflict | ContactInvalid | ContactWithheld,
    strawberry.union("UpsertRowResult", description="What a row came to."),
]


@strawberry.type(description="One row's answer.")
class UpsertRow:
    index: int = strawberry.field(description="The row's place in `inputs`, from 0.")
    result: UpsertRowResult = strawberry.field(description="What the row came to.")


@strawberry.type(description="The answers of a bulk upsert, and how many there are of each kind.")
class UpsertContactsPayload:
    rows: list[UpsertRow] = strawberry.field(description="As many as inputs, in the same order.")
    created: int = strawberry.field(description="Rows that created a contact.")
    updated: int = strawberry.field(description="Rows that changed a contact.")
    unchanged: int = strawberry.field(description="Rows whose contact was so already.")
    conflicts: int = strawberry.field(description="Rows that ended in a Conflict.")
    invalid: int = strawberry.field(description="Rows that break rules.")
    withheld: int = strawberry.field(
        description="Rows not written because the call is atomic and another row failed."
    )

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], *, atomic: bool) -> "UpsertContactsPayload":
        failed = (
            index
            for index, decided in enumerate(outcomes)
            if atomic and isinstance(decided, Conflict | Invalid)
        )
        failed_index = next(failed, None)
        rows = [
            UpsertRow(index=index, result=_row_result(decided, failed_index))
            for index, decided in enumerate(outcomes)
        ]
        results = [row.result for row in rows]
        updates = [one for one in results if isinstance(one, ContactUpdated)]
        return cls(
            rows=rows,
            created=_count(results, ContactCreated),
            updated=sum(1 for one in updates if one.changes),
            unchanged=sum(1 for one in updates if not one.changes),
            conflicts=_count(results, ContactConflict),
            invalid=_count(results, ContactInvalid),
            withheld=_count(results, ContactWithheld),
        )


def _row_result(decided: Outcome, failed_index: int | None) -> UpsertRowResult:
    if isinstance(decided, Invalid):
        errors = [
            FieldError(code=broken.code, field=broken.field, message=broken.message)
            for broken in decided.errors
        ]
        return ContactInvalid(errors=errors)
    if failed_index is not None and isinstance(decided, Created | Updated):
        message = f"Not written: the call is atomic, and row {failed_index} failed."
        return ContactWithheld(message=message, failed_index=failed_index)
    answer: UpsertRowResult = result(decided)
    return answer


def _count(results: Sequence[object], kind: type) -> int:
    return sum(1 for one in results if isinstance(one, kind))
