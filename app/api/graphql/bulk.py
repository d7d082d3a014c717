"""The answer of a bulk upsert: one row for each input, in the same order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import strawberry

from app.api.graphql.enums import FieldErrorCode
from app.api.graphql.execution.answers import ErrorBudget
from app.api.graphql.field import read_from, stored_field
from app.api.graphql.results import ContactConflict, ContactCreated, ContactUpdated
from app.contacts.decision.outcome import (
    Conflict,
    ConflictReason,
    Created,
    Invalid,
    Outcome,
    Updated,
)
from app.fields.rules import FAULTS_LIMIT


@dataclass(frozen=True, slots=True)
class Withheld:
    """The outcome of a valid row of an atomic call in which another row failed."""

    failed_index: int

    @property
    def message(self) -> str:
        return f"Not written: the call is atomic, and row {self.failed_index} failed."


@dataclass(slots=True)
class Row:
    index: int
    result: Outcome | Withheld


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """The rows, and the number of each kind."""

    rows: Sequence[Row]
    created: int
    updated: int
    unchanged: int
    conflicts: int
    invalid: int
    withheld: int

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], budget: ErrorBudget, *, atomic: bool) -> "BulkOutcome":
        shown = _shown(outcomes, atomic=atomic)
        rows = [Row(index, limited(one, budget)) for index, one in enumerate(shown)]
        kinds = Counter(map(type, shown))
        updated = sum(1 for one in shown if type(one) is Updated and one.changes)
        return cls(
            rows=rows,
            created=kinds[Created],
            updated=updated,
            unchanged=kinds[Updated] - updated,
            conflicts=kinds[Conflict],
            invalid=kinds[Invalid],
            withheld=kinds[Withheld],
        )


def limited(outcome: Outcome | Withheld, budget: ErrorBudget) -> Outcome | Withheld:
    """With as many broken rules as the answer may still list."""
    if isinstance(outcome, Invalid):
        return Invalid(tuple(budget.take(outcome.errors)))
    return outcome


def _shown(outcomes: Sequence[Outcome], *, atomic: bool) -> Sequence[Outcome | Withheld]:
    """An atomic call in which a row failed wrote none of the others."""
    failed = (index for index, one in enumerate(outcomes) if isinstance(one, Conflict | Invalid))
    failed_index = next(failed, None) if atomic else None
    if failed_index is None:
        return outcomes
    withheld = Withheld(failed_index)
    return [
        withheld if isinstance(outcome, Created | Updated) else outcome
        for outcome in _without_unwritten(outcomes)
    ]


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
    is_type_of = read_from(Invalid)

    errors: list[FieldError] = strawberry.field(
        description="Every broken rule, not just the first. An answer has at most "
        f"{FAULTS_LIMIT} in all: rows after these are invalid without saying why."
    )


@strawberry.type(
    description="The row is valid but was not written, because the call is atomic and another row "
    "failed."
)
class ContactWithheld:
    is_type_of = read_from(Withheld)

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
    updated: int = stored_field("Rows that changed a contact.", "changes")
    unchanged: int = stored_field("Rows that matched a contact and changed nothing.", "changes")
    conflicts: int = strawberry.field(description="Rows that ended in a Conflict.")
    invalid: int = strawberry.field(description="Rows that are invalid.")
    withheld: int = strawberry.field(
        description="Rows not written because the call is atomic and another row failed."
    )
