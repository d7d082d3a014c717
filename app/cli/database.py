"""The database: its schema and its backups."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from app.cli.opening import open_database, read_settings, require_file
from app.cli.progress import shown_progress
from app.database.backup import back_up
from app.database.migrate import Distribution
from app.database.migrate import distribute as distribute_tables
from app.database.migrate import migrate as migrate_database
from app.database.sessions import sqlite_path
from app.errors import CommandFailed


def migrate() -> None:
    """Brings the database to the newest schema. Safe to repeat, and to run several at once."""
    settings = read_settings()

    async def run() -> None:
        with shown_progress() as report:
            async with open_database(settings) as database:
                await migrate_database(database, report)

    asyncio.run(run())
    where = sqlite_path(settings.database_url) or make_url(settings.database_url).database
    typer.echo(f"The database {where} has the newest schema.", err=True)


def distribute() -> None:
    """Distributes the tables of a PostgreSQL with Citus by workspace. Safe to repeat.

    Writes wait until it ends, and it says for how long. Reads go on.
    """
    settings = read_settings()
    require_file(settings)

    async def run() -> Distribution:
        with shown_progress() as report:
            async with open_database(settings) as database:
                return await distribute_tables(database, report)

    done = asyncio.run(run())
    for placement in done.new:
        how = "distributed by workspace" if placement.by_workspace else "a copy on each node"
        typer.echo(f"{placement.table}: {how}")
    if done.new:
        typer.echo(f"Writes waited for at most {done.seconds:.1f} s.", err=True)
    name = make_url(settings.database_url).database
    typer.echo(f"All tables of the database {name} are distributed.", err=True)


def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The copy. It must not exist.")],
) -> None:
    """Copies the SQLite database while it is in use, and checks the copy."""
    settings = read_settings()
    file = sqlite_path(settings.database_url)
    if file is None:
        raise CommandFailed("rollcall backup is for SQLite. Use pg_dump for PostgreSQL.")
    require_file(settings)
    with shown_progress() as report:
        back_up(file, path, report)
    typer.echo(f"{path} is a verified copy of {file}.", err=True)
