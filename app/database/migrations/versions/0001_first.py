"""the first schema"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.sql.sqltypes import UTCDateTime

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")

# Of each contact, beside the identifiers and the timestamps.
TEXTS = (
    "name",
    "prefix",
    "first_name",
    "last_name",
    "suffix",
    "phone",
    "company",
    "job_title",
    "notes",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postcode",
    "country",
    "timezone",
    "language",
    "phone_e164",
    "name_key",
    "name_company_key",
    "similar_email_key",
)
INDEXES = {
    "contact_created_at": ["created_at", "id"],
    "contact_updated_at": ["updated_at", "id"],
    "contact_email": ["email_key", "id"],
    "contact_name": ["name_key", "id"],
    "contact_lifetime_value": ["lifetime_value", "id"],
    "contact_last_order_at": ["last_order_at", "id"],
}
PARTIAL_INDEXES = {
    "contact_company": (["company"], "company IS NOT NULL"),
    "contact_country": (["country"], "country IS NOT NULL"),
    "contact_inactive": (["id"], "NOT is_active"),
    "contact_unsubscribed": (["id"], "is_unsubscribed"),
    "contact_same_phone": (["phone_e164", "id"], "phone_e164 IS NOT NULL"),
    "contact_same_name_and_company": (["name_company_key", "id"], "name_company_key IS NOT NULL"),
    "contact_similar_email": (["similar_email_key", "id"], "similar_email_key IS NOT NULL"),
}

SQLITE_TEXTS = """
    CREATE VIRTUAL TABLE contact_text USING fts5(
        search_text, notes,
        content='contact', content_rowid='number', tokenize='trigram case_sensitive 1'
    )
"""
TEXT_IN = """
    INSERT INTO contact_text (rowid, search_text, notes)
    VALUES (new.number, new.search_text, new.notes);
"""
TEXT_OUT = """
    INSERT INTO contact_text (contact_text, rowid, search_text, notes)
    VALUES ('delete', old.number, old.search_text, old.notes);
"""
# The three that FTS5's documentation gives for a table whose text lies in another one.
SQLITE_TRIGGERS = {
    "contact_text_insert AFTER INSERT ON contact": TEXT_IN,
    "contact_text_delete AFTER DELETE ON contact": TEXT_OUT,
    "contact_text_update AFTER UPDATE OF search_text, notes ON contact": TEXT_OUT + TEXT_IN,
}


def upgrade() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    _create_directory(is_sqlite=is_sqlite)
    _create_contacts(is_sqlite=is_sqlite)
    _create_lookups()
    if is_sqlite:
        op.execute(SQLITE_TEXTS)
        for when, statements in SQLITE_TRIGGERS.items():
            op.execute(sa.text(f"CREATE TRIGGER {when} BEGIN {statements} END"))
        return
    # A workspace is taken for a part of its tables, however old the statistics are: for a young
    # one, the planner would otherwise expect a single row, and choose any index.
    for table in ("contact", "contact_identifier", "contact_term"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN workspace_id SET STATISTICS 0")


def _create_directory(*, is_sqlite: bool) -> None:
    op.create_table(
        "workspace",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("name", TEXT, nullable=False, unique=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _workspace_id(nullable=False, index=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("prefix", TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("scopes", DOCUMENT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.Uuid()),
        sa.Column("expires_at", UTCDateTime()),
        sa.Column("revoked_at", UTCDateTime()),
        sa.Column("last_used_at", UTCDateTime()),
    )
    _create_quota(is_sqlite=is_sqlite)
    op.create_table(
        "custom_field",
        _workspace_id(primary_key=True),
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("label", TEXT),
        sa.Column("description", TEXT),
        sa.Column("created_at", UTCDateTime(), nullable=False),
    )


def _create_contacts(*, is_sqlite: bool) -> None:
    # FTS5 refers to rows by an integer key: without one, VACUUM numbers them anew.
    number = sa.Column("number", sa.Integer(), primary_key=True)
    op.create_table(
        "contact",
        *([number] if is_sqlite else []),
        _workspace_id(nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("email_key", TEXT, nullable=False),
        sa.Column("external_ids", DOCUMENT, nullable=False),
        sa.Column("aliases", DOCUMENT, nullable=False),
        sa.Column("assignments", DOCUMENT, nullable=False),
        *(sa.Column(name, TEXT) for name in TEXTS),
        sa.Column("tags", DOCUMENT, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_unsubscribed", sa.Boolean(), nullable=False),
        sa.Column("unsubscribed_at", UTCDateTime()),
        sa.Column("lifetime_value", sa.Float()),
        sa.Column("orders_count", sa.Integer()),
        sa.Column("last_order_at", UTCDateTime()),
        sa.Column("professional_id", sa.Uuid()),
        sa.Column("custom_fields", DOCUMENT, nullable=False),
        sa.Column("metadata", DOCUMENT, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("search_text", TEXT, nullable=False),
        sa.Column("custom_datetimes", DOCUMENT, nullable=False),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "contact", ["workspace_id", *columns])
    for name, (columns, condition) in PARTIAL_INDEXES.items():
        where = sa.text(condition)
        op.create_index(
            name,
            "contact",
            ["workspace_id", *columns],
            sqlite_where=where,
            postgresql_where=where,
        )
    # As the last index: where PostgreSQL expects the same of several, it takes the last one, and
    # while it knows of few contacts, it expects the same of every index that ends with the id.
    if is_sqlite:
        op.create_index("contact_id", "contact", ["workspace_id", "id"], unique=True)
    else:
        op.create_primary_key("contact_pkey", "contact", ["workspace_id", "id"])


def _create_quota(*, is_sqlite: bool) -> None:
    op.create_table(
        "key_quota",
        _workspace_id(primary_key=True),
        sa.Column("key_id", sa.Uuid(), primary_key=True),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("granted", sa.Float(), nullable=False),
        sa.Column("filled_at", UTCDateTime(), nullable=False),
        # A lease does not wait for the disk; after a crash of PostgreSQL all buckets are full.
        prefixes=[] if is_sqlite else ["UNLOGGED"],
    )


def _create_lookups() -> None:
    op.create_table(
        "contact_identifier",
        sa.Column("workspace_id", sa.Uuid(), primary_key=True),
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("source", TEXT, primary_key=True),
        sa.Column("value", TEXT, primary_key=True),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact_term",
        sa.Column("workspace_id", sa.Uuid(), primary_key=True),
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("text", TEXT, primary_key=True),
        sa.Column("number", sa.Float(), primary_key=True),
        sa.Column("contact_id", sa.Uuid(), primary_key=True),
        sqlite_with_rowid=False,
    )


def _workspace_id(**options: Any) -> sa.Column[Any]:
    cascade = sa.ForeignKey("workspace.id", ondelete="CASCADE")
    return sa.Column("workspace_id", sa.Uuid(), cascade, **options)


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.drop_table("contact_text")
    for table in ("contact_term", "contact_identifier", "contact", "custom_field"):
        op.drop_table(table)
    for table in ("key_quota", "api_key", "workspace"):
        op.drop_table(table)
