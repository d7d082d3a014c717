"""Workspaces."""

import typer

from app.cli.opening import in_session
from app.workspaces import workspaces

commands = typer.Typer(help="Workspaces: the boundary of isolation.", no_args_is_help=True)


@commands.command("create")
def create_workspace(name: str) -> None:
    """Creates a workspace and prints its id."""
    workspace = in_session(lambda session: workspaces.create_workspace(session, name))
    typer.echo(workspace.id)
