"""Serving the API."""

import asyncio
import logging.config
import signal
import sys
from contextlib import AbstractContextManager, ExitStack
from typing import Annotated

import typer

from app import logs
from app.cli.opening import open_database, prepare_schema, read_settings, require_file
from app.database.errors import try_again
from app.database.sessions import Database, sqlite_path
from app.errors import CommandFailed
from app.settings import Settings
from app.workspaces import workspaces
from app.workspaces.keys import Scope

DEMO = "demo"


def serve(
    workers: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Processes that serve; more than one on PostgreSQL."),
    ] = 1,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Takes precedence over HOST.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="N", help="Takes precedence over PORT."),
    ] = None,
) -> None:
    """Serves the API until SIGTERM, which finishes what is in flight.

    In development it migrates the database first; in production, rollcall migrate does.
    """
    # The API takes longer to import than most commands take to run.
    from app.server.serving import listen, server_lock
    from app.server.serving import serve as serve_here
    from app.server.workers import supervise

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # uvicorn restores it and signals again
    given = {"host": host, "port": port}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    _check(settings, workers)
    with ExitStack() as held:
        if (file := sqlite_path(settings.database_url)) is not None:
            held.enter_context(server_lock(file))
        sockets = listen(settings.host, settings.port)
        for one in sockets:
            held.enter_context(one)
        if settings.metrics_port is not None:
            held.enter_context(_metrics(settings, workers))
        key = asyncio.run(_prepare(settings))
        _greet(settings, sockets[0].getsockname()[1], key)
        logging.config.dictConfig(logs.config(settings.log_level))
        if workers == 1:
            serve_here(settings, sockets)
        else:
            supervise(sockets, workers)


def _check(settings: Settings, workers: int) -> None:
    """Raises CommandFailed for what no worker could start with."""
    from app.api.graphql.schema import schema as graphql_schema
    from app.api.http.operations import Operations
    from app.server.production import require_sensible

    require_sensible(settings)
    if settings.is_production:
        require_file(settings)
    if workers > 1 and not settings.is_postgresql:
        raise CommandFailed("--workers must be 1 with SQLite. PostgreSQL allows more.")
    Operations(graphql_schema, settings)


def _metrics(settings: Settings, workers: int) -> AbstractContextManager[None]:
    from app.server.metrics import metrics_server, shared_metrics_server

    return metrics_server(settings) if workers == 1 else shared_metrics_server(settings)


def _greet(settings: Settings, port: int, key: str | None) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{port}"
    if settings.is_production:
        typer.echo(f"Rollcall serves {address}/graphql")
    else:
        typer.echo(f"GraphiQL: {address}/graphiql/")
    if key is not None:
        typer.echo(f"API key of the workspace {DEMO}, shown this once: {key}")
        typer.echo(f"GraphiQL with the key in place: {address}/graphiql/#key={key}")
        create = f"key create --workspace {DEMO} --name NAME --scope contacts:read"
        typer.echo(f"For another key: {sys.argv[0]} {create}")
    sys.stdout.flush()


async def _prepare(settings: Settings) -> str | None:
    """On the first start of a development server, makes a workspace and its key."""
    async with open_database(settings) as database:
        await prepare_schema(database, settings)
        if settings.is_production:
            return None
        return await _first_key(database)


@try_again
async def _first_key(database: Database) -> str | None:
    async with database.write_directory() as session:
        if not await workspaces.is_empty(session):
            return None
        await workspaces.create_workspace(session, DEMO)
        return await workspaces.create_key(session, DEMO, "first key", list(Scope))
