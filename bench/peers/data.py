"""The contacts that all servers answer: Rollcall's on PostgreSQL, and copies of them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from app.database.migrate import migrate
from app.database.sessions import Database
from app.settings import DatabaseSettings
from app.workspaces.keys import authenticate
from bench.copies import fill_workspaces
from bench.postgresql import execute
from tests.support.postgres import Cluster

NAME = "bench"
SEED = 1
WORKSPACES = 10
PATIENT = DatabaseSettings(database_statement_timeout_seconds=3600)
NODE = Path(__file__).parent / "node"


@dataclass(frozen=True, slots=True)
class Data:
    """Where the contacts are, and a key of the workspace that is asked, the same everywhere."""

    postgresql: str
    sqlite: str
    folder: Path
    key: str
    workspace_id: UUID
    workspace_size: int

    def peer_url(self, schema: str) -> str:
        """For `pg`, with the schema of a peer as its search path."""
        socket = f"host={self.folder}&options=-c%20search_path%3D{schema}"
        return f"postgresql://postgres@localhost/{NAME}?{socket}"


def make_data(cluster: Cluster, folder: Path, contacts: int) -> Data:
    return asyncio.run(_make_data(cluster, folder, contacts))


async def _make_data(cluster: Cluster, folder: Path, contacts: int) -> Data:
    postgresql, sqlite = cluster.url(NAME), f"sqlite+aiosqlite:///{folder / 'bench.db'}"
    await execute(cluster.url("postgres"), f"CREATE DATABASE {NAME}")
    database = Database(postgresql, PATIENT)
    await migrate(database)
    key = await fill_workspaces(database, NAME, contacts, WORKSPACES, SEED)
    caller = await authenticate(database, key)
    await database.close()
    for peer in ("mercurius", "postgraphile"):
        await _make_peer(postgresql, peer)
    await execute(postgresql, "VACUUM ANALYZE")
    await _copy_to_sqlite(postgresql, sqlite, caller.workspace_id)
    size = contacts // WORKSPACES
    return Data(postgresql, sqlite, cluster.folder, key, caller.workspace_id, size)


async def _make_peer(url: str, schema: str) -> None:
    scripts = [f"CREATE SCHEMA {schema}; SET search_path TO {schema};"]
    own = NODE / f"{schema}.sql"
    scripts += [path.read_text() for path in (NODE / "contact.sql", own) if path.exists()]
    await execute(url, "\n".join(scripts))


async def _copy_to_sqlite(source: str, target: str, workspace_id: UUID) -> None:
    """All that the workspace has, with the same ids and the same keys. The others stay behind:
    SQLite takes long to write them."""
    database = Database(target, PATIENT)
    await migrate(database)
    engine = create_async_engine(source)
    async with engine.connect() as reader, database.write_directory() as session:
        writer = await session.connection()
        for table in SQLModel.metadata.sorted_tables:
            if table.name == "key_quota":  # of PostgreSQL alone
                continue
            workspace = table.c["id" if table.name == "workspace" else "workspace_id"]
            found = await reader.execute(select(table).where(workspace == workspace_id))
            await writer.execute(insert(table), [dict(row) for row in found.mappings()])
    await engine.dispose()
    await database.close()
