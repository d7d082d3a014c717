"""the numbers and moments of custom fields, for ranges of them on PostgreSQL

SQLite has tables of its own for them, which triggers keep. Citus spreads no table with triggers:
this one is kept by `app.contacts.ranges`.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A key that is longer has no place in an index.
CONTACTS_SO_FAR = """
    INSERT INTO contact_custom_range (workspace_id, contact_id, key, is_moment, value)
    SELECT workspace_id, id, key, is_moment, number FROM (
        SELECT contact.workspace_id, contact.id, key, jsonb_typeof(value) = 'string' AS is_moment,
            CASE jsonb_typeof(value)
                WHEN 'number' THEN (value #>> '{}')::double precision
                WHEN 'string' THEN
                    extract(epoch FROM rollcall_moment(value #>> '{}'))::double precision
            END AS number
        FROM contact, jsonb_each(contact.custom_fields)
        WHERE char_length(key) <= 255
    ) AS member WHERE number IS NOT NULL
"""


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        return
    op.execute("""
        CREATE TABLE contact_custom_range (
            workspace_id uuid NOT NULL,
            contact_id uuid NOT NULL,
            key text COLLATE "C" NOT NULL,
            is_moment boolean NOT NULL,
            value double precision NOT NULL,
            PRIMARY KEY (workspace_id, contact_id, key),
            FOREIGN KEY (workspace_id, contact_id) REFERENCES contact (workspace_id, id)
                ON DELETE CASCADE
        )
    """)
    op.execute(CONTACTS_SO_FAR)
    op.execute("""
        CREATE INDEX contact_custom_range_value
        ON contact_custom_range (workspace_id, key, is_moment, value, contact_id)
    """)


def downgrade() -> None:
    if op.get_context().dialect.name != "sqlite":
        op.execute("DROP TABLE contact_custom_range")
