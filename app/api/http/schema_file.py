"""The schema as a file, for code generators where introspection is off."""

from functools import cached_property

import strawberry
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app import logs
from app.api.graphql.execution.answers import error_answer
from app.api.http.compression import Compression
from app.api.http.key import api_key
from app.api.http.negotiation import JSON
from app.api.http.response import respond
from app.errors import RollcallError
from app.workspaces import keys
from app.workspaces.keys import Authenticator


class SchemaFile:
    """An ASGI application that answers a key of scope admin."""

    def __init__(self, schema: strawberry.Schema, authenticator: Authenticator) -> None:
        self._schema = schema
        self._authenticator = authenticator
        self._compression = Compression()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._respond(request)
        await self._compression.apply(response, request.headers)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            caller = await self._authenticator.caller(api_key(request.headers))
            logs.current_request().describe_caller(caller.workspace_id, caller.key_id)
            caller.require(keys.Scope.ADMIN)
        except RollcallError as error:
            return respond(error_answer(error), JSON, error.status)
        return PlainTextResponse(self._text, headers={"cache-control": "no-store"})

    @cached_property
    def _text(self) -> str:
        """Written when it is first asked for: most servers never are."""
        return self._schema.as_str() + "\n"
