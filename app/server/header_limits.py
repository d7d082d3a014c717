"""Limits the headers of a request, on every route and before anything reads them."""

from collections.abc import Sequence

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.graphql.execution.answers import error_answer
from app.api.http.security_headers import SECURITY_HEADERS
from app.errors import BadRequest

HEADERS_LIMIT = 100
HEADER_BYTES_LIMIT = 16 * 1024  # of all names and values together


class HeaderLimits:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = _limit_error(scope["headers"]) if scope["type"] == "http" else None
        if error is None:
            await self.app(scope, receive, send)
            return
        content = orjson.dumps(error_answer(error))
        response = Response(content, error.status, SECURITY_HEADERS, media_type="application/json")
        await response(scope, receive, send)


def too_many_headers() -> BadRequest:
    return BadRequest(f"A request must have at most {HEADERS_LIMIT} headers.", 431)


def _limit_error(headers: Sequence[tuple[bytes, bytes]]) -> BadRequest | None:
    if len(headers) > HEADERS_LIMIT:
        return too_many_headers()
    if sum(len(name) + len(value) for name, value in headers) > HEADER_BYTES_LIMIT:
        message = f"The headers of a request must have at most {HEADER_BYTES_LIMIT:,} bytes in all."
        return BadRequest(message, 431)
    return None
