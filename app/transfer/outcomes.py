"""The outcome of each row of a batch, as `upsertContacts` answers it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from app.contacts.limits import ROWS_LIMIT
from app.transfer.execution import Execution, Refused
from app.transfer.rows import Fault, Row

# A batch has fewer rows if they are long: a request has at most MAX_BODY_BYTES.
BATCH_ROWS = ROWS_LIMIT
BATCH_SIZE = 1024 * 1024  # characters

UPSERT = """
mutation Import($inputs: [ContactInput!]!, $policy: UpsertPolicy, $dryRun: Boolean!) {
  upsertContacts(inputs: $inputs, policy: $policy, dryRun: $dryRun) {
    rows {
      result {
        __typename
        ... on ContactCreated { contact { id version } }
        ... on ContactUpdated { contact { id version } changes { path } }
        ... on ContactConflict { reasons { code message contact { id } } }
        ... on ContactInvalid { errors { code field message } }
      }
    }
  }
}
"""


class Kind(Enum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    CONFLICT = "conflicts"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: Kind
    version: int = 0  # of the contact after a change
    contact_id: str | None = None
    faults: list[Fault] = field(default_factory=list)
    changes: tuple[str, ...] = ()

    @property
    def is_rejected(self) -> bool:
        return self.kind in (Kind.CONFLICT, Kind.INVALID)

    @property
    def effect(self) -> int:
        """The version that the contact gets; 0 if the row changes nothing, -1 if it is rejected."""
        if self.is_rejected:
            return -1
        return 0 if self.kind is Kind.UNCHANGED else self.version


async def upsert(
    execution: Execution, rows: Sequence[Row], policy: dict[str, Any], *, dry_run: bool
) -> list[Outcome]:
    """The outcome of each row; one that has faults is invalid and is not sent. Raises Refused if
    the API takes them as a whole for too much."""
    sent = [row for row in rows if not row.faults]
    answered = iter(await _answered(execution, sent, policy, dry_run=dry_run))
    return [
        Outcome(Kind.INVALID, faults=row.faults) if row.faults else next(answered) for row in rows
    ]


async def _answered(
    execution: Execution, rows: Sequence[Row], policy: dict[str, Any], *, dry_run: bool
) -> list[Outcome]:
    if not rows:
        return []
    variables = {
        "inputs": [row.contact for row in rows],
        "policy": policy or None,
        "dryRun": dry_run,
    }
    data = await execution.execute(UPSERT, variables)
    return [_outcome(row["result"]) for row in data["upsertContacts"]["rows"]]


def _outcome(result: dict[str, Any]) -> Outcome:
    match result["__typename"]:
        case "ContactCreated":
            contact = result["contact"]
            return Outcome(Kind.CREATED, contact["version"], contact["id"])
        case "ContactUpdated":
            contact, changes = result["contact"], tuple(one["path"] for one in result["changes"])
            kind = Kind.UPDATED if changes else Kind.UNCHANGED
            return Outcome(kind, contact["version"], contact["id"], changes=changes)
        case "ContactConflict":
            reasons = result["reasons"]
            found = [one["contact"]["id"] for one in reasons if one["contact"]]
            faults = [Fault(one["code"], one["message"]) for one in reasons]
            return Outcome(Kind.CONFLICT, contact_id=found[0] if found else None, faults=faults)
        case _:
            errors = result["errors"]
            faults = [Fault(one["code"], f"{one['field']}: {one['message']}") for one in errors]
            return Outcome(Kind.INVALID, faults=faults)


async def predict(
    execution: Execution, rows: Sequence[Row], policy: dict[str, Any]
) -> list[Outcome]:
    """What an upsert of the rows would answer. The first of them, if the API takes all of them for
    too much: one that it does not take alone is invalid."""
    while True:
        try:
            outcomes = await upsert(execution, rows, policy, dry_run=True)
            break
        except Refused as error:
            if len(rows) == 1:
                return [Outcome(Kind.INVALID, faults=[Fault(error.reason, error.message)])]
            rows = rows[: len(rows) // 2]
    return await _explained(execution, rows, policy, outcomes)


async def _explained(
    execution: Execution, rows: Sequence[Row], policy: dict[str, Any], outcomes: list[Outcome]
) -> list[Outcome]:
    """An answer says only of the first invalid rows why they are. An invalid row has no effect on
    others, so that without those that are explained, the next ones are."""
    explained = list(outcomes)
    while unexplained := [index for index, one in enumerate(explained) if _is_unexplained(one)]:
        asked = [
            index
            for index, one in enumerate(explained[: unexplained[-1] + 1])
            if one.kind is not Kind.INVALID or _is_unexplained(one)
        ]
        again = await upsert(execution, [rows[index] for index in asked], policy, dry_run=True)
        for index, outcome in zip(asked, again, strict=True):
            if _is_unexplained(explained[index]):
                explained[index] = outcome
    return explained


def _is_unexplained(outcome: Outcome) -> bool:
    return outcome.kind is Kind.INVALID and not outcome.faults
