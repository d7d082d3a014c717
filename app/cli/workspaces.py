"""Workspaces."""

import typer

from app.cli.lists import AsJson, print_list
from app.cli.opening import in_session
from app.workspaces import workspaces

commands = typer.Typer(help="Workspaces: the boundary of isolation.", no_args_is_help=True)


@commands.command("create")
def create_workspace(name: str) -> None:
    """Creates a workspace and prints its id."""
    workspace = in_session(lambda session: workspaces.create_workspace(session, name))
    typer.echo(workspace.id)
    typer.echo(f"Workspace {workspace.name} is created.", err=True)


@commands.command("list")
def list_workspaces(as_json: AsJson = False) -> None:
    """Lists the workspaces by name."""
    found = in_session(workspaces.list_workspaces)
    rows = [(workspace.id, workspace.created_at, workspace.name) for workspace in found]
    print_list(("id", "createdAt", "name"), rows, as_json)
