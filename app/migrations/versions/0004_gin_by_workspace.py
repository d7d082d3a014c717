"""the workspace in the indexes that PostgreSQL has by GIN

So that what they read does not grow with the contacts of other workspaces. GIN knows UUIDs by
btree_gin; where that is not to be had, the indexes stay as they are.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INDEXES = {
    "contact_tags": "tags",
    "contact_custom_fields": "custom_fields",
    "contact_search_text": "search_text gin_trgm_ops",
    "contact_notes": "notes gin_trgm_ops",
}

BTREE_GIN_IF_ALLOWED = """
    DO $$ BEGIN
        CREATE EXTENSION IF NOT EXISTS btree_gin;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'btree_gin is not available: %', SQLERRM;
    END $$
"""


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        return
    op.execute(BTREE_GIN_IF_ALLOWED)
    if "btree_gin" in _extensions():
        _index("workspace_id, ")


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        return
    _index("")


def _index(workspace: str) -> None:
    for name, indexed in INDEXES.items():
        op.execute(f"DROP INDEX IF EXISTS {name}")
        if "gin_trgm_ops" not in indexed or "pg_trgm" in _extensions():
            op.execute(f"CREATE INDEX {name} ON contact USING gin ({workspace}{indexed})")


def _extensions() -> set[str]:
    return set(op.get_bind().scalars(sa.text("SELECT extname FROM pg_extension")))
