"""what only the dialects have: trigrams, and the members of tags and custom fields

PostgreSQL indexes JSONB by GIN, and trigrams where pg_trgm is there to be had. SQLite has FTS5,
and two tables that triggers keep in step with the contacts. Rowids of `contact` may change when
a database is vacuumed, so that the text index has ids of its own.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SQLITE_TABLES = (
    """
    CREATE TABLE contact_text_id (
        id INTEGER PRIMARY KEY,
        workspace_id CHAR(32) NOT NULL,
        contact_id CHAR(32) NOT NULL,
        UNIQUE (workspace_id, contact_id)
    )
    """,
    """
    CREATE VIRTUAL TABLE contact_text
    USING fts5(search_text, content='', tokenize='trigram case_sensitive 1')
    """,
    """
    CREATE TABLE contact_tag (
        workspace_id CHAR(32) NOT NULL,
        tag TEXT NOT NULL,
        contact_id CHAR(32) NOT NULL,
        PRIMARY KEY (workspace_id, tag, contact_id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE contact_custom_value (
        workspace_id CHAR(32) NOT NULL,
        key TEXT NOT NULL,
        type TEXT NOT NULL,
        value NOT NULL,
        contact_id CHAR(32) NOT NULL,
        PRIMARY KEY (workspace_id, key, type, value, contact_id)
    ) WITHOUT ROWID
    """,
)

TEXT_IN = """
    INSERT INTO contact_text_id (workspace_id, contact_id) VALUES (new.workspace_id, new.id);
    INSERT INTO contact_text (rowid, search_text) VALUES (last_insert_rowid(), new.search_text);
"""
TEXT_OUT = """
    INSERT INTO contact_text (contact_text, rowid, search_text)
    SELECT 'delete', id, old.search_text FROM contact_text_id
    WHERE workspace_id = old.workspace_id AND contact_id = old.id;
"""
TEXT_ID_OUT = """
    DELETE FROM contact_text_id WHERE workspace_id = old.workspace_id AND contact_id = old.id;
"""
TEXT_AGAIN = """
    INSERT INTO contact_text (rowid, search_text)
    SELECT id, new.search_text FROM contact_text_id
    WHERE workspace_id = new.workspace_id AND contact_id = new.id;
"""
TAGS_IN = """
    INSERT INTO contact_tag (workspace_id, tag, contact_id)
    SELECT new.workspace_id, value, new.id FROM json_each(new.tags);
"""
TAGS_OUT = """
    DELETE FROM contact_tag
    WHERE workspace_id = old.workspace_id AND contact_id = old.id
    AND tag IN (SELECT value FROM json_each(old.tags));
"""
# Values of up to 255 characters: a longer one is found without an index.
CUSTOM_IN = """
    INSERT INTO contact_custom_value (workspace_id, key, type, value, contact_id)
    SELECT new.workspace_id, key, replace(replace(type, 'integer', 'number'), 'real', 'number'),
        value, new.id
    FROM json_each(new.custom_fields)
    WHERE type IN ('text', 'integer', 'real', 'true', 'false') AND length(value) <= 255;
"""
CUSTOM_OUT = """
    DELETE FROM contact_custom_value
    WHERE workspace_id = old.workspace_id AND contact_id = old.id
    AND (key, type, value) IN (
        SELECT key, replace(replace(type, 'integer', 'number'), 'real', 'number'), value
        FROM json_each(old.custom_fields)
    );
"""
SQLITE_TRIGGERS = {
    "contact_added AFTER INSERT ON contact": TEXT_IN + TAGS_IN + CUSTOM_IN,
    "contact_removed AFTER DELETE ON contact": TEXT_OUT + TEXT_ID_OUT + TAGS_OUT + CUSTOM_OUT,
    "contact_text_changed AFTER UPDATE OF search_text ON contact "
    "WHEN old.search_text <> new.search_text": TEXT_OUT + TEXT_AGAIN,
    "contact_tags_changed AFTER UPDATE OF tags ON contact WHEN old.tags <> new.tags": TAGS_OUT
    + TAGS_IN,
    "contact_custom_fields_changed AFTER UPDATE OF custom_fields ON contact "
    "WHEN old.custom_fields <> new.custom_fields": CUSTOM_OUT + CUSTOM_IN,
}

# RFC 3339 text as a moment, read as app.fields.parse_timestamp reads it; null where it is none.
MOMENT = r"""
    CREATE FUNCTION rollcall_moment(value text) RETURNS timestamptz
    LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    DECLARE
        space text := E' \t\n\x0b\f\r\x1c\x1d\x1e\x1f\u0085\u00a0\u1680\u2000\u2001\u2002\u2003'
            || E'\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';
        parts text[] := regexp_match(
            btrim(value, space),
            '^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]'
            '((?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])(?:[.]([0-9]{1,6})[0-9]*)?'
            '(?:[Zz]|([+-](?:[01][0-9]|2[0-3]):[0-5][0-9]))$'
        );
        utc timestamp;
    BEGIN
        utc := (parts[1] || ' ' || parts[2] || '.' || coalesce(parts[3], '0'))::timestamp
            - coalesce(parts[4], '+00:00')::interval;
        IF extract(year FROM utc) BETWEEN 1 AND 9999 THEN
            RETURN utc AT TIME ZONE 'UTC';
        END IF;
        RETURN NULL;
    EXCEPTION WHEN data_exception THEN
        RETURN NULL;
    END $$
"""

# Where the extension is not installed on the server, or this user may not add it, search works
# by looking at each contact.
TRIGRAMS_IF_ALLOWED = """
    DO $$ BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'pg_trgm is not available: %', SQLERRM;
    END $$
"""


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for statement in SQLITE_TABLES:
            op.execute(statement)
        for when, statements in SQLITE_TRIGGERS.items():
            op.execute(sa.text(f"CREATE TRIGGER {when} BEGIN {statements} END"))
        return
    op.create_index("contact_tags", "contact", ["tags"], postgresql_using="gin")
    op.create_index(
        "contact_custom_fields",
        "contact",
        ["custom_fields"],
        postgresql_using="gin",
    )
    op.execute(MOMENT)
    op.execute(TRIGRAMS_IF_ALLOWED)
    has_trigrams = sa.text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
    if op.get_bind().execute(has_trigrams).scalar():
        op.create_index(
            "contact_search_text",
            "contact",
            ["search_text"],
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for when in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER {when.split()[0]}")
        for table in ("contact_custom_value", "contact_tag", "contact_text", "contact_text_id"):
            op.execute(f"DROP TABLE {table}")
        return
    op.execute("DROP FUNCTION rollcall_moment")
    op.execute("DROP INDEX IF EXISTS contact_search_text")
    op.drop_index("contact_custom_fields", table_name="contact")
    op.drop_index("contact_tags", table_name="contact")
