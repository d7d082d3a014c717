"""Upserts over an API that answers after its commit, so that the answer can be lost.

What is written is announced by a dry run, which takes about a third of the time of the upsert.
"""

from collections.abc import Sequence
from typing import Any

from app.transfer.execution import Api, Contacts, Policy
from app.transfer.outcomes import Announce, Kind, Outcome
from app.transfer.rows import Fault

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


class OverApi:
    def __init__(self, api: Api) -> None:
        self.execute = api.execute

    async def predict(self, contacts: Contacts, policy: Policy) -> Sequence[Outcome]:
        """An answer explains only the first invalid rows. The others are asked for again without
        those that are explained, because an invalid row has no effect on other rows."""
        explained = await self._answered(contacts, policy, dry_run=True)
        while unexplained := [index for index, one in enumerate(explained) if _is_unexplained(one)]:
            asked = [
                index
                for index, one in enumerate(explained[: unexplained[-1] + 1])
                if one.kind is not Kind.INVALID or _is_unexplained(one)
            ]
            again = await self._answered([contacts[one] for one in asked], policy, dry_run=True)
            for index, outcome in zip(asked, again, strict=True):
                if _is_unexplained(explained[index]):
                    explained[index] = outcome
        return explained

    async def upsert(
        self, contacts: Contacts, policy: Policy, announce: Announce
    ) -> Sequence[Outcome]:
        predicted = await self.predict(contacts, policy)
        announce(predicted)
        if not any(outcome.effect > 0 for outcome in predicted):
            return predicted
        outcomes = await self._answered(contacts, policy, dry_run=False)
        if _effects(outcomes) != _effects(predicted):
            announce(outcomes)  # another client was faster
        return outcomes

    async def _answered(
        self, contacts: Contacts, policy: Policy, *, dry_run: bool
    ) -> list[Outcome]:
        variables = {"inputs": contacts, "policy": policy or None, "dryRun": dry_run}
        data = await self.execute(UPSERT, variables)
        return [_outcome(row["result"]) for row in data["upsertContacts"]["rows"]]


def _effects(outcomes: Sequence[Outcome]) -> list[int]:
    return [outcome.effect for outcome in outcomes]


def _is_unexplained(outcome: Outcome) -> bool:
    return outcome.kind is Kind.INVALID and not outcome.faults


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
