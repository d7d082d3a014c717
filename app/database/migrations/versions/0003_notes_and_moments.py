"""notes by trigrams, and custom timestamps as moments, for filters to look them up

PostgreSQL indexes notes where it has pg_trgm. SQLite gets a text index of notes, and a table of
the moments that custom fields tell; triggers keep both in step with the contacts.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SQLITE_TABLES = (
    """
    CREATE TABLE contact_notes_id (
        id INTEGER PRIMARY KEY,
        workspace_id CHAR(32) NOT NULL,
        contact_id CHAR(32) NOT NULL,
        UNIQUE (workspace_id, contact_id)
    )
    """,
    """
    CREATE VIRTUAL TABLE contact_notes
    USING fts5(notes, content='', tokenize='trigram case_sensitive 1')
    """,
    """
    CREATE TABLE contact_custom_moment (
        workspace_id CHAR(32) NOT NULL,
        key TEXT NOT NULL,
        moment REAL NOT NULL,
        contact_id CHAR(32) NOT NULL,
        PRIMARY KEY (workspace_id, key, moment, contact_id)
    ) WITHOUT ROWID
    """,
)

NOTES_IN = """
    INSERT INTO contact_notes_id (workspace_id, contact_id)
    SELECT new.workspace_id, new.id WHERE new.notes IS NOT NULL;
    INSERT INTO contact_notes (rowid, notes)
    SELECT id, new.notes FROM contact_notes_id
    WHERE workspace_id = new.workspace_id AND contact_id = new.id;
"""
NOTES_OUT = """
    INSERT INTO contact_notes (contact_notes, rowid, notes)
    SELECT 'delete', id, old.notes FROM contact_notes_id
    WHERE workspace_id = old.workspace_id AND contact_id = old.id;
    DELETE FROM contact_notes_id WHERE workspace_id = old.workspace_id AND contact_id = old.id;
"""
# Whether a custom field tells a moment. What does not look like a date is not read as one, as
# reading is what takes time.
IS_MOMENT = """
    json_each.type = 'text' AND json_each.value GLOB '*[0-9]-[0-9][0-9]-[0-9][0-9]*:*'
    AND rollcall_moment(json_each.value) IS NOT NULL
"""
MOMENTS_IN = f"""
    INSERT INTO contact_custom_moment (workspace_id, key, moment, contact_id)
    SELECT new.workspace_id, key, rollcall_moment(value), new.id
    FROM json_each(new.custom_fields) WHERE {IS_MOMENT};
"""  # noqa: S608  # of constants alone
MOMENTS_OUT = f"""
    DELETE FROM contact_custom_moment
    WHERE workspace_id = old.workspace_id AND contact_id = old.id
    AND (key, moment) IN (
        SELECT key, rollcall_moment(value) FROM json_each(old.custom_fields) WHERE {IS_MOMENT}
    );
"""  # noqa: S608  # of constants alone
SQLITE_TRIGGERS = {
    "contact_notes_added AFTER INSERT ON contact WHEN new.notes IS NOT NULL": NOTES_IN,
    "contact_notes_removed AFTER DELETE ON contact WHEN old.notes IS NOT NULL": NOTES_OUT,
    "contact_notes_changed AFTER UPDATE OF notes ON contact WHEN old.notes IS NOT new.notes": (
        NOTES_OUT + NOTES_IN
    ),
    "contact_moments_added AFTER INSERT ON contact": MOMENTS_IN,
    "contact_moments_removed AFTER DELETE ON contact": MOMENTS_OUT,
    "contact_moments_changed AFTER UPDATE OF custom_fields ON contact "
    "WHEN old.custom_fields <> new.custom_fields": MOMENTS_OUT + MOMENTS_IN,
}

SQLITE_CONTACTS_SO_FAR = (
    """
    INSERT INTO contact_notes_id (workspace_id, contact_id)
    SELECT workspace_id, id FROM contact WHERE notes IS NOT NULL
    """,
    """
    INSERT INTO contact_notes (rowid, notes)
    SELECT contact_notes_id.id, contact.notes FROM contact_notes_id
    JOIN contact ON contact.workspace_id = contact_notes_id.workspace_id
    AND contact.id = contact_notes_id.contact_id
    """,
    f"""
    INSERT INTO contact_custom_moment (workspace_id, key, moment, contact_id)
    SELECT contact.workspace_id, json_each.key, rollcall_moment(json_each.value), contact.id
    FROM contact, json_each(contact.custom_fields) WHERE {IS_MOMENT}
    """,  # noqa: S608  # of constants alone
)


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for statement in SQLITE_TABLES:
            op.execute(statement)
        for when, statements in SQLITE_TRIGGERS.items():
            op.execute(sa.text(f"CREATE TRIGGER {when} BEGIN {statements} END"))
        for statement in SQLITE_CONTACTS_SO_FAR:
            op.execute(sa.text(statement))
        return
    has_trigrams = sa.text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
    if op.get_bind().execute(has_trigrams).scalar():
        op.create_index(
            "contact_notes",
            "contact",
            ["notes"],
            postgresql_using="gin",
            postgresql_ops={"notes": "gin_trgm_ops"},
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for when in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER {when.split()[0]}")
        for table in ("contact_custom_moment", "contact_notes", "contact_notes_id"):
            op.execute(f"DROP TABLE {table}")
        return
    op.execute("DROP INDEX IF EXISTS contact_notes")
