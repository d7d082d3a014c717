"""what PostgreSQL's GIN indexes know: the workspace, and what stands between words

So that what they read does not grow with the contacts of other workspaces. GIN knows UUIDs by
btree_gin; where that is not to be had, the indexes are of all workspaces, as before.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MEMBERS = {"contact_tags": "tags", "contact_custom_fields": "custom_fields"}
TEXTS = {"contact_search_text": "search_text", "contact_notes": "notes"}

# Trigrams are of letters and digits alone.
UNBROKEN = r"""
    CREATE FUNCTION rollcall_unbroken(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT translate(value, E'. @-_+\',&\n', '0123456789') $$
"""

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
    op.execute(UNBROKEN)
    op.execute(BTREE_GIN_IF_ALLOWED)
    workspace = "workspace_id, " if "btree_gin" in _extensions() else ""
    _index({name: f"{workspace}{column}" for name, column in MEMBERS.items()})
    _index_trigrams({n: f"{workspace}rollcall_unbroken({column})" for n, column in TEXTS.items()})


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        return
    _index(MEMBERS)
    _index_trigrams(TEXTS)
    op.execute("DROP FUNCTION rollcall_unbroken")


def _index_trigrams(indexed: dict[str, str]) -> None:
    if "pg_trgm" in _extensions():
        _index({name: f"{terms} gin_trgm_ops" for name, terms in indexed.items()})


def _index(indexed: dict[str, str]) -> None:
    for name, terms in indexed.items():
        op.execute(f"DROP INDEX IF EXISTS {name}")
        op.execute(f"CREATE INDEX {name} ON contact USING gin ({terms})")


def _extensions() -> set[str]:
    return set(op.get_bind().scalars(sa.text("SELECT extname FROM pg_extension")))
