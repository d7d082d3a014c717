"""Executes operations in this process, on the way that the endpoint takes, without HTTP."""

from collections.abc import Sequence
from typing import Any

import orjson

from app.api.graphql.context import Context
from app.api.graphql.execution.answers import ErrorBudget, error_answer, executed
from app.api.graphql.schema import schema
from app.api.http.answer_bytes import dumps
from app.api.http.operations import Operations
from app.api.http.parameters import parameters_of
from app.contacts.decision.outcome import Conflict, Created, Updated
from app.contacts.decision.outcome import Outcome as Decided
from app.contacts.limits import ROWS_LIMIT
from app.contacts.upsert import Announce as AnnounceDecided
from app.contacts.upsert import unannounced
from app.database.sessions import Database
from app.errors import RollcallError
from app.fields.rules import FAULTS_LIMIT
from app.settings import Settings
from app.transfer.execution import Contacts, Policy, data_of
from app.transfer.outcomes import Announce, Kind, Outcome
from app.transfer.rows import Fault
from app.workspaces.keys import Caller

# The outcomes are known from the decision, without an answer to build and read.
_UPSERT = """
mutation Import($inputs: [ContactInput!]!, $policy: UpsertPolicy, $dryRun: Boolean!) {
  upsertContacts(inputs: $inputs, policy: $policy, dryRun: $dryRun) { created }
}
"""


class InProcess:
    def __init__(self, database: Database, caller: Caller, settings: Settings) -> None:
        own = {"trusted_documents": "optional", "trusted_documents_manifest": None}
        self._operations = Operations(schema, settings.model_copy(update=own))
        self._database = database
        self._caller = caller
        self._settings = settings

    async def execute(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        return await self._execute(document, variables, unannounced)

    async def predict(self, contacts: Contacts, policy: Policy) -> Sequence[Outcome]:
        return await self._upsert(contacts, policy, unannounced, dry_run=True)

    async def upsert(
        self, contacts: Contacts, policy: Policy, announce: Announce
    ) -> Sequence[Outcome]:
        return await self._upsert(contacts, policy, announce, dry_run=False)

    async def _upsert(
        self, contacts: Contacts, policy: Policy, announce: Announce, *, dry_run: bool
    ) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []

        def before_commit(decided: Sequence[Decided]) -> None:
            outcomes[:] = map(_outcome, decided)
            announce(outcomes)

        variables = {"inputs": contacts, "policy": policy or None, "dryRun": dry_run}
        await self._execute(_UPSERT, variables, before_commit)
        return outcomes

    async def _execute(
        self, document: str, variables: dict[str, Any], before_commit: AnnounceDecided
    ) -> dict[str, Any]:
        try:
            answer = await self._answer({"query": document, "variables": variables}, before_commit)
        except RollcallError as error:
            answer = error_answer(error)
        # JSON, as HTTP would answer it: times and ids are texts.
        return data_of(orjson.loads(dumps(answer)))

    async def _answer(
        self, request: dict[str, Any], before_commit: AnnounceDecided
    ) -> dict[str, Any]:
        operation = self._operations.find(
            parameters_of(request, self._settings.max_variable_values)
        )
        self._operations.check_cost(operation)
        errors = ErrorBudget(FAULTS_LIMIT * ROWS_LIMIT)  # as many as all rows can have
        context = Context(self._database, self._caller, errors=errors, announce=before_commit)
        return executed(await self._operations.execute(operation, context), errors)


def _outcome(decided: Decided) -> Outcome:
    match decided:
        case Created(contact):
            return Outcome(Kind.CREATED, contact.version, str(contact.id))
        case Updated(contact=contact, changes=changes):
            kind = Kind.UPDATED if changes else Kind.UNCHANGED
            paths = tuple(one.path for one in changes)
            return Outcome(kind, contact.version, str(contact.id), changes=paths)
        case Conflict(reasons):
            found = [str(one.contact.id) for one in reasons if one.contact]
            faults = [Fault(one.code.name, one.message) for one in reasons]
            return Outcome(Kind.CONFLICT, contact_id=found[0] if found else None, faults=faults)
        case _:
            faults = [Fault(one.code.name, f"{one.field}: {one.message}") for one in decided.errors]
            return Outcome(Kind.INVALID, faults=faults)
