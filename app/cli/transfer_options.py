"""What import and export have in common: whose contacts, and by which way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, TypeVar

import typer

from app.cli.opening import open_database, prepare_schema, read_settings, require_file
from app.errors import CommandFailed
from app.fields.sources import DEFAULT_SOURCE
from app.transfer.execution import Execution

T = TypeVar("T")

GOES_ON = "The same command goes on where this one stopped."

WorkspaceOption = Annotated[str, typer.Option(help="The name of the workspace.")]
SourceOption = Annotated[
    str, typer.Option(help="The system that the external ids come from, with --workspace.")
]
UrlOption = Annotated[
    str,
    typer.Option(
        metavar="URL", help="Over the API of this server, in place of --workspace. Needs a key."
    ),
]
KeyOption = Annotated[
    str,
    typer.Option(
        metavar="KEY",
        envvar="ROLLCALL_KEY",
        show_envvar=True,
        help="An API key with the scopes contacts:read and contacts:write.",
    ),
]


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace of the database of the settings, or the workspace of a key over the API."""

    workspace: str = ""
    source: str = DEFAULT_SOURCE
    url: str = ""
    key: str = ""

    def check(self) -> None:
        if bool(self.workspace) == bool(self.url):
            raise CommandFailed("Give --workspace NAME, or --url URL and --key KEY.")
        if self.url and not self.key:
            raise CommandFailed("Give --key KEY with --url, or set ROLLCALL_KEY.")


def at_place(place: Place, work: Callable[[Execution], Awaitable[T]]) -> T:
    place.check()

    async def run() -> T:
        async with _execution(place) as execution:
            return await work(execution)

    return asyncio.run(run())


@asynccontextmanager
async def _execution(place: Place) -> AsyncIterator[Execution]:
    # Each takes longer to import than most commands take to run.
    if place.url:
        from app.transfer.over_http import over_http

        async with over_http(place.url, place.key) as execution:
            yield execution
        return
    from app.transfer.in_process import InProcess
    from app.workspaces.command_line_key import command_line_caller

    settings = read_settings()
    require_file(settings)
    async with open_database(settings) as database:
        await prepare_schema(database, settings)
        caller = await command_line_caller(database, place.workspace, place.source)
        yield InProcess(database, caller, settings)
