"""The command line: serve, migrate, backup, workspaces, keys and custom fields."""

import asyncio
import logging.config
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from app import logs
from app.contacts import custom_fields
from app.database.backup import back_up
from app.database.migrate import migrate as migrate_database
from app.database.migrate import require_current
from app.database.sessions import Database, sqlite_path
from app.errors import CommandFailed, RollcallError, Unavailable
from app.fields.sources import DEFAULT_SOURCE
from app.settings import Settings
from app.tables import ApiKey, now
from app.timestamps import parse_timestamp
from app.workspaces import workspaces
from app.workspaces.keys import Scope

T = TypeVar("T")

DEMO = "demo"

cli = typer.Typer(
    help="A contact server with a GraphQL API.", no_args_is_help=True, add_completion=False
)
workspace_commands = typer.Typer(
    help="Workspaces: the boundary of isolation.", no_args_is_help=True
)
key_commands = typer.Typer(help="API keys.", no_args_is_help=True)
field_commands = typer.Typer(help="Definitions of custom fields.", no_args_is_help=True)
cli.add_typer(workspace_commands, name="workspace")
cli.add_typer(key_commands, name="key")
cli.add_typer(field_commands, name="custom-field")


@cli.command()
def serve(
    workers: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Processes that serve; more than one on PostgreSQL."),
    ] = 1,
) -> None:
    """Serves the API until SIGTERM, which finishes what is in flight.

    In development it migrates the database first; in production, rollcall migrate does.
    """
    # The API takes longer to import than most commands take to run.
    from app.api.graphql.schema import schema as graphql_schema
    from app.api.http.operations import Operations
    from app.server.production import require_sensible
    from app.server.serving import listen, server_lock
    from app.server.serving import serve as serve_here
    from app.server.workers import supervise

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # uvicorn restores it and signals again
    settings = Settings()
    require_sensible(settings)
    file = sqlite_path(settings.database_url)
    if file is not None and workers > 1:
        raise CommandFailed("--workers must be 1 with SQLite. PostgreSQL allows more.")
    Operations(graphql_schema, settings)  # reports what no worker could start with
    with ExitStack() as held:
        if file is not None:
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
    sys.stdout.flush()


@cli.command()
def migrate() -> None:
    """Brings the database to the newest schema. Safe to repeat, and to run several at once."""
    settings = Settings()

    async def run() -> None:
        async with _open(settings) as database:
            await migrate_database(database)

    asyncio.run(run())


@cli.command()
def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The copy. It must not exist.")],
) -> None:
    """Copies the SQLite database while it is in use, and checks the copy."""
    file = sqlite_path(Settings().database_url)
    if file is None:
        raise CommandFailed("rollcall backup is for SQLite. Use pg_dump for PostgreSQL.")
    back_up(file, path)


@cli.command()
def schema() -> None:
    """Prints the GraphQL schema."""
    from app.api.graphql.schema import schema as graphql_schema

    typer.echo(graphql_schema.as_str())


@workspace_commands.command("create")
def create_workspace(name: str) -> None:
    """Creates a workspace and prints its id."""
    workspace = _in_session(lambda session: workspaces.create_workspace(session, name))
    typer.echo(workspace.id)


@key_commands.command("create")
def create_key(
    workspace: Annotated[str, typer.Option(help="The name of the workspace.")],
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[list[Scope], typer.Option(help="May be given more than once.")],
    source: Annotated[
        str,
        typer.Option(help="The system that the external ids of the key's calls come from."),
    ] = DEFAULT_SOURCE,
    expires_at: Annotated[
        datetime | None,
        typer.Option(
            parser=lambda text: _timestamp(text),
            metavar="T",
            help="RFC 3339, such as 2027-01-31T08:00:00Z.",
        ),
    ] = None,
) -> None:
    """Creates a key and prints only the key. It cannot be shown again."""
    key = _in_session(
        lambda session: workspaces.create_key(session, workspace, name, scope, expires_at, source)
    )
    typer.echo(key)


@key_commands.command("list")
def list_keys() -> None:
    """Prints a line for each key: id, workspace, prefix, scopes, source, state, last use, name."""
    for key, workspace in _in_session(workspaces.list_keys):
        used = key.last_used_at
        use = f"used {used.isoformat()}" if used else "never used"
        scopes = ",".join(key.scopes)
        state = _state(key)
        parts = (key.id, workspace.name, key.prefix, scopes, key.source, state, use, key.name)
        typer.echo("\t".join(str(part) for part in parts))


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at.isoformat()}"
    if key.expires_at is not None:
        verb = "expires" if key.expires_at > now() else "expired"
        return f"{verb} {key.expires_at.isoformat()}"
    return "active"


@key_commands.command("rotate")
def rotate_key(
    key_id: Annotated[UUID, typer.Argument(metavar="ID")],
    overlap_hours: Annotated[
        float,
        typer.Option(
            min=0, max=24 * 365, metavar="HOURS", help="How long the old key is still valid."
        ),
    ] = 24,
    expires_at: Annotated[
        datetime | None,
        typer.Option(
            parser=lambda text: _timestamp(text),
            metavar="T",
            help="The expiry of the new key; required if the old one has one.",
        ),
    ] = None,
) -> None:
    """Creates a key like another, which then expires, and prints only the new key."""
    overlap = timedelta(hours=overlap_hours)
    key = _in_session(lambda session: workspaces.rotate_key(session, key_id, overlap, expires_at))
    typer.echo(key)


@key_commands.command("revoke")
def revoke_key(key_id: Annotated[UUID, typer.Argument(metavar="ID")]) -> None:
    """Revokes a key and those that it made: within a second no request is served with them."""
    _in_session(lambda session: workspaces.revoke_key(session, key_id))


@field_commands.command("load")
def load_custom_fields(
    chosen: Annotated[
        custom_fields.CustomFieldSet,
        typer.Argument(metavar="SET", help="notifuse: custom_string_1 to custom_json_5."),
    ],
    workspace: Annotated[str, typer.Option(help="The name of the workspace.")],
) -> None:
    """Defines a predefined set of custom fields in a workspace. Safe to repeat."""

    async def load(database: Database) -> int:
        async with database.read_directory() as session:
            found = await workspaces.find_workspace(session, workspace)
        async with database.write(found) as session:
            return await custom_fields.load(session, chosen)

    typer.echo(f"The {_run(load)} custom fields of {chosen.value} are defined.")


def main() -> None:
    """Every error is one line on standard error and an exit code."""
    logging.getLogger("rollcall").addHandler(logging.NullHandler())  # the line reports it
    try:
        sys.exit(cli(standalone_mode=False))
    except typer.TyperException as error:
        _fail(error.format_message(), error.exit_code)
    except Unavailable as error:
        _fail(f"{error.message} ({getattr(error.__cause__, 'orig', error.__cause__)})")
    except RollcallError as error:
        _fail(error.message)
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in wrong["loc"]).upper()
            typer.echo(f"rollcall: {name}: {wrong['msg']}", err=True)
        raise SystemExit(1) from None
    except (OSError, UnicodeDecodeError) as error:  # such as settings that are not text
        _fail(str(error))
    except SQLAlchemyError as error:
        _fail(f"the database refused: {getattr(error, 'orig', error)}")


def _fail(message: str, code: int = 1) -> None:
    if message:  # a command without arguments has printed its help instead
        typer.echo(f"rollcall: {' '.join(message.split())}", err=True)
    raise SystemExit(code) from None


def _timestamp(text: str) -> datetime:
    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


async def _prepare(settings: Settings) -> str | None:
    """On the first start of a development server, makes a workspace and its key."""
    async with _open(settings) as database:
        await _prepare_schema(database, settings)
        if settings.is_production:
            return None
        async with database.write_directory() as session:
            if not await workspaces.is_empty(session):
                return None
            await workspaces.create_workspace(session, DEMO)
            return await workspaces.create_key(session, DEMO, "first key", list(Scope))


async def _prepare_schema(database: Database, settings: Settings) -> None:
    """Production migrates by its own command alone: a large database takes a long time."""
    if settings.is_production:
        await require_current(database)
    else:
        await migrate_database(database)


def _run(work: Callable[[Database], Awaitable[T]]) -> T:
    """On a database with the newest schema."""
    settings = Settings()

    async def run() -> T:
        async with _open(settings) as database:
            await _prepare_schema(database, settings)
            return await work(database)

    return asyncio.run(run())


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Database]:
    others = set(threading.enumerate())
    database = Database(settings.database_url, settings)
    try:
        yield database
    finally:
        await database.close()
        for thread in set(threading.enumerate()) - others:
            # aiosqlite's threads. One that could not connect ends later, and with a traceback
            # if the event loop is closed by then.
            if thread.name.endswith("(_connection_worker_thread)"):
                await asyncio.to_thread(thread.join)


def _in_session(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """In one transaction."""

    async def run(database: Database) -> T:
        async with database.write_directory() as session:
            return await work(session)

    return _run(run)
