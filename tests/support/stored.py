"""Contacts put straight into the database, for what looks at many of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlmodel import col

from app.contacts.assignments import Assignee
from app.contacts.store import ranges
from app.contacts.store.find import of_workspace, row
from app.database.sessions import Database
from app.fields.contact import FIELDS, cleared, email_key
from app.phones import e164
from app.tables import Assignment, Contact, ContactTable, Workspace, new_id
from app.workspaces.keys import Caller, Scope

START = datetime(2024, 1, 1, tzinfo=UTC)


async def new_workspace(database: Database, workspace_id: UUID | None = None) -> Caller:
    """A caller of a workspace that is empty."""
    workspace = Workspace(id=workspace_id or new_id(), name=str(new_id()))
    async with database.write() as session:
        session.add(workspace)
    return caller_of(workspace)


def caller_of(workspace: Workspace) -> Caller:
    return Caller(
        workspace_id=workspace.id,
        workspace_name=workspace.name,
        key_id=UUID(int=0),
        key_name="test",
        key_prefix="rollcall_test",
        key_created_at=START,
        key_expires_at=None,
        scopes=frozenset(Scope),
    )


def contact_of(number: int, **given: Any) -> Contact:
    """The contact whose id is `number`, with what it is given and nothing else."""
    values = {name: cleared(name) for name in FIELDS if name not in ("email", "is_active")}
    values |= {"is_active": True, "created_at": START, "updated_at": START}
    values |= {"is_unsubscribed": False, "unsubscribed_at": None, "version": 1}
    values |= {"id": UUID(int=number), "email": f"{number}@example.com"} | given
    values["email_key"] = email_key(values["email"])
    values["phone_e164"] = e164(values["phone"], values["country"])
    return Contact.model_construct(**values)


async def add(
    database: Database,
    caller: Caller,
    contacts: Iterable[Contact],
    assigned: Mapping[UUID, Sequence[Assignee]] | None = None,
) -> None:
    contacts = list(contacts)
    rows = [row(caller, contact) for contact in contacts]
    assignments = [
        {
            "workspace_id": caller.workspace_id,
            "contact_id": contact_id,
            "kind": to.kind,
            "target_id": to.target_id,
            "assigned_at": START,
        }
        for contact_id, assignees in (assigned or {}).items()
        for to in assignees
    ]
    async with database.write() as session:
        if rows:
            await session.exec(insert(ContactTable), params=rows)
            await ranges.keep(session, caller, {}, contacts)
        if assignments:
            await session.exec(insert(Assignment), params=assignments)


async def change(database: Database, caller: Caller, contacts: Iterable[Contact]) -> None:
    rows = [row(caller, contact) for contact in contacts]
    if rows:
        async with database.write() as session:
            await session.exec(update(ContactTable), params=rows)


async def remove(database: Database, caller: Caller, ids: Iterable[UUID]) -> None:
    async with database.write() as session:
        gone = col(ContactTable.id).in_(list(ids))
        await session.exec(delete(ContactTable).where(of_workspace(caller), gone))
