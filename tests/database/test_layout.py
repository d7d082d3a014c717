"""A layout that a distributed PostgreSQL can spread by workspace.

That every statement names the workspace is watched in every test, by `conftest.py`.
"""

import pytest
from sqlalchemy import Connection, inspect, text

from app.database.sessions import Database
from tests.support.tenancy import TENANT_TABLES, unscoped


def knows_uuids_in_gin(connection: Connection) -> bool:
    if connection.dialect.name == "sqlite":
        return False
    extension = text("SELECT 1 FROM pg_extension WHERE extname = 'btree_gin'")
    return connection.scalar(extension) is not None


async def layout_faults(database: Database) -> list[str]:
    def read(connection: Connection) -> list[str]:
        inspector = inspect(connection)
        exempt = set() if knows_uuids_in_gin(connection) else {"gin"}
        faults = []
        for table in TENANT_TABLES & set(inspector.get_table_names()):
            if table in ("contact_text_id", "contact_notes_id"):
                key = inspector.get_unique_constraints(table)[0]["column_names"]
            else:
                key = inspector.get_pk_constraint(table)["constrained_columns"]
            keys: dict[str, list[str | None]] = {f"{table}: primary key": [*key]}
            for index in inspector.get_indexes(table):
                if index.get("dialect_options", {}).get("postgresql_using") not in exempt:
                    keys[f"{table}: {index['name']}"] = [*index["column_names"]]
            for constraint in inspector.get_unique_constraints(table):
                keys[f"{table}: {constraint['name']}"] = [*constraint["column_names"]]
            for foreign in inspector.get_foreign_keys(table):
                keys[f"{table}: to {foreign['referred_table']}"] = [*foreign["constrained_columns"]]
            faults += [name for name, columns in keys.items() if columns[0] != "workspace_id"]
        return faults

    async with database.read() as session:
        return await (await session.connection()).run_sync(read)


async def test_every_key_and_index_of_a_workspaces_data_starts_with_the_workspace(
    database: Database,
) -> None:
    assert await layout_faults(database) == []


async def test_foreign_keys_between_a_workspaces_tables_carry_the_workspace(
    database: Database,
) -> None:
    def read(connection: Connection) -> list[tuple[list[str], list[str]]]:
        inspector = inspect(connection)
        return [
            (foreign["constrained_columns"], foreign["referred_columns"])
            for table in ("assignment", "contact_alias")
            for foreign in inspector.get_foreign_keys(table)
        ]

    async with database.read() as session:
        pairs = await (await session.connection()).run_sync(read)
    assert pairs == [(["workspace_id", "contact_id"], ["workspace_id", "id"])] * 2


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        ("SELECT contact.id FROM contact WHERE contact.workspace_id = ?", []),
        ("SELECT contact.id FROM contact WHERE contact.id = ?", ["contact"]),
        ("DELETE FROM contact_alias WHERE value = ?", ["contact_alias"]),
        ("UPDATE contact SET version=? WHERE contact.workspace_id = ? AND contact.id = ?", []),
        (
            "SELECT a.id FROM contact AS a JOIN assignment AS b ON b.contact_id = a.id "
            "WHERE a.workspace_id = ?",
            ["b"],
        ),
        ("SELECT name FROM workspace WHERE id = ?", []),
        ("INSERT INTO contact (workspace_id, id) VALUES (?, ?)", []),
        (
            "SELECT assignment.workspace_id, assignment.kind FROM assignment WHERE contact_id = ?",
            ["assignment"],
        ),
        (
            "SELECT contact.id FROM contact WHERE contact.workspace_id = ? AND contact.id IN "
            "(SELECT contact.id FROM contact WHERE contact.email_key = ?)",
            ["contact"],
        ),
        ("DELETE FROM contact WHERE contact.id = ? RETURNING contact.workspace_id", ["contact"]),
        ("UPDATE contact SET workspace_id=? WHERE contact.id = ?", ["contact"]),
        (
            "INSERT INTO contact (workspace_id, id) "
            "SELECT contact.workspace_id, contact.id FROM contact WHERE contact.id = ?",
            ["contact"],
        ),
    ],
)
def test_watch_sees_a_statement_that_does_not_name_the_workspace(
    statement: str, faults: list[str]
) -> None:
    assert unscoped(statement) == faults
