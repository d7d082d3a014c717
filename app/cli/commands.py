"""All commands of `rollcall`."""

import logging
import sys

import typer

from app.cli import custom_fields, database, keys, schema, serve, workspaces
from app.cli.errors import errors_as_lines

cli = typer.Typer(
    help="A contact server with a GraphQL API.", no_args_is_help=True, add_completion=False
)
cli.command()(serve.serve)
cli.command()(database.migrate)
cli.command()(database.backup)
cli.command()(schema.schema)
cli.add_typer(workspaces.commands, name="workspace")
cli.add_typer(keys.commands, name="key")
cli.add_typer(custom_fields.commands, name="custom-field")


def main() -> None:
    logging.getLogger("rollcall").addHandler(logging.NullHandler())  # a line reports each error
    with errors_as_lines():
        sys.exit(cli(standalone_mode=False))
