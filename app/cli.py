"""The command line: serve, migrate, backup, workspaces, keys and custom fields."""

import asyncio
import logging.config
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from app import logs
from app.contacts import custom_fields
from app.database.backup import back_up
from app.database.migrate import migrate as migrate_database
from app.database.sessions import Database, sqlite_path
from app.errors import CommandFailed, RollcallError, Unavailable
from app.fields.contact import parse_timestamp
from app.settings import Settings
from app.workspaces import workspaces as directory
from app.workspaces.keys import Scope

T = TypeVar("T")

DEMO = "demo"

cli = typer.Typer(
    help="A contact server with a GraphQL API.", no_args_is_help=True, add_completion=False
)
workspaces = typer.Typer(help="Workspaces: the boundary of isolation.", no_args_is_help=True)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
fields = typer.Typer(help="Definitions of custom fields.", no_args_is_help=True)
cli.add_typer(workspaces, name="workspace")
cli.add_typer(keys, name="key")
cli.add_typer(fields, name="custom-field")


@cli.command()
def serve(
    workers: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Processes that serve; more than one on PostgreSQL."),
    ] = 1,
) -> None:
    """Migrates the database and serves the API until SIGTERM, which finishes what is in flight."""
    # The API takes longer to import than most commands take to run.
    from app.server.serving import listen, only_server, share
    from app.server.serving import serve as serve_here
    from app.server.workers import supervise

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # to which uvicorn comes back at its end
    settings = Settings()
    file = sqlite_path(settings.database_url)
    if file is not None and workers > 1:
        raise CommandFailed("SQLite is for one server process: --workers needs PostgreSQL.")
    with ExitStack() as held:
        if file is not None:
            held.enter_context(only_server(file))
        sockets = listen(settings.host, settings.port)
        for one in sockets:
            held.enter_context(one)
        key = asyncio.run(_prepared(settings))
        _greet(settings, sockets[0].getsockname()[1], key)
        logging.config.dictConfig(logs.config(settings.log_level))
        if workers == 1:
            serve_here(settings, sockets)
        else:
            supervise(share(sockets, workers))


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
    _run(migrate_database)


@cli.command()
def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The copy; must not be there yet.")],
) -> None:
    """Copies the SQLite database while it is in use, and checks the copy."""
    file = sqlite_path(Settings().database_url)
    if file is None:
        raise CommandFailed("This is for SQLite. PostgreSQL has pg_dump.")
    back_up(file, path)


@cli.command()
def schema() -> None:
    """Prints the GraphQL schema."""
    from app.api.graphql.schema import schema as graphql_schema

    typer.echo(graphql_schema.as_str())


@workspaces.command("create")
def create_workspace(name: str) -> None:
    """Creates a workspace and prints its id."""
    workspace = _in_session(lambda session: directory.create_workspace(session, name))
    typer.echo(workspace.id)


@keys.command("create")
def create_key(
    workspace: Annotated[str, typer.Option(help="The name of the workspace.")],
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[list[Scope], typer.Option(help="May be given more than once.")],
    expires_at: Annotated[
        datetime | None,
        typer.Option(
            parser=lambda text: _timestamp(text),
            metavar="T",
            help="RFC 3339, such as 2027-01-31T08:00:00Z.",
        ),
    ] = None,
) -> None:
    """Prints a new key, alone. It cannot be shown again."""
    key = _in_session(
        lambda session: directory.create_key(session, workspace, name, scope, expires_at)
    )
    typer.echo(key)


@keys.command("list")
def list_keys() -> None:
    """Prints a line a key: id, workspace, prefix, scopes, state, name."""
    for key, workspace in _in_session(directory.list_keys):
        state = "active"
        if key.expires_at is not None:
            state = f"expires {key.expires_at.isoformat()}"
        if key.revoked_at is not None:
            state = f"revoked {key.revoked_at.isoformat()}"
        parts = (key.id, workspace.name, key.prefix, ",".join(key.scopes), state, key.name)
        typer.echo("\t".join(str(part) for part in parts))


@keys.command("revoke")
def revoke_key(key_id: Annotated[UUID, typer.Argument(metavar="ID")]) -> None:
    """Revokes a key: within a second no request is served with it."""
    _in_session(lambda session: directory.revoke_key(session, key_id))


@fields.command("load")
def load_custom_fields(
    chosen: Annotated[
        custom_fields.CustomFieldSet,
        typer.Argument(metavar="SET", help="notifuse: custom_string_1 to custom_json_5."),
    ],
    workspace: Annotated[str, typer.Option(help="The name of the workspace.")],
) -> None:
    """Defines a ready set of custom fields in a workspace. Safe to repeat."""

    async def load(session: AsyncSession) -> int:
        found = await directory.find_workspace(session, workspace)
        return await custom_fields.load(session, found.id, chosen)

    typer.echo(f"The {_in_session(load)} custom fields of {chosen.value} are defined.")


def main() -> None:
    """Every error is one line on standard error and an exit code."""
    logging.getLogger("rollcall").addHandler(logging.NullHandler())  # it is told by that line
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
    except (OSError, UnicodeDecodeError) as error:  # such as a file of settings that is no text
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
    except PydanticCustomError as error:
        raise typer.BadParameter(error.message()) from error


async def _prepared(settings: Settings) -> str | None:
    """Migrates; on the first start of a development server, makes a workspace and its key."""
    async with _open(settings) as database:
        await migrate_database(database)
        if settings.is_production:
            return None
        async with database.write() as session:
            if not await directory.is_empty(session):
                return None
            await directory.create_workspace(session, DEMO)
            return await directory.create_key(session, DEMO, "first key", list(Scope))


def _run(work: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        async with _open(Settings()) as database:
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
            # aiosqlite's threads. One that could not connect ends when it will, and with a
            # traceback where it finds the event loop closed.
            if thread.name.endswith("(_connection_worker_thread)"):
                await asyncio.to_thread(thread.join)


def _in_session(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """On a migrated database, in one transaction."""

    async def run(database: Database) -> T:
        await migrate_database(database)
        async with database.write() as session:
            return await work(session)

    return _run(run)
