"""Searches and filters where PostgreSQL has no pg_trgm: slower, and as right."""

import pytest
from sqlalchemy import text

from app.database.sessions import Database
from tests.listing.test_search import (  # noqa: F401  # run here once more
    found,
    put,
    test_each_searched_field_is_found_by_any_part_of_it,
    test_search_ignores_case_and_accents,
    test_wildcards_match_only_themselves,
)
from tests.support.client import Client

pytestmark = [
    pytest.mark.own_database,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]


@pytest.fixture
async def database(database: Database) -> Database:
    async with database.write_directory() as session:
        connection = await session.connection()
        # Statements on all shards must take turns on Citus.
        await connection.execute(text("SET LOCAL citus.multi_shard_modify_mode = sequential"))
        for index in ("contact_search_text", "contact_notes"):
            await connection.execute(text(f"DROP INDEX IF EXISTS {index}"))
        await connection.execute(text("DROP EXTENSION IF EXISTS pg_trgm"))
    return database


async def test_filter_by_part_of_a_field(api: Client) -> None:
    await put(api, ada={"name": "10%%off"}, bob={"name": "10%off"})
    assert await found(api, "10%", filter={"name": {"contains": "%%of"}}) == "ada"
