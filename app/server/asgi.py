"""The application: its routes, middleware and lifespan."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from app.api.graphiql import graphiql
from app.api.graphql.execution.answers import masked
from app.api.graphql.schema import schema
from app.api.http.endpoint import GraphQLEndpoint
from app.database.migrate import is_current
from app.database.sessions import Database
from app.errors import RollcallError
from app.server.header_limits import HeaderLimits
from app.server.request_scope import RequestScope
from app.server.telemetry import Telemetry
from app.settings import Settings

PATH = "/graphql"


class Application(Starlette):
    """POST /graphql, which is nearly every request, does not pass Starlette's router and error
    handlers: they cost a fifth of a small request's time."""

    def __init__(self, endpoint: GraphQLEndpoint, telemetry: Telemetry, **options: Any) -> None:
        super().__init__(**options)
        self.router.redirect_slashes = False  # Starlette redirects to the Host that was given
        self._endpoint = RequestScope(HeaderLimits(endpoint), telemetry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            await self._endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings) -> Starlette:
    database = Database(settings.database_url, settings)
    telemetry = Telemetry(settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await endpoint.close()
        await database.close()
        telemetry.close()

    async def ready(_: Request) -> Response:
        try:
            if await is_current(database):
                return PlainTextResponse("ready\n")
            reason = "the database needs rollcall migrate"
        except RollcallError as error:
            reason = error.message
        except Exception as error:
            masked(error)
            reason = "an unexpected error occurred"
        return PlainTextResponse(f"not ready: {reason}\n", 503, {"retry-after": "1"})

    methods = ["POST"] if settings.is_production else ["GET", "POST"]
    endpoint = GraphQLEndpoint(schema, database, settings)
    routes: list[BaseRoute] = [
        Route(PATH, endpoint, methods=methods),
        Route("/healthz", healthy),
        Route("/readyz", ready),
    ]
    if not settings.is_production:
        routes += [
            Route("/", lambda _: RedirectResponse("/graphiql/")),
            Route("/graphiql", lambda _: RedirectResponse("/graphiql/")),
            Mount("/graphiql", graphiql()),
        ]
    return Application(
        endpoint,
        telemetry,
        routes=routes,
        middleware=[Middleware(RequestScope, telemetry), Middleware(HeaderLimits)],
        lifespan=lifespan,
    )


async def healthy(_: Request) -> Response:
    return PlainTextResponse("healthy\n")
