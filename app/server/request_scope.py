"""Gives each request an id, sent as `x-request-id`, and an answer whatever happens."""

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.graphql.execution.answers import masked
from app.api.http.security_headers import SECURITY_HEADERS
from app.logs import RequestRecord
from app.server.telemetry import Telemetry


class RequestScope:
    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        record = self._telemetry.start()
        try:
            with self._telemetry.span(scope, record):
                await self._answer(scope, receive, send, record)
        finally:
            self._telemetry.end(scope, record)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, record: RequestRecord
    ) -> None:
        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", record.id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception as error:  # of any layer below, so that there is an answer
            answer = orjson.dumps({"errors": [masked(error)]})
            if record.status:
                raise
            response = Response(answer, 500, SECURITY_HEADERS, media_type="application/json")
            await response(scope, receive, send_with_id)
