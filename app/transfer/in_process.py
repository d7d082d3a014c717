"""Executes operations in this process, on the way that the endpoint takes, without HTTP."""

from typing import Any

import orjson

from app.api.graphql.context import Context
from app.api.graphql.execution.answers import ErrorBudget, error_answer, executed
from app.api.graphql.schema import schema
from app.api.http.answer_bytes import dumps
from app.api.http.operations import Operations
from app.api.http.parameters import parameters_of
from app.database.sessions import Database
from app.errors import RollcallError
from app.settings import Settings
from app.transfer.execution import data_of
from app.workspaces.keys import Caller


class InProcess:
    def __init__(self, database: Database, caller: Caller, settings: Settings) -> None:
        own = {"trusted_documents": "optional", "trusted_documents_manifest": None}
        self._operations = Operations(schema, settings.model_copy(update=own))
        self._database = database
        self._caller = caller
        self._settings = settings

    async def execute(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = await self._answer({"query": document, "variables": variables})
        except RollcallError as error:
            answer = error_answer(error)
        # JSON, as HTTP would answer it: times and ids are texts.
        return data_of(orjson.loads(dumps(answer)))

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        operation = self._operations.find(
            parameters_of(request, self._settings.max_variable_values)
        )
        self._operations.check_cost(operation)
        errors = ErrorBudget(self._settings.max_errors)
        context = Context(self._database, self._caller, errors=errors)
        return executed(await self._operations.execute(operation, context), errors)
