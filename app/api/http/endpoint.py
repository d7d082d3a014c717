"""GraphQL over HTTP: a request in, a prepared operation, an answer out.

Follows the GraphQL-over-HTTP draft: an error that prevents the execution of a well-formed request
has the status 400 under `application/graphql-response+json`, and 200 under `application/json`.
"""

import strawberry
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.graphql.context import Context
from app.api.graphql.execution.answers import error_answer, executed, is_unavailable, refused
from app.api.graphql.execution.documents import Documents
from app.api.graphql.execution.execute import Executor
from app.api.http.body import json_body
from app.api.http.disconnect import while_connected
from app.api.http.key import api_key
from app.api.http.negotiation import JSON, RESPONSE_JSON, negotiated
from app.api.http.parameters import Parameters, parameters_of, parameters_of_url
from app.api.http.response import respond
from app.database.sessions import Database
from app.errors import BadRequest, RollcallError
from app.settings import Settings
from app.workspaces.keys import Authenticator, Caller


class GraphQLEndpoint:
    """An ASGI application."""

    def __init__(self, schema: strawberry.Schema, database: Database, settings: Settings) -> None:
        self._database = database
        self._authenticator = Authenticator(database)
        self._settings = settings
        self._documents = Documents(schema._schema, introspection=not settings.is_production)
        self._executor = Executor(schema, hide_suggestions=settings.is_production)

    async def close(self) -> None:
        await self._authenticator.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        media_type = JSON
        try:
            media_type = negotiated(request.headers.getlist("accept"))
            caller = await self._authenticator.caller(api_key(request.headers))
            parameters = await self._parameters(request)
            return await self._run(request, caller, parameters, media_type)
        except RollcallError as error:
            return respond(error_answer(error), media_type, error.status)
        except ClientDisconnect:
            return Response(status_code=400)  # the client does not receive it

    async def _parameters(self, request: Request) -> Parameters:
        if request.method != "POST":
            return parameters_of_url(request.query_params)
        return parameters_of(await json_body(request, self._settings.max_body_bytes))

    async def _run(
        self, request: Request, caller: Caller, parameters: Parameters, media_type: str
    ) -> Response:
        refused_status = 400 if media_type == RESPONSE_JSON else 200
        document = self._documents.prepare(parameters.query)
        if document.ast is None or document.errors:
            return respond(refused(document.errors, document.code), media_type, refused_status)
        operation = document.operation(parameters.operation_name)
        if operation is None:
            raise BadRequest("operationName must name one of the document's operations.")
        if request.method != "POST" and operation.operation is not OperationType.QUERY:
            raise BadRequest("Only queries may be sent by GET.", 405)
        context = Context(self._database, caller)
        execution = self._executor.execute(document, operation, parameters.variables, context)
        result = await while_connected(request.receive, execution)
        answer = executed(result)
        if is_unavailable(result):
            return respond(answer, media_type, 503)
        return respond(answer, media_type, 200 if "data" in answer else refused_status)
