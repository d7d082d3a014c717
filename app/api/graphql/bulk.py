"""The answer of a bulk upsert: one row for each input, in the same order."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import strawberry

from app.api.graphql.enums import FieldErrorCode
from app.api.graphql.results import ContactConflict, ContactCreated, ContactUpdated, result
from app.contacts.decision.outcome import (
    Conflict,
    ConflictReason,
    Created,
    Invalid,
    Outcome,
    Updated,
)


@strawberry.type(
    description="A broken rule. A list may name a field several times, so an item has no key "
    "but its position."
)
class FieldError:
    code: FieldErrorCode = strawberry.field(description="The kind of rule that was broken.")
    field: str = strawberry.field(
        description="The path of the field, such as `email` or `customFields.plan`."
    )
    message: str = strawberry.field(description="A human-readable message, with the limit.")


@strawberry.type(description="The row is invalid; nothing was written for it.")
class ContactInvalid:
    errors: list[FieldError] = strawberry.field(
        description="Every broken rule, not just the first."
    )


@strawberry.type(
    description="The row is valid but was not written, because the call is atomic and another row "
    "failed."
)
class ContactWithheld:
    message: str = strawberry.field(description="A human-readable message.")
    failed_index: int = strawberry.field(description="The index of the first row that failed.")


UpsertRowResult = Annotated[
    ContactCreated | ContactUpdated | ContactConflict | ContactInvalid | ContactWithheld,
    strawberry.union("UpsertRowResult", description="The result of a row."),
]


@strawberry.type(description="The result for one input. A list has one for each `index`.")
class UpsertRow:
    index: int = strawberry.field(description="The position of the row in `inputs`, from 0.")
    result: UpsertRowResult = strawberry.field(description="The result of the row.")


@strawberry.type(description="The results of a bulk upsert, and the number of each kind.")
class UpsertContactsPayload:
    rows: list[UpsertRow] = strawberry.field(
        description="One row for each input, in the same order."
    )
    created: int = strawberry.field(description="Rows that created a contact.")
    updated: int = strawberry.field(description="Rows that changed a contact.")
    unchanged: int = strawberry.field(
        description="Rows that matched a contact and changed nothing."
    )
    conflicts: int = strawberry.field(description="Rows that ended in a Conflict.")
    invalid: int = strawberry.field(description="Rows that are invalid.")
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
        if failed_index is not None:
            outcomes = _without_unwritten(outcomes)
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


def _without_unwritten(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Hides contacts from Conflicts if their state exists only in this call."""
    unwritten = {
        (outcome.contact.id, outcome.contact.version)
        for outcome in outcomes
        if isinstance(outcome, Created) or (isinstance(outcome, Updated) and outcome.changes)
    }

    def shown(reason: ConflictReason) -> ConflictReason:
        contact = reason.contact
        if contact is not None and (contact.id, contact.version) in unwritten:
            return replace(reason, contact=None)
        return reason

    return [
        Conflict(tuple(map(shown, outcome.reasons))) if isinstance(outcome, Conflict) else outcome
        for outcome in outcomes
    ]


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
