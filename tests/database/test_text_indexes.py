"""`rollcall migrate` builds PostgreSQL's text indexes, and picks up extensions that came later."""

import pytest
from sqlalchemy import text

from app.database.migrate import migrate
from app.database.sessions import Database
from tests.support.databases import need_text_indexes

pytestmark = [
    pytest.mark.own_database,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]

INDEXES = """
    SELECT relname, indisvalid AND pg_get_indexdef(oid) LIKE '%USING gin (workspace_id, %'
    FROM pg_class JOIN pg_index ON indexrelid = oid
    WHERE relname IN ('contact_search_text', 'contact_notes')
"""
FILES = "SELECT relfilenode FROM pg_class WHERE relname IN ('contact_search_text', 'contact_notes')"
WHOLE = {"contact_search_text": True, "contact_notes": True}


@pytest.fixture(autouse=True)
async def extensions(database: Database) -> None:
    await need_text_indexes(database)


async def indexes(database: Database) -> dict[str, bool]:
    async with database.read_directory() as session:
        rows = await (await session.connection()).execute(text(INDEXES))
        return {row[0]: row[1] for row in rows}


async def change(database: Database, statement: str) -> None:
    async with database.write_directory() as session:
        await (await session.connection()).execute(text(statement))


async def test_extension_that_was_missing_is_picked_up(database: Database) -> None:
    assert await indexes(database) == WHOLE
    for extension in ("btree_gin", "pg_trgm"):
        await change(database, f"DROP EXTENSION {extension} CASCADE")
        assert await indexes(database) == {}
        await migrate(database)
        assert await indexes(database) == WHOLE


async def test_index_without_the_workspace_is_replaced(database: Database) -> None:
    await change(database, "DROP INDEX contact_notes")
    await change(database, "CREATE INDEX contact_notes ON contact USING gin (notes gin_trgm_ops)")
    assert await indexes(database) == WHOLE | {"contact_notes": False}
    await migrate(database)
    assert await indexes(database) == WHOLE


async def test_index_whose_build_was_interrupted_is_built_anew(database: Database) -> None:
    broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'contact_notes'::regclass"
    await change(database, broken)
    assert await indexes(database) == WHOLE | {"contact_notes": False}
    await migrate(database)
    assert await indexes(database) == WHOLE


async def test_index_that_is_whole_is_left_alone(database: Database) -> None:
    async def files() -> list[int]:
        async with database.read_directory() as session:
            rows = await (await session.connection()).execute(text(FILES))
            return [row.relfilenode for row in rows]

    before = await files()
    await migrate(database)
    assert await files() == before
