"""What writes keys never deadlocks. On Citus, a write of a reference table locks it, and then those
that it refers to."""

import asyncio
from uuid import UUID

import pytest
from sqlmodel import select

from app.database.sessions import Database
from app.tables import ApiKey
from app.workspaces import workspaces
from app.workspaces.keys import Scope
from app.workspaces.locks import lock_workspace
from tests.api.test_last_use import VIEWER, first_use
from tests.support.blocked import until_blocked
from tests.support.client import Client
from tests.support.statements import every_statement

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def create_key(database: Database, workspace: str) -> None:
    async with database.write_directory() as session:
        await workspaces.create_key(session, workspace, "new", [Scope.CONTACTS_READ])


async def test_use_is_recorded_while_a_workspace_and_its_key_are_created(
    api: Client, database: Database
) -> None:
    recorded: list[str] = []

    def note(statement: str, _: object) -> None:
        if statement.startswith("UPDATE api_key SET last_used_at"):
            recorded.append(statement)

    with every_statement(note):
        async with database.write_directory() as session:
            await workspaces.create_workspace(session, "new")
            await api(VIEWER)
            await until_blocked(database)
            await workspaces.create_key(session, "new", "new", [Scope.CONTACTS_READ])
        await first_use(database, api.key)
    assert len(recorded) == 1


async def test_key_is_created_while_another_is_revoked(api: Client, database: Database) -> None:
    async with database.write_directory() as session:
        old: UUID = (await session.exec(select(ApiKey.id))).one()
        [workspace] = await workspaces.list_workspaces(session)
        await lock_workspace(session, workspace.id)
        creating = asyncio.create_task(create_key(database, workspace.name))
        await until_blocked(database)
        await workspaces.revoke_key(session, old)
    await creating
