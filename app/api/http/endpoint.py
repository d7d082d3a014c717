"""GraphQL over HTTP: a request in, a prepared operation, an answer out.

Follows the GraphQL-over-HTTP draft: an error that prevents the execution of a well-formed request
has the status 400 under `application/graphql-response+json`, and 200 under `application/json`.
"""

from typing import Any

import strawberry
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app import logs
from app.api.graphql.context import Context
from app.api.graphql.execution.answers import (
    ErrorBudget,
    error_answer,
    executed,
    is_unavailable,
    masked,
    refused,
)
from app.api.graphql.execution.cost import too_costly
from app.api.graphql.execution.documents import Documents
from app.api.graphql.execution.execute import Executor
from app.api.graphql.execution.trusted_documents import TrustedDocuments, load
from app.api.http.body import json_body
from app.api.http.compression import Compression
from app.api.http.concurrency import Concurrency
from app.api.http.disconnect import while_connected
from app.api.http.key import api_key
from app.api.http.negotiation import JSON, RESPONSE_JSON, negotiated
from app.api.http.parameters import Parameters, parameters_of, parameters_of_url
from app.api.http.response import respond
from app.database.sessions import Database
from app.errors import BadRequest, LimitExceeded, RollcallError, UntrustedDocument
from app.settings import Settings
from app.workspaces.keys import Authenticator, Caller

# What a point of cost can bring to an answer: a document of JSON.
BYTES_OF_A_POINT = 64 * 1024


class GraphQLEndpoint:
    """An ASGI application."""

    def __init__(
        self,
        schema: strawberry.Schema,
        database: Database,
        authenticator: Authenticator,
        settings: Settings,
    ) -> None:
        self._database = database
        self._authenticator = authenticator
        self._settings = settings
        self._concurrency = Concurrency(settings.max_concurrent_requests)
        self._compression = Compression()
        self._schema = schema._schema
        self._documents, self._trusted_documents = prepared_documents(schema, settings)
        self._executor = Executor(schema, hide_suggestions=not settings.shows_schema)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._respond(request)
        await self._compression.apply(response, request.headers)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        media_type = JSON
        try:
            media_type = negotiated(request.headers.getlist("accept"))
            caller = await self._authenticator.caller(api_key(request.headers))
            record = logs.request.get()
            record.workspace_id, record.key_id = caller.workspace_id, caller.key_id
            parameters = await self._parameters(request)
            self._concurrency.begin(caller.workspace_id)
            try:
                return await self._run(request, caller, parameters, media_type)
            finally:
                self._concurrency.end(caller.workspace_id)
        except (LimitExceeded, UntrustedDocument) as error:
            return respond(error_answer(error), media_type, _refused_status(media_type))
        except RollcallError as error:
            return respond(error_answer(error), media_type, error.status)
        except ClientDisconnect:
            return Response(status_code=400)  # the client does not receive it
        except Exception as error:
            return respond({"errors": [masked(error)]}, media_type, 500)

    async def _parameters(self, request: Request) -> Parameters:
        values_limit = self._settings.max_variable_values
        if request.method != "POST":
            return parameters_of_url(request.query_params, values_limit)
        body = await json_body(request, self._settings.max_body_bytes, values_limit)
        return parameters_of(body, values_limit)

    async def _run(
        self, request: Request, caller: Caller, parameters: Parameters, media_type: str
    ) -> Response:
        refused_status = _refused_status(media_type)
        text = self._trusted_documents.document(parameters.document_id, parameters.query)
        document = self._documents.prepare(text)
        if document.ast is None or document.errors:
            return respond(refused(document.errors, document.code), media_type, refused_status)
        operation = document.operation(parameters.operation_name)
        if operation is None:
            raise BadRequest("operationName must name one of the document's operations.")
        if request.method != "POST" and operation.operation is not OperationType.QUERY:
            raise BadRequest("Only queries may be sent by GET.", 405)
        cost = document.cost(operation, self._schema, parameters.variables)
        record = logs.request.get()
        record.operation = operation.name.value if operation.name else None
        record.kind, record.cost = operation.operation.value, cost
        if cost > self._settings.max_operation_cost:
            error = too_costly(cost, self._settings.max_operation_cost)
            return respond(
                error_answer(error) | {"extensions": {"cost": cost}}, media_type, refused_status
            )
        errors = ErrorBudget(self._settings.max_errors)
        context = Context(self._database, caller, errors=errors)
        execution = self._executor.execute(
            document,
            operation,
            parameters.variables,
            context,
            cost=cost,
            values=parameters.values,
        )
        seconds = self._settings.operation_timeout_seconds
        result = await while_connected(request.receive, execution, seconds)
        answer = executed(result, errors)
        answer |= _told(cost)
        if is_unavailable(result):
            return respond(answer, media_type, 503)
        status = 200 if "data" in answer else refused_status
        if cost * BYTES_OF_A_POINT <= self._settings.max_answer_bytes:
            return respond(answer, media_type, status)
        try:
            return respond(answer, media_type, status, self._settings.max_answer_bytes)
        except LimitExceeded as error:
            return respond(error_answer(error) | _told(cost), media_type, refused_status)


def prepared_documents(
    schema: strawberry.Schema, settings: Settings
) -> tuple[Documents, TrustedDocuments]:
    """Raises CommandFailed for a manifest of trusted documents that has faults."""
    documents = Documents(schema._schema, settings, introspection=settings.shows_schema)
    only = settings.trusted_documents == "only"
    return documents, load(settings.trusted_documents_manifest, documents, only=only)


def _refused_status(media_type: str) -> int:
    return 400 if media_type == RESPONSE_JSON else 200


def _told(cost: int) -> dict[str, Any]:
    return {"extensions": {"cost": cost}}
