"""API keys."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from app.cli.lists import AsJson, print_list
from app.cli.opening import in_session
from app.fields.sources import DEFAULT_SOURCE
from app.tables import ApiKey, Workspace, now
from app.timestamps import parse_timestamp
from app.workspaces import workspaces
from app.workspaces.keys import Scope

COLUMNS = (
    "id",
    "workspace",
    "prefix",
    "scopes",
    "source",
    "state",
    "expiresAt",
    "revokedAt",
    "lastUsedAt",
    "name",
)

commands = typer.Typer(help="API keys.", no_args_is_help=True)


@commands.command("create")
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
    """Creates a key and prints only the key on standard output. It cannot be shown again."""
    key = in_session(
        lambda session: workspaces.create_key(session, workspace, name, scope, expires_at, source)
    )
    typer.echo(key)
    typer.echo(
        f"Key {name} of workspace {workspace} is created. It cannot be shown again.", err=True
    )


@commands.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Lists the keys by workspace, without their secrets."""
    found = in_session(workspaces.list_keys)
    print_list(COLUMNS, [_row(key, workspace) for key, workspace in found], as_json)


def _row(key: ApiKey, workspace: Workspace) -> tuple[Any, ...]:
    ends = (key.expires_at, key.revoked_at, key.last_used_at)
    return key.id, workspace.name, key.prefix, key.scopes, key.source, _state(key), *ends, key.name


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now() else "active"


@commands.command("rotate")
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
    key = in_session(lambda session: workspaces.rotate_key(session, key_id, overlap, expires_at))
    typer.echo(key)
    typer.echo(
        f"The new key cannot be shown again. Key {key_id} expires in {overlap_hours:g} hours at "
        "the latest.",
        err=True,
    )


@commands.command("revoke")
def revoke_key(key_id: Annotated[UUID, typer.Argument(metavar="ID")]) -> None:
    """Revokes a key and those that it made: within a second no request is served with them."""
    in_session(lambda session: workspaces.revoke_key(session, key_id))
    typer.echo(f"Key {key_id} and the keys that it made are revoked.", err=True)


def _timestamp(text: str) -> datetime:
    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
