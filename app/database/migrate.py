"""Bringing a database to the newest schema. Safe when several processes start at once.

A migration that adds an index to a table that may be full builds it concurrently on PostgreSQL,
and does nothing else, as it is no longer one transaction:

    with op.get_context().autocommit_block():  # not on SQLite, whose migrations are one transaction
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ...")  # what an interrupted build left
        op.create_index(..., postgresql_concurrently=True)
"""

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from app.database.citus import (
    Placement,
    distribute_tables,
    free_local_rows,
    has_citus,
    placements,
    require_coordinator,
)
from app.database.errors import try_again
from app.database.sessions import Database
from app.errors import CommandFailed
from app.progress import Report, unreported

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"  # the revision of the newest migration

_REVISIONS = text("SELECT version_num FROM alembic_version")


class Distribution(NamedTuple):
    """The tables that were not distributed before, and for how long writes waited at most."""

    new: list[Placement]
    seconds: float


async def migrate(database: Database, report: Report = unreported) -> None:
    report("Waiting for other migrations")
    async with database.migrating() as connection:
        await connection.run_sync(require_coordinator)
        await connection.run_sync(_require_utf8)
        report("Migrating the tables")
        await connection.run_sync(_upgrade)
        await database.dialect.build_text_indexes(connection, report)


@try_again
async def distribute(database: Database, report: Report = unreported) -> Distribution:
    """Distributes the tables of a PostgreSQL with Citus, in one transaction. Raises CommandFailed
    without Citus, and on a worker of it."""
    await require_current(database)
    report("Waiting for migrations")
    async with database.migrating() as connection:
        await connection.run_sync(_require_citus)
        await connection.run_sync(require_coordinator)
        started = perf_counter()
        new = await connection.run_sync(distribute_tables, placements(), report)
        await connection.commit()
        seconds = perf_counter() - started
        report("Freeing the space of what was distributed")
        await connection.run_sync(free_local_rows)
        await connection.commit()
    return Distribution(new, seconds)


async def require_current(database: Database) -> None:
    """Raises CommandFailed if the database needs `migrate`."""
    if not await is_current(database):
        raise CommandFailed(
            "The database does not have the schema of this version: run rollcall migrate."
        )


async def is_current(database: Database) -> bool:
    async with database.read_directory() as session:
        connection = await session.connection()
        return await connection.run_sync(_is_current)


def _require_utf8(connection: Connection) -> None:
    """PostgreSQL takes the bytes of a letter for letters of their own in SQL_ASCII, the default of
    a machine without a locale, and lacks letters in other encodings."""
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.scalar(text("SELECT current_setting('server_encoding')"))
    if encoding != "UTF8":
        raise CommandFailed(
            f"The database has the encoding {encoding} instead of UTF8: create another one by "
            "createdb --encoding UTF8 --template template0."
        )


def _require_citus(connection: Connection) -> None:
    if not has_citus(connection):
        raise CommandFailed(
            "rollcall distribute needs a PostgreSQL with Citus: run CREATE EXTENSION citus on all "
            "nodes, and add the workers on the coordinator, as docs/scaling.md describes."
        )


def _upgrade(connection: Connection) -> None:
    if _is_current(connection):
        return
    # Alembic takes an eighth of the time in which a command starts.
    from alembic import command

    if connection.dialect.name == "postgresql":
        connection.commit()  # Alembic begins a transaction for each migration
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _is_current(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    return list(connection.scalars(_REVISIONS)) == [HEAD]
