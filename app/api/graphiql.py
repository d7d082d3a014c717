"""The GraphiQL page, built by scripts/graphiql; it makes no requests to other hosts."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUILT = Path(__file__).parent.parent / "graphiql" / "dist"

_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "worker-src 'self' blob:; font-src 'self' data:; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_MISSING = """<!doctype html>
<title>GraphiQL is not built</title>
<h1>GraphiQL is not built</h1>
<p>Run <code>scripts/graphiql</code> in the project's folder, then start the server again.</p>
<p>The API itself is at <code>/graphql</code>.</p>
"""
_OFF = (
    "GraphiQL is off on this server. The API is described in docs/api.md of the project, "
    "and a key of scope admin reads its schema at /schema.graphql.\n"
)


def graphiql() -> ASGIApp:
    if (BUILT / "index.html").exists():
        return _with_policy(StaticFiles(directory=BUILT, html=True))
    return HTMLResponse(_MISSING, 503)


async def graphiql_is_off(_: Request) -> Response:
    return PlainTextResponse(_OFF, 404)


def _with_policy(app: ASGIApp) -> ASGIApp:
    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", _POLICY.encode())
                message["headers"] = [*message["headers"], policy]
            await send(message)

        await app(scope, receive, send_with_policy)

    return respond
