"""Gives every request an id, an answer even after an unexpected error, and a line in the log."""

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import logs
from app.api.graphql.execution.answers import masked
from app.server.access_log import AccessLog
from app.tables import new_id


class RequestScope:
    """Gives each request an id, sent as `x-request-id`; masks unexpected errors; logs answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._access_log = AccessLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identity = str(new_id())
        logs.request_id.set(identity)
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._access_log.add(scope, message["status"], identity)
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", identity.encode()),
                ]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception as error:
            answer = orjson.dumps({"errors": [masked(error)]})
            if started:
                raise
            response = Response(answer, 500, media_type="application/json")
            await response(scope, receive, send_with_id)
