"""Definitions of custom fields."""

from typing import Annotated

import typer

from app.cli.opening import in_database
from app.contacts import custom_fields
from app.database.errors import try_again
from app.database.sessions import Database
from app.workspaces import workspaces

commands = typer.Typer(help="Definitions of custom fields.", no_args_is_help=True)


@commands.command("load")
def load_custom_fields(
    chosen: Annotated[
        custom_fields.CustomFieldSet,
        typer.Argument(metavar="SET", help="notifuse: custom_string_1 to custom_json_5."),
    ],
    workspace: Annotated[str, typer.Option(help="The name of the workspace.")],
) -> None:
    """Defines a predefined set of custom fields in a workspace. Safe to repeat."""

    @try_again
    async def load(database: Database) -> int:
        async with database.read_directory() as session:
            found = await workspaces.find_workspace(session, workspace)
        async with database.write(found) as session:
            return await custom_fields.load(session, chosen)

    count = in_database(load)
    typer.echo(f"The {count} custom fields of {chosen.value} are defined.", err=True)
