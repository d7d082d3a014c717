"""PostgreSQL's indexes of text by trigrams, where its extensions are installed.

Trigrams are of letters and digits alone, and so would take example.example for what every address
has: the indexes are of text with digits for what often stands between words. With btree_gin they
hold the workspace as well, so that what they read does not grow with the contacts of others.
"""

from sqlalchemy import Connection, text

from app.progress import Report

UNBROKEN = str.maketrans(". @-_+',&\n", "0123456789")

_INDEXES = {"contact_search_text": "search_text", "contact_notes": "notes"}
# Its cost is far above the true one, so that no plan calls it for each contact of a workspace
# where the index is there, whatever the statistics say. In SQL it would have no cost of its own.
_FUNCTION = r"""
    CREATE OR REPLACE FUNCTION rollcall_unbroken(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000000
    AS $$ BEGIN RETURN translate(value, E'. @-_+\',&\n', '0123456789'); END $$
"""
_EXTENSION = """
    DO $$ BEGIN
        CREATE EXTENSION IF NOT EXISTS {name};
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE '{name} is not available: %', SQLERRM;
    END $$
"""


_FOUND = """
    SELECT indisvalid, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index WHERE indexrelid = to_regclass(:name)
"""


def build_text_indexes(connection: Connection, report: Report) -> None:
    """Those that the extensions allow, concurrently: the connection has no transaction open.

    An index that was left invalid when its build was interrupted is built anew.
    """
    connection.execute(text(_FUNCTION))
    for name in ("pg_trgm", "btree_gin"):
        connection.execute(text(_EXTENSION.format(name=name)))
    extensions = set(connection.scalars(text("SELECT extname FROM pg_extension")))
    if "pg_trgm" not in extensions:
        return
    by_workspace = "btree_gin" in extensions
    workspace = "workspace_id, " if by_workspace else ""
    for name, column in _INDEXES.items():
        found = connection.execute(text(_FOUND), {"name": name}).one_or_none()
        if found and found.indisvalid and ("workspace_id" in found.definition) == by_workspace:
            continue
        report(f"Building the index {name}")
        terms = f"{workspace}rollcall_unbroken({column}) gin_trgm_ops"
        connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
        create = f"CREATE INDEX CONCURRENTLY {name} ON contact USING gin ({terms})"
        connection.execute(text(create))
