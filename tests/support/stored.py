"""Contacts inserted directly into the database, for tests that need many."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import select, update

from app.contacts.assignee import Assignee
from app.contacts.change import Cause, Change
from app.contacts.keys import ContactKey
from app.contacts.store.find import find
from app.contacts.store.save import save
from app.database.sessions import Database, WorkspaceSession
from app.fields.contact import FIELDS, cleared
from app.fields.normalise import email_key
from app.fields.sources import DEFAULT_SOURCE
from app.phones import e164
from app.tables import ApiKey, Contact, Workspace, new_id
from app.workspaces.keys import Caller, Scope

START = datetime(2024, 1, 1, tzinfo=UTC)
SOURCE = DEFAULT_SOURCE
KEY = UUID(int=0)


async def new_workspace(database: Database, workspace_id: UUID | None = None) -> Caller:
    """A caller of an empty workspace."""
    workspace = Workspace(id=workspace_id or new_id(), name=str(new_id()))
    async with database.write_directory() as session:
        session.add(workspace)
    return caller_of(workspace)


async def set_expiry(database: Database, at: datetime, *which: ColumnElement[bool]) -> None:
    """Of keys. Workspaces are locked before them, as the server may record that they were used."""
    async with database.write_directory() as session:
        await session.exec(select(Workspace.id).with_for_update())
        await session.exec(update(ApiKey).where(*which).values(expires_at=at))


def caller_of(workspace: Workspace) -> Caller:
    return Caller(
        workspace_id=workspace.id,
        workspace_name=workspace.name,
        key_id=KEY,
        key_name="test",
        key_prefix="rollcall_test",
        key_created_at=START,
        key_expires_at=None,
        scopes=frozenset(Scope),
        source=SOURCE,
    )


def contact_of(number: int, **given: Any) -> Contact:
    """The contact whose id is `number`, with only the given fields.

    An external id is that of the source of `caller_of`.
    """
    values = {name: cleared(name) for name in FIELDS if name not in ("email", "is_active")}
    values |= {"is_active": True, "created_at": START, "updated_at": START}
    values |= {"is_unsubscribed": False, "unsubscribed_at": None, "version": 1}
    values |= {"aliases": [], "assignments": []}
    values |= {"id": UUID(int=number), "email": f"{number}@example.com"} | given
    external_id = values.pop("external_id")
    values["external_ids"] = {} if external_id is None else {SOURCE: external_id}
    values["email_key"] = email_key(values["email"])
    values["phone_e164"] = e164(values["phone"], values["country"])
    return Contact.model_construct(**values)


def assigned_to(*assignees: Assignee) -> list[dict[str, str]]:
    """The assignments of a contact in stored form."""
    return [
        {"kind": to.kind, "target_id": to.target_id, "assigned_at": START.isoformat()}
        for to in assignees
    ]


async def add(database: Database, caller: Caller, contacts: Iterable[Contact]) -> None:
    await _save(database, caller, [(None, contact) for contact in contacts])


async def change(database: Database, caller: Caller, contacts: Iterable[Contact]) -> None:
    contacts = list(contacts)
    async with database.write(caller) as session:
        before = await _held(session, [contact.id for contact in contacts])
        await _save_in(session, [(before[contact.id], contact) for contact in contacts])


async def remove(database: Database, caller: Caller, ids: Iterable[UUID]) -> None:
    async with database.write(caller) as session:
        before = await _held(session, ids)
        await _save_in(session, [(contact, None) for contact in before.values()])


async def _held(session: WorkspaceSession, ids: Iterable[UUID]) -> dict[UUID, Contact]:
    ids = list(ids)
    found = await find(session, map(ContactKey.of_id, ids))
    return {one: contact for one in ids if (contact := found.by_id(one))}


async def _save(
    database: Database, caller: Caller, steps: Sequence[tuple[Contact | None, Contact | None]]
) -> None:
    async with database.write(caller) as session:
        await _save_in(session, steps)


async def _save_in(
    session: WorkspaceSession, steps: Sequence[tuple[Contact | None, Contact | None]]
) -> None:
    await save(session, [Change(*step, Cause.UPSERT, KEY) for step in steps])
