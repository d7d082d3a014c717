"""Citus, the extension that distributes the tables of a PostgreSQL to several nodes.

All data of a workspace is on one node. The other tables are reference tables: each node has all of
their rows, so that a server on any node reads keys and workspaces there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

from app.errors import CommandFailed
from app.progress import Report, unreported
from app.tables import CONTACT, OfWorkspace

# Settings of a transaction, which PostgreSQL takes without Citus too, where they have no meaning.
# With the first one, a worker is sent the whole message for each setting after it. So one setting
# follows, and the others come before it in the same message.
PROPAGATE = "SET LOCAL citus.propagate_set_commands = local;"
# Statements on several shards take turns, so that they may follow others there; and a foreign key
# to a reference table does not make a local table of one that is not distributed yet.
SEQUENTIAL = (
    "SET LOCAL citus.multi_shard_modify_mode = sequential;"
    "SET LOCAL citus.enable_local_reference_table_foreign_keys = off;"
)

_VERSIONS = "alembic_version"  # read by the servers of all nodes

_EXTENSION = text("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
_COORDINATOR = text("""
    SELECT max(nodename || ':' || nodeport) FILTER (WHERE pg_dist_node.groupid = 0) AS address
    FROM pg_dist_local_group AS own LEFT JOIN pg_dist_node ON true
    WHERE own.groupid <> 0 HAVING count(*) > 0
""")
_DISTRIBUTED = text("""
    SELECT table_name::text FROM citus_tables WHERE citus_table_type IN ('distributed', 'reference')
""")
_UNLOGGED = text("""
    SELECT 1 FROM pg_class WHERE oid = to_regclass(:table) AND relpersistence = 'u'
""")
_CREATE_REFERENCE = text("SELECT create_reference_table(:table)")
_CREATE_DISTRIBUTED = text(
    "SELECT create_distributed_table(:table, 'workspace_id', colocate_with => :colocated)"
)
_TRUNCATE_LOCAL = text("SELECT truncate_local_data_after_distributing_table(:table)")


@dataclass(frozen=True, slots=True)
class Placement:
    """Of a table: by its workspace, or a copy on each node."""

    table: str
    by_workspace: bool


def placements() -> Iterator[Placement]:
    """Of all tables, each after the tables that it refers to. The contacts come before the other
    tables of a workspace, which are placed with them."""
    of_workspace = {str(table.__tablename__) for table in OfWorkspace.__subclasses__()}
    names = [table.name for table in SQLModel.metadata.sorted_tables]
    yield from (Placement(name, by_workspace=False) for name in names if name not in of_workspace)
    yield Placement(_VERSIONS, by_workspace=False)
    first = CONTACT.name
    for name in (first, *(one for one in names if one in of_workspace and one != first)):
        yield Placement(name, by_workspace=True)


def has_citus(connection: Connection) -> bool:
    if connection.dialect.name != "postgresql":
        return False
    return connection.execute(_EXTENSION).first() is not None


def require_coordinator(connection: Connection) -> None:
    """Raises CommandFailed on a worker of Citus, where a table would be created for itself."""
    if has_citus(connection) and (worker := connection.execute(_COORDINATOR).first()):
        raise CommandFailed(
            "DATABASE_URL names a worker of Citus: run the command with that of the coordinator, "
            f"{worker.address or 'whose address the worker does not have'}."
        )


def distribute_new_tables(connection: Connection) -> None:
    """In the transaction of the migration that created them, if the others are distributed."""
    if has_citus(connection) and CONTACT.name in _distributed(connection):
        existing = set(inspect(connection).get_table_names())
        distribute_tables(connection, (one for one in placements() if one.table in existing))


def distribute_tables(
    connection: Connection, tables: Iterable[Placement], report: Report = unreported
) -> list[Placement]:
    """In one transaction. Those that are distributed are left alone; returns the others."""
    done = _distributed(connection)
    new = [one for one in tables if one.table not in done]
    _lock(connection, new)
    for one in new:
        report(f"Distributing {one.table}")
        if connection.execute(_UNLOGGED, {"table": one.table}).first() is not None:
            # Citus moves the shards of logged tables alone without blocking writes.
            connection.execute(text(f"ALTER TABLE {one.table} SET LOGGED"))
        if one.by_workspace:
            colocated = "none" if one.table == CONTACT.name else CONTACT.name
            values = {"table": one.table, "colocated": colocated}
            connection.execute(_CREATE_DISTRIBUTED, values)
        else:
            connection.execute(_CREATE_REFERENCE, {"table": one.table})
    return new


def _lock(connection: Connection, tables: Iterable[Placement]) -> None:
    """All at once, in the order of a writer of contacts, whose foreign key locks the workspace
    afterwards: in another order the two deadlock. Reads go on."""
    names = [one.table for one in sorted(tables, key=lambda one: not one.by_workspace)]
    if names:
        connection.execute(text(f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE"))


def free_local_rows(connection: Connection) -> None:
    """Frees the rows that tables had before they were distributed, and that are in shards now.

    Of all tables, because the command that distributed one may have been interrupted."""
    for one in placements():
        connection.execute(_TRUNCATE_LOCAL, {"table": one.table})


def _distributed(connection: Connection) -> set[str]:
    return set(connection.scalars(_DISTRIBUTED))
