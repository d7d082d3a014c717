"""GraphQL over HTTP: a request in, a prepared operation, an answer out.

Follows the GraphQL-over-HTTP draft: an error that prevents the execution of a well-formed request
has the status 400 under `application/graphql-response+json`, and 200 under `application/json`.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

from graphql import ExecutionResult
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
)
from app.api.http.admission import LONG_BODY_BYTES, LONG_BODY_VALUES, Admission
from app.api.http.body import parsed_body, receive_rest, receive_start
from app.api.http.cancellation import Watch
from app.api.http.compression import Compression
from app.api.http.concurrency import Concurrency
from app.api.http.headers import RequestHeaders
from app.api.http.key import api_key
from app.api.http.negotiation import JSON, RESPONSE_JSON, negotiated
from app.api.http.operations import Operations
from app.api.http.parameters import Parameters, parameters_of, parameters_of_url
from app.api.http.rate_headers import rate_headers, retry_after
from app.api.http.response import respond
from app.api.http.variable_limits import guess_values, has_more_values
from app.database.sessions import Database
from app.errors import BadRequest, RateLimited, RollcallError, TimedOut, Unavailable
from app.settings import Settings
from app.turns import work_for
from app.workspaces.keys import Authenticator, Caller
from app.workspaces.quota import Allowance, quota_of

# The most that a point of cost can add to an answer: a document of JSON.
BYTES_OF_A_POINT = 64 * 1024


class _Call(NamedTuple):
    """A request whose caller is known."""

    request: Request
    headers: RequestHeaders
    media_type: str
    caller: Caller
    allowance: Allowance | None


class GraphQLEndpoint:
    """An ASGI application."""

    def __init__(
        self,
        operations: Operations,
        database: Database,
        authenticator: Authenticator,
        settings: Settings,
    ) -> None:
        self._operations = operations
        self._database = database
        self._authenticator = authenticator
        self._settings = settings
        self._admission = Admission(settings.operation_timeout_seconds)
        self._concurrency = Concurrency(settings.max_concurrent_requests)
        self._watch = Watch(settings.operation_timeout_seconds)
        self._compression = Compression()
        self._quota = quota_of(settings, database)

    def stop(self) -> None:
        """Refuses the requests that wait for a place, and lets the running ones end."""
        self._admission.stop_waiting()
        self._watch.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = RequestHeaders(scope)
        response = await self._respond(Request(scope, receive), headers)
        await self._compression.apply(response, headers)
        await response(scope, receive, send)

    async def _respond(self, request: Request, headers: RequestHeaders) -> Response:
        media_type = JSON
        try:
            media_type = negotiated(headers.getlist("accept"))
            caller = await self._authenticator.caller(api_key(headers))
        except RollcallError as error:
            return _refusal(error, media_type)
        except Exception as error:  # masked in the media type that was asked for
            return respond({"errors": [masked(error)]}, media_type, 500)
        logs.current_request().describe_caller(caller.workspace_id, caller.key_id)
        work_for(caller.workspace_id)
        if self._quota is None:
            return await self._answer(_Call(request, headers, media_type, caller, None))
        allowance = self._quota.of(caller.workspace_id, caller.quota_key_id)
        response = await self._answer(_Call(request, headers, media_type, caller, allowance))
        response.raw_headers += rate_headers(allowance)
        return response

    async def _answer(self, call: _Call) -> Response:
        try:
            if call.allowance is not None:
                call.allowance.check()
            return await self._serve(call)
        except ClientDisconnect:
            return Response(status_code=400)  # the client does not receive it
        except RateLimited as error:
            response = _refusal(error, call.media_type)
            response.raw_headers.append(retry_after(error))
            return response
        except (Unavailable, TimedOut) as error:
            return _refusal(error, call.media_type)
        except RollcallError as error:
            if call.allowance is not None:
                await call.allowance.charge()
            return _refusal(error, call.media_type)
        except Exception as error:  # masked in the media type that was asked for
            return respond({"errors": [masked(error)]}, call.media_type, 500)

    async def _serve(self, call: _Call) -> Response:
        receive, limit = call.request.receive, self._settings.max_body_bytes
        if call.request.method != "POST":
            values_limit = self._settings.max_variable_values
            parameters = parameters_of_url(call.request.query_params, values_limit)
            return await self._watch.run(receive, self._run(call, parameters))
        body, is_whole = await receive_start(receive, call.headers, LONG_BODY_BYTES, limit)
        if is_whole and not _is_long(body):
            return await self._watch.run(receive, self._run_short(call, body))
        now = asyncio.get_running_loop().time
        asked = now()
        async with AsyncExitStack() as until_parsed:
            place = self._admission.received.place(call.caller.workspace_id)
            await until_parsed.enter_async_context(place)
            waited = now() - asked
            if not is_whole:
                await receive_rest(receive, body, limit)
            return await self._watch.run(receive, self._run_long(call, body, until_parsed), waited)

    async def _run_short(self, call: _Call, body: bytearray) -> Response:
        return await self._run(call, await self._parameters(body))

    async def _run_long(
        self, call: _Call, body: bytearray, until_parsed: AsyncExitStack
    ) -> Response:
        async with self._admission.parsed.place(call.caller.workspace_id):
            parameters = await self._parameters(body)
            body.clear()
            await until_parsed.aclose()
            return await self._run(call, parameters)

    async def _parameters(self, body: bytearray) -> Parameters:
        values_limit = self._settings.max_variable_values
        given = await parsed_body(body, values_limit)
        return parameters_of(given, values_limit, guess_values(body))

    async def _run(self, call: _Call, parameters: Parameters) -> Response:
        self._concurrency.start(call.caller.workspace_id)
        try:
            return await self._execute(call, parameters)
        finally:
            self._concurrency.end(call.caller.workspace_id)

    async def _execute(self, call: _Call, parameters: Parameters) -> Response:
        operation = self._operations.find(parameters)
        if call.request.method != "POST" and not operation.is_query:
            raise BadRequest("Only queries may be sent by GET.", 405)
        kind = operation.node.operation.value
        logs.current_request().describe_operation(operation.name, kind, operation.cost)
        self._operations.check_cost(operation)
        if call.allowance is not None:
            await call.allowance.take(operation.cost)
        errors = ErrorBudget(self._settings.max_errors)
        context = Context(self._database, call.caller, errors=errors, allowance=call.allowance)
        async with self._admission.place(call.caller.workspace_id, operation.cost):
            result = await self._operations.execute(operation, context)
        return self._executed(result, errors, call.media_type, operation.cost)

    def _executed(
        self, result: ExecutionResult, errors: ErrorBudget, media_type: str, cost: int
    ) -> Response:
        """Raises LimitExceeded for an answer that is too long."""
        answer = executed(result, errors) | _cost_entry(cost)
        if is_unavailable(result):
            return respond(answer, media_type, 503)
        status = 200 if "data" in answer else _refused_status(media_type)
        limit = self._settings.max_answer_bytes
        return respond(
            answer, media_type, status, limit if cost * BYTES_OF_A_POINT > limit else None
        )


def _is_long(body: bytearray) -> bool:
    return len(body) > LONG_BODY_BYTES or has_more_values(body, LONG_BODY_VALUES)


def _refusal(error: RollcallError, media_type: str) -> Response:
    """With the cost of the operation, if it is known."""
    answer = error_answer(error)
    if cost := logs.current_request().cost:
        answer |= _cost_entry(cost)
    status = _refused_status(media_type) if error.is_well_formed else error.status
    return respond(answer, media_type, status)


def _refused_status(media_type: str) -> int:
    return 400 if media_type == RESPONSE_JSON else 200


def _cost_entry(cost: int) -> dict[str, Any]:
    return {"extensions": {"cost": cost}}
