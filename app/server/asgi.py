"""The application: its routes, middleware and lifespan."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.graphiql import graphiql, graphiql_is_off
from app.api.graphql.execution.answers import masked
from app.api.graphql.schema import schema
from app.api.http.endpoint import GraphQLEndpoint
from app.api.http.operations import Operations
from app.api.http.schema_file import SchemaFile
from app.api.http.security_headers import SecurityHeaders
from app.database.migrate import is_current
from app.database.sessions import Database
from app.errors import RollcallError
from app.server.header_limits import HeaderLimits
from app.server.origins import cross_origin
from app.server.request_scope import RequestScope
from app.server.telemetry import Telemetry
from app.settings import Settings
from app.workspaces.keys import Authenticator

PATH = "/graphql"


class Application(Starlette):
    """POST /graphql, which is nearly every request, does not pass Starlette's router and error
    handlers: they cost a fifth of a small request's time."""

    def __init__(
        self,
        endpoint: GraphQLEndpoint,
        middleware: Sequence[Middleware],
        routes: Sequence[BaseRoute],
        **options: Any,
    ) -> None:
        """The endpoint's answers have the security headers already."""
        super().__init__(
            routes=routes, middleware=[Middleware(SecurityHeaders), *middleware], **options
        )
        self.router.redirect_slashes = False  # Starlette redirects to the Host that was given
        self.stop = endpoint.stop
        self._endpoint: ASGIApp = endpoint
        for layer, args, kwargs in reversed(middleware):
            self._endpoint = layer(self._endpoint, *args, **kwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            await self._endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings) -> Application:
    database = Database(settings.database_url, settings)
    telemetry = Telemetry(settings)
    authenticator = Authenticator(database)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await authenticator.close()
        await database.close()
        telemetry.close()

    async def ready(_: Request) -> Response:
        try:
            if await is_current(database):
                return PlainTextResponse("ready\n")
            reason = "the database needs rollcall migrate"
        except RollcallError as error:
            reason = error.message
        except Exception as error:  # whatever it is, the server is not ready
            masked(error)
            reason = "an unexpected error occurred"
        return PlainTextResponse(f"not ready: {reason}\n", 503, {"retry-after": "1"})

    methods = ["GET", "POST"] if settings.serves_get else ["POST"]
    operations = Operations(schema, settings)
    endpoint = GraphQLEndpoint(operations, database, authenticator, settings)
    routes: list[BaseRoute] = [
        Route(PATH, endpoint, methods=methods),
        Route("/schema.graphql", SchemaFile(schema, authenticator), methods=["GET"]),
        Route("/healthz", healthy),
        Route("/readyz", ready),
    ]
    if settings.serves_graphiql:
        routes += [
            Route("/", lambda _: RedirectResponse("/graphiql/")),
            Route("/graphiql", lambda _: RedirectResponse("/graphiql/")),
            Mount("/graphiql", graphiql()),
        ]
    else:
        routes += [Route(path, graphiql_is_off) for path in ("/", "/graphiql", "/graphiql/")]
    middleware = [
        Middleware(RequestScope, telemetry),
        *cross_origin(settings),
        Middleware(HeaderLimits),
    ]
    return Application(endpoint, middleware, routes, lifespan=lifespan)


async def healthy(_: Request) -> Response:
    return PlainTextResponse("healthy\n")
