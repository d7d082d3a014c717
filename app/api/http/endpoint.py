"""GraphQL over HTTP: a request in, a prepared operation, an answer out.

Follows the GraphQL-over-HTTP draft: an error that keeps a request from being executed is a 400
under `application/graphql-response+json`, and a 200 under `application/json` where the request
itself was well-formed.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

import orjson
import strawberry
from graphql import ExecutionResult, OperationType, execute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.api.graphql.context import Context
from app.api.graphql.execution.answers import error_answer, executed, is_unavailable, refused
from app.api.graphql.execution.documents import Documents
from app.database.sessions import Database
from app.errors import BadRequest, RollcallError, Unauthenticated
from app.settings import Settings
from app.workspaces.keys import Caller, authenticate

RESPONSE_JSON = "application/graphql-response+json"
JSON = "application/json"
QUERY_LIMIT = 250_000  # of which each takes its time to be read
OBJECTS_LIMIT = 25_000  # a bulk of 1,000 contacts with 24 in the custom fields of each

_QUALITY = re.compile(r";\s*q=([01](?:\.\d{0,3})?)\s*(?:;|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parameters:
    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


class GraphQLEndpoint:
    def __init__(self, schema: strawberry.Schema, database: Database, settings: Settings) -> None:
        self._schema = schema._schema
        self._database = database
        self._settings = settings
        self._documents = Documents(self._schema, introspection=not settings.is_production)

    async def respond(self, request: Request) -> Response:
        media_type = _negotiated(request)
        try:
            if media_type is None:
                raise BadRequest(f"Accept must admit {JSON} or {RESPONSE_JSON}.", 406)
            caller = await authenticate(self._database, _key(request))
            parameters = await self._parameters(request)
            return await self._run(request, caller, parameters, media_type)
        except RollcallError as error:
            return _respond(error_answer(error), media_type or JSON, error.status)

    async def _parameters(self, request: Request) -> Parameters:
        if request.method != "POST":
            given: dict[str, Any] = dict(request.query_params)
            for name in ("variables", "extensions"):
                if name in given:
                    given[name] = _loads(given[name].encode(), f"The parameter {name}")
            return _checked(given)
        _check_headers(request)
        body = await _body(request, self._settings.max_body_bytes)
        return _checked(_loads(body, "The body"))

    async def _run(
        self, request: Request, caller: Caller, parameters: Parameters, media_type: str
    ) -> Response:
        failed = 400 if media_type == RESPONSE_JSON else 200
        document = self._documents.prepare(parameters.query)
        if document.ast is None or document.errors:
            return _respond(refused(document.errors, document.code), media_type, failed)
        operation = document.operation(parameters.operation_name)
        if operation is None:
            raise BadRequest("operationName must name one of the document's operations.")
        if request.method != "POST" and operation.operation is not OperationType.QUERY:
            raise BadRequest("Only queries may be sent by GET.", 405)
        result = execute(
            self._schema,
            document.ast,
            context_value=Context(self._database, caller),
            variable_values=parameters.variables,
            operation_name=parameters.operation_name,
            hide_suggestions=self._settings.is_production,
        )
        result = result if isinstance(result, ExecutionResult) else await result
        answer = executed(result)
        if is_unavailable(result):
            return _respond(answer, media_type, 503)
        return _respond(answer, media_type, 200 if "data" in answer else failed)


def _negotiated(request: Request) -> str | None:
    """The media type of the answer: the one that Accept likes best, JSON where it admits all."""
    accepted = ",".join(request.headers.getlist("accept")) or "*/*"
    admitted = [part for part in accepted.split(",") if _quality(part) > 0]
    for part in sorted(admitted, key=_quality, reverse=True):
        match part.partition(";")[0].strip().lower():
            case "application/graphql-response+json":
                return RESPONSE_JSON
            case "application/json" | "application/*" | "*/*":
                return JSON
    return None


def _quality(part: str) -> float:
    """RFC 9110, 12.4.2."""
    given = _QUALITY.search(part)
    return float(given[1]) if given else 1.0


def _key(request: Request) -> str:
    """The API key, from either header. Raises Unauthenticated for none, or two that differ."""
    keys = set(request.headers.getlist("x-api-key"))
    for authorization in request.headers.getlist("authorization"):
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("The Authorization header must be of the form Bearer KEY.")
        keys.add(token.strip())
    if len(keys) > 1:
        raise Unauthenticated("The request has two API keys that differ.")
    if not keys:
        raise Unauthenticated("Send an API key as x-api-key: KEY or Authorization: Bearer KEY.")
    return keys.pop()


def _check_headers(request: Request) -> None:
    content_type = request.headers.get("content-type", "")
    if content_type != JSON:
        content = Message()
        content["content-type"] = content_type
        if content.get_content_type() != JSON:
            raise BadRequest(f"The body must be sent as {JSON}.", 415)
        if content.get_content_charset("utf-8") != "utf-8":
            raise BadRequest("The body must be UTF-8.", 415)
    if request.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise BadRequest("The body must not be compressed.", 415)


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise BadRequest(f"The body must have at most {limit} bytes.", 413)
    except ClientDisconnect as error:
        raise BadRequest("The body did not arrive.") from error
    return bytes(body)


def _loads(text: bytes, what: str) -> Any:
    """JSON by orjson. What that refuses goes to the standard library, which lets NaN and lone
    surrogates through, so that the field that holds one can be named."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text.decode())  # given bytes, it would guess at UTF-16
    except RecursionError as error:
        raise BadRequest(f"{what} is nested too deeply.") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{what} is not UTF-8.") from error
    except ValueError as error:
        raise BadRequest(f"{what} is not JSON: {error}.") from error


def _checked(given: Any) -> Parameters:
    if isinstance(given, list):
        raise BadRequest("Batches are not supported: send one operation a request.")
    if not isinstance(given, Mapping):
        raise BadRequest("The body must be a JSON object.")
    query = given.get("query")
    if not isinstance(query, str):
        raise BadRequest("query must be a string.")
    if len(query) > QUERY_LIMIT:
        raise BadRequest(
            f"query must have at most {QUERY_LIMIT:,} characters; variables may hold more."
        )
    operation_name = given.get("operationName")
    if not isinstance(operation_name, str | None):
        raise BadRequest("operationName must be a string.")
    for name in ("variables", "extensions"):
        if not isinstance(given.get(name), dict | None):
            raise BadRequest(f"{name} must be an object.")
    variables = given.get("variables")
    if variables and _has_too_many_objects(variables):
        raise BadRequest(f"variables must have at most {OBJECTS_LIMIT:,} objects.")
    return Parameters(query, variables, operation_name or None)


def _has_too_many_objects(variables: dict[str, Any]) -> bool:
    """Each takes its time to be read as an input, during which no other request is served."""
    left = OBJECTS_LIMIT
    found: list[Any] = [variables]
    while found and left >= 0:
        one = found.pop()
        if isinstance(one, dict):
            left -= 1
            found.extend(one.values())
        elif isinstance(one, list):
            found.extend(one)
    return left < 0


def _respond(answer: dict[str, Any], media_type: str, status: int) -> Response:
    headers = {"vary": "accept", "cache-control": "no-store"}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="rollcall"'
    if status == 405:
        headers["allow"] = "POST"
    if status == 503:
        headers["retry-after"] = "1"
    return Response(_dumps(answer), status, headers, f"{media_type}; charset=utf-8")


def _dumps(answer: dict[str, Any]) -> bytes:
    try:
        # PostgreSQL's driver has a UUID of its own, which orjson leaves to `default`.
        return orjson.dumps(answer, default=str, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:  # an error that quotes a lone surrogate
        return json.dumps(answer, default=str).encode()
