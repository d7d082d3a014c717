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
            key = inspector.get_pk_constraint(table)["constrained_columns"]
            # FTS5 refers to the rows of SQLite's contacts by a number of their own.
            keys: dict[str, list[str | None]] = {}
            if key != ["number"]:
                keys[f"{table}: primary key"] = [*key]
            for index in inspector.get_indexes(table):
                if index.get("dialect_options", {}).get("postgresql_using") not in exempt:
                    keys[f"{table}: {index['name']}"] = [*index["column_names"]]
            for constraint in inspector.get_unique_constraints(table):
                keys[f"{table}: {constraint['name']}"] = [*constraint["column_names"]]
            for foreign in inspector.get_foreign_keys(table):
                keys[f"{table}: to {foreign['referred_table']}"] = [*foreign["constrained_columns"]]
            faults += [name for name, columns in keys.items() if columns[0] != "workspace_id"]
        return faults

    async with database.read_directory() as session:
        return await (await session.connection()).run_sync(read)


async def test_every_key_and_index_of_a_workspaces_data_starts_with_the_workspace(
    database: Database,
) -> None:
    assert await layout_faults(database) == []


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        ("SELECT contact.id FROM contact WHERE contact.workspace_id = ?", []),
        ("SELECT contact.id FROM contact WHERE contact.id = ?", ["contact"]),
        ("DELETE FROM contact_identifier WHERE value = ?", ["contact_identifier"]),
        ("UPDATE contact SET version=? WHERE contact.workspace_id = ? AND contact.id = ?", []),
        (
            "SELECT a.id FROM contact AS a JOIN contact_term AS b ON b.contact_id = a.id "
            "WHERE a.workspace_id = ?",
            ["b"],
        ),
        ("SELECT name FROM workspace WHERE id = ?", []),
        ("INSERT INTO contact (workspace_id, id) VALUES (?, ?)", []),
        (
            "SELECT contact_term.workspace_id, contact_term.kind FROM contact_term "
            "WHERE contact_id = ?",
            ["contact_term"],
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
        (
            "SELECT found.id FROM json_to_recordset($1) AS wanted (value text) "
            "LEFT JOIN LATERAL (SELECT contact_id FROM contact_identifier "
            "WHERE contact_identifier.workspace_id = $2 "
            "AND contact_identifier.value = wanted.value LIMIT 1) AS found ON true",
            [],
        ),
        (
            "SELECT contact_note.id FROM contact_note WHERE contact_note.workspace_id = ?",
            ["contact_note"],
        ),
        ("DELETE FROM contact_note", ["contact_note"]),
        ("INSERT INTO contact_note (workspace_id) VALUES (?)", ["contact_note"]),
        (
            "WITH chosen AS (SELECT contact.id FROM contact WHERE contact.workspace_id = ?) "
            "SELECT chosen.id FROM chosen JOIN contact_note ON contact_note.id = chosen.id",
            ["contact_note"],
        ),
        (
            "WITH written_1 AS (INSERT INTO contact (id) VALUES (?)), "
            "written_2 AS (UPDATE contact SET email=(?) WHERE contact.id = ?) "
            "INSERT INTO contact_term (workspace_id, kind) VALUES (?, ?)",
            ["contact", "contact"],
        ),
    ],
)
def test_watch_sees_a_table_whose_workspace_is_not_named_and_one_that_it_does_not_know(
    statement: str, faults: list[str]
) -> None:
    assert unscoped(statement) == faults
