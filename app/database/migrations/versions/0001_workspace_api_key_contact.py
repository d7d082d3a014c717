"""workspace, API key, contact"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.sql.sqltypes import UTCDateTime

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
FILTERED = (
    "prefix",
    "first_name",
    "last_name",
    "suffix",
    "phone",
    "phone_e164",
    "company",
    "job_title",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postcode",
    "country",
    "timezone",
    "language",
    "orders_count",
    "professional_id",
)
ALIKE = ("phone_e164", "name_company_key", "email_alike")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "workspace",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("prefix", TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", DOCUMENT, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index(op.f("ix_api_key_workspace_id"), "api_key", ["workspace_id"], unique=False)
    op.create_table(
        "custom_field",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=True),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workspace_id", "key"),
    )
    op.create_table(
        "contact",
        sa.Column("external_id", TEXT, nullable=True),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("prefix", TEXT, nullable=True),
        sa.Column("first_name", TEXT, nullable=True),
        sa.Column("last_name", TEXT, nullable=True),
        sa.Column("suffix", TEXT, nullable=True),
        sa.Column("phone", TEXT, nullable=True),
        sa.Column("company", TEXT, nullable=True),
        sa.Column("job_title", TEXT, nullable=True),
        sa.Column("notes", TEXT, nullable=True),
        sa.Column("address_line1", TEXT, nullable=True),
        sa.Column("address_line2", TEXT, nullable=True),
        sa.Column("city", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("postcode", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("timezone", TEXT, nullable=True),
        sa.Column("language", TEXT, nullable=True),
        sa.Column("tags", DOCUMENT, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("lifetime_value", sa.Float(), nullable=True),
        sa.Column("orders_count", sa.Integer(), nullable=True),
        sa.Column("last_order_at", UTCDateTime(), nullable=True),
        sa.Column("professional_id", sa.Uuid(), nullable=True),
        sa.Column("custom_fields", DOCUMENT, nullable=False),
        sa.Column("metadata", DOCUMENT, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("email_key", TEXT, nullable=False),
        sa.Column("phone_e164", TEXT, nullable=True),
        sa.Column("is_unsubscribed", sa.Boolean(), nullable=False),
        sa.Column("unsubscribed_at", UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name_key", TEXT, nullable=True),
        sa.Column("search_text", TEXT, nullable=False),
        sa.Column("name_company_key", TEXT, nullable=True),
        sa.Column("email_alike", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workspace_id", "id"),
    )
    op.create_index(
        "contact_created_at", "contact", ["workspace_id", "created_at", "id"], unique=False
    )
    op.create_index("contact_email", "contact", ["workspace_id", "email_key"], unique=True)
    op.create_index("contact_external_id", "contact", ["workspace_id", "external_id"], unique=True)
    op.create_index(
        "contact_updated_at", "contact", ["workspace_id", "updated_at", "id"], unique=False
    )
    op.create_index("contact_name", "contact", ["workspace_id", "name_key", "id"])
    op.create_index("contact_lifetime_value", "contact", ["workspace_id", "lifetime_value", "id"])
    op.create_index("contact_last_order_at", "contact", ["workspace_id", "last_order_at", "id"])
    op.create_index(
        "contact_inactive",
        "contact",
        ["workspace_id", "id"],
        sqlite_where=sa.text("is_active = 0"),
        postgresql_where=sa.text("NOT is_active"),
    )
    op.create_index(
        "contact_unsubscribed",
        "contact",
        ["workspace_id", "id"],
        sqlite_where=sa.text("is_unsubscribed = 1"),
        postgresql_where=sa.text("is_unsubscribed"),
    )
    for name in dict.fromkeys(FILTERED + ALIKE):
        present = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"contact_{name}",
            "contact",
            ["workspace_id", name, *(["id"] if name in ALIKE else [])],
            sqlite_where=present,
            postgresql_where=present,
        )
    op.create_table(
        "assignment",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("target_id", TEXT, nullable=False),
        sa.Column("assigned_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "contact_id"],
            ["contact.workspace_id", "contact.id"],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "contact_id", "kind", "target_id"),
    )
    op.create_index(
        "assignment_target", "assignment", ["workspace_id", "kind", "target_id", "contact_id"]
    )
    op.create_table(
        "contact_alias",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "contact_id"],
            ["contact.workspace_id", "contact.id"],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "value"),
    )
    op.create_index("contact_alias_contact", "contact_alias", ["workspace_id", "contact_id"])


def downgrade() -> None:
    op.drop_table("contact_alias")
    op.drop_table("assignment")
    op.drop_table("custom_field")
    op.drop_table("contact")
    op.drop_table("api_key")
    op.drop_table("workspace")
