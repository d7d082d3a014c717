"""All commands of `rollcall`."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from app.cli import (
    custom_fields,
    database,
    doctor,
    export_contacts,
    import_contacts,
    keys,
    schema,
    serve,
    workspaces,
)
from app.cli.errors import errors_as_lines
from app.interrupts import INTERRUPTED

cli = typer.Typer(no_args_is_help=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rollcall {version('rollcall')}")
        raise typer.Exit


@cli.callback()
def program(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Prints the version.",
        ),
    ] = False,
) -> None:
    """A contact server with a GraphQL API."""


cli.command()(serve.serve)
cli.command()(database.migrate)
cli.command()(database.distribute)
cli.command()(database.backup)
cli.command()(doctor.doctor)
cli.command("import")(import_contacts.import_contacts)
cli.command("export")(export_contacts.export_contacts)
cli.command()(schema.schema)
cli.add_typer(workspaces.commands, name="workspace")
cli.add_typer(keys.commands, name="key")
cli.add_typer(custom_fields.commands, name="custom-field")


def main() -> None:
    logging.getLogger("rollcall").addHandler(logging.NullHandler())  # a line reports each error
    with errors_as_lines():
        code = cli(prog_name="rollcall", standalone_mode=False)
        if code == INTERRUPTED:
            raise KeyboardInterrupt  # which Typer made the exit code of
        sys.exit(code)
