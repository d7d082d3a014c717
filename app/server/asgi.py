"""The application: its routes, middleware and lifespan."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import logs
from app.api.graphiql import graphiql
from app.api.graphql.execution.answers import masked
from app.api.graphql.schema import schema
from app.api.http.endpoint import GraphQLEndpoint
from app.database.migrate import is_current
from app.database.sessions import Database
from app.errors import RollcallError
from app.settings import Settings
from app.tables import new_id


def create_app(settings: Settings) -> Starlette:
    database = Database(settings.database_url, settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await database.close()

    async def ready(_: Request) -> Response:
        try:
            if await is_current(database):
                return PlainTextResponse("ready\n")
            reason = "the database wants rollcall migrate"
        except RollcallError as error:
            reason = error.message
        except Exception as error:
            masked(error)
            reason = "the database does not answer as it should"
        return PlainTextResponse(f"not ready: {reason}\n", 503, {"retry-after": "1"})

    methods = ["POST"] if settings.is_production else ["GET", "POST"]
    endpoint = GraphQLEndpoint(schema, database, settings)
    routes: list[BaseRoute] = [
        Route("/graphql", endpoint.respond, methods=methods),
        Route("/healthz", healthy),
        Route("/readyz", ready),
    ]
    if not settings.is_production:
        routes += [
            Route("/", lambda _: RedirectResponse("/graphiql/")),
            Mount("/graphiql", graphiql()),
        ]
    return Starlette(routes=routes, middleware=[Middleware(RequestScope)], lifespan=lifespan)


async def healthy(_: Request) -> Response:
    return PlainTextResponse("healthy\n")


class RequestScope:
    """Gives each request an id, told in `x-request-id`, and masks what was not expected."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

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
