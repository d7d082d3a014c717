"""The command line: serve, migrate, workspaces, keys and custom fields."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

import typer
import uvicorn
from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from app import directory, logs
from app.api.schema import schema as graphql_schema
from app.asgi import create_app
from app.auth import Scope
from app.contacts import custom_fields
from app.database import Database
from app.errors import RollcallError
from app.fields import parse_timestamp
from app.migrate import migrate as migrate_database
from app.settings import Settings

T = TypeVar("T")

GRACE_SECONDS = 15
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
def serve() -> None:
    """Migrates the database and serves the API until SIGTERM, which finishes what is in flight."""
    settings = Settings()
    key = asyncio.run(_prepared(settings))
    address = f"http://{settings.host}:{settings.port}"
    if settings.is_production:
        typer.echo(f"Rollcall serves {address}/graphql")
    else:
        typer.echo(f"GraphiQL: {address}/graphiql/")
    if key is not None:
        typer.echo(f"API key of the workspace {DEMO}, shown this once: {key}")
        typer.echo(f"GraphiQL with the key in place: {address}/graphiql/#key={key}")
    sys.stdout.flush()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=logs.config(settings.log_level),
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
    )


@cli.command()
def migrate() -> None:
    """Brings the database to the newest schema. Safe to repeat, and to run several at once."""
    _run(migrate_database)


@cli.command()
def schema() -> None:
    """Prints the GraphQL schema."""
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
    try:
        cli()
    except RollcallError as error:
        _fail(error.message)
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in wrong["loc"]).upper()
            typer.echo(f"rollcall: {name}: {wrong['msg']}", err=True)
        raise SystemExit(1) from None
    except SQLAlchemyError as error:
        _fail(f"the database refused: {getattr(error, 'orig', error)}")


def _fail(message: str) -> None:
    typer.echo(f"rollcall: {message}", err=True)
    raise SystemExit(1) from None


def _timestamp(text: str) -> datetime:
    try:
        return parse_timestamp(text)
    except PydanticCustomError as error:
        raise typer.BadParameter(error.message()) from error


async def _prepared(settings: Settings) -> str | None:
    """Migrates; on the first start of a development server, makes a workspace and its key."""
    database = Database(settings.database_url)
    try:
        await migrate_database(database)
        if settings.is_production:
            return None
        async with database.write() as session:
            if not await directory.is_empty(session):
                return None
            await directory.create_workspace(session, DEMO)
            return await directory.create_key(session, DEMO, "first key", list(Scope))
    finally:
        await database.close()


def _run(work: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        database = Database(Settings().database_url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def _in_session(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """On a migrated database, in one transaction."""

    async def run(database: Database) -> T:
        await migrate_database(database)
        async with database.write() as session:
            return await work(session)

    return _run(run)
