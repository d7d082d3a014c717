"""What a database says about itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from app.database.sessions import Database

_SQLITE = text("""
    SELECT 'SQLite ' || sqlite_version() AS product, false AS is_too_old,
      page_count * page_size AS bytes, strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS clock,
      '' AS missing_extensions
    FROM pragma_page_count, pragma_page_size
""")
_POSTGRESQL = text("""
    SELECT 'PostgreSQL ' || current_setting('server_version') AS product,
      current_setting('server_version_num')::int < 130000 AS is_too_old,
      pg_database_size(current_database()) AS bytes, clock_timestamp()::text AS clock,
      coalesce(string_agg(extension, ', '), '') AS missing_extensions
    FROM unnest(ARRAY['pg_trgm', 'btree_gin']) AS extension
    WHERE extension NOT IN (SELECT extname FROM pg_extension)
""")
_STATEMENTS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}


@dataclass(frozen=True, slots=True)
class Description:
    product: str  # with its version
    is_too_old: bool
    bytes: int
    clock: datetime
    missing_extensions: str


async def describe(database: Database) -> Description:
    async with database.read_directory() as session:
        connection = await session.connection()
        found = await connection.execute(_STATEMENTS[connection.dialect.name])
        row = found.one()._asdict()
    return Description(**row | {"clock": datetime.fromisoformat(row["clock"])})
