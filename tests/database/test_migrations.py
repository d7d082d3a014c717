"""A migrated database is the one that the models describe, and serves queries by its indexes."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, event, inspect
from sqlalchemy.engine import Engine
from sqlmodel import SQLModel

from app.database import migrate
from app.database.sessions import Database
from tests.support.client import Client
from tests.support.probes import PROBES, settle

pytestmark = pytest.mark.own_database

T = TypeVar("T")

# What only one dialect has is made by migrations alone, and is no part of the models.
DIALECTS_OWN = {
    "sqlite": {
        *["contact_text", "contact_text_id", "contact_notes", "contact_notes_id"],
        *["contact_tag", "contact_custom_value", "contact_custom_moment"],
    },
    "postgresql": {
        *["contact_tags", "contact_custom_fields", "contact_search_text", "contact_notes"],
        *["contact_custom_range", "contact_custom_range_value"],
    },
}
FULL_TEXT = ("contact_text_", "contact_notes_")  # FTS5 keeps its index in tables beside its own


async def run(database: Database, work: Callable[[Connection], T]) -> T:
    async with database.write() as session:
        return await (await session.connection()).run_sync(work)


async def test_migrated_database_equals_the_models(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        own = DIALECTS_OWN[connection.dialect.name]

        def is_modelled(_: Any, name: str | None, __: str, is_reflected: bool, ___: Any) -> bool:
            return not (is_reflected and name and (name in own or name.startswith(FULL_TEXT)))

        context = MigrationContext.configure(
            connection, opts={"include_object": is_modelled, "compare_type": True}
        )
        return list(compare_metadata(context, SQLModel.metadata))

    assert await run(database, differences) == []


async def test_difference_between_database_and_models_is_seen(database: Database) -> None:
    """Else the test above would show nothing."""

    def differences(connection: Connection) -> set[str]:
        changed = MetaData()
        for table in SQLModel.metadata.tables.values():
            table.to_metadata(changed)
        contact = changed.tables["contact"]
        contact.c.company.nullable = False
        contact.indexes = {index for index in contact.indexes if index.name != "contact_email"}
        found = compare_metadata(MigrationContext.configure(connection), changed)
        return {one[0] if isinstance(one, tuple) else one[0][0] for one in found}

    assert await run(database, differences) >= {"modify_nullable", "remove_index"}


async def test_migrating_again_changes_nothing(database: Database) -> None:
    before = await run(database, catalogue)
    await migrate.migrate(database)
    assert await run(database, catalogue) == before
    assert await migrate.is_current(database)


async def undo(database: Database, revision: str) -> None:
    """All that came after the revision."""

    def downgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", "app:migrations")
        config.attributes["connection"] = connection
        command.downgrade(config, revision)

    await run(database, downgrade)


BY_EMAIL = """
query ($filter: ContactFilter) {
  contacts(filter: $filter, orderBy: {field: EMAIL, direction: ASC}) { nodes { email } }
}
"""


async def test_contacts_of_an_older_database_are_found_by_notes_and_moments(
    api: Client, database: Database
) -> None:
    upsert = "mutation ($input: ContactInput!) { upsertContact(input: $input) { __typename } }"
    since = {"since": "2026-01-31T08:00:00+01:00"}
    for name, notes in (("ada", "Called twice"), ("bob", "Wrote"), ("eve", None)):
        given = {"email": f"{name}@example.com", "notes": notes}
        await api(upsert, input=given | ({"customFields": since} if name != "bob" else {}))
    await undo(database, "0002")
    await migrate.migrate(database)

    async def found(**condition: Any) -> str:
        nodes = (await api(BY_EMAIL, filter=condition))["nodes"]
        return " ".join(node["email"].partition("@")[0] for node in nodes)

    at = {"gte": "2026-01-31T07:00:00Z"}
    assert await found(notes={"contains": "Called"}) == "ada"
    assert await found(customFields=[{"key": "since", "datetime": at}]) == "ada eve"
    await api(
        upsert, input={"email": "ada@example.com", "notes": "Wrote", "customFields": {"since": 1}}
    )
    assert await found(notes={"contains": "Called"}) == ""
    assert await found(notes={"contains": "Wrote"}) == "ada bob"
    assert await found(customFields=[{"key": "since", "datetime": at}]) == "eve"


async def test_migrations_can_be_undone_and_done_again(database: Database) -> None:
    before = await run(database, catalogue)
    await undo(database, "base")
    assert set(await run(database, catalogue)) == {"alembic_version"}
    assert not await migrate.is_current(database)
    await migrate.migrate(database)
    assert await run(database, catalogue) == before


def catalogue(connection: Connection) -> dict[str, Any]:
    """Tables with their columns and indexes."""
    inspector = inspect(connection)
    return {
        table: (
            [(column["name"], str(column["type"])) for column in inspector.get_columns(table)],
            sorted(
                (str(index["name"]), index["column_names"], index["unique"])
                for index in inspector.get_indexes(table)
            ),
        )
        for table in inspector.get_table_names()
    }


async def test_every_index_on_contacts_starts_with_the_workspace(database: Database) -> None:
    def indexes(connection: Connection) -> dict[str | None, Any]:
        inspector = inspect(connection)
        found: dict[str | None, Any] = {}
        found["primary key"] = inspector.get_pk_constraint("contact")["constrained_columns"]
        for index in inspector.get_indexes("contact"):
            # GIN knows members of a document, and is joined with an index of the workspace.
            if index.get("dialect_options", {}).get("postgresql_using") != "gin":
                found[index["name"]] = index["column_names"]
        return found

    found = await run(database, indexes)
    assert {"primary key", "contact_email", "contact_external_id"} <= set(found)
    assert [name for name, columns in found.items() if columns[0] != "workspace_id"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_read_of_contacts_is_by_an_index_within_the_workspace(
    api: Client, database: Database
) -> None:
    target = await settle(api)
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, _many: Any) -> None:
        if statement.startswith(("SELECT", "DELETE", "UPDATE")) and "contact" in statement:
            sent.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    for probes in PROBES.values():
        for probe in probes:
            await api.execute(probe.document, **probe.aim(target))
    event.remove(Engine, "before_cursor_execute", note)
    assert len(sent) > 50

    def plans(connection: Connection) -> list[tuple[str, str]]:
        return [
            (statement, step.detail)
            for statement, parameters in dict(map(repr_of, sent)).values()
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]

    for statement, step in await run(database, plans):
        if step.startswith(("SEARCH contact", "SCAN contact")):
            by_index = "(workspace_id=?" in step or "rowid=?" in step
            assert by_index or "VIRTUAL TABLE INDEX" in step, (step, statement)


def repr_of(call: tuple[str, Any]) -> tuple[str, tuple[str, Any]]:
    statement, parameters = call
    return statement, (statement, parameters[0] if isinstance(parameters, list) else parameters)
