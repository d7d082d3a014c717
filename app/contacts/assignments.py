"""Whom or what a contact is assigned to: a kind and an id of the client's own.

Only the calls here change it. No upsert does; deleting a contact takes its assignments along.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, insert, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.decision.outcome import NOT_FOUND, FieldChange, Invalid, Outcome, Updated
from app.contacts.keys import ContactKey, MatchedBy
from app.contacts.store.change import changed, locked
from app.contacts.upsert import write
from app.database.sessions import Database, try_again
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import plain_text
from app.tables import Assignment, Contact, now
from app.workspaces.keys import Caller

ASSIGNMENTS_LIMIT = 100
KIND_LIMIT = 100
TARGET_ID_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Assignee:
    kind: str
    target_id: str


def assignee(kind: str, target_id: str, path: str) -> Assignee:
    """Trimmed. Raises InvalidInput with every broken rule; `path` leads to `kind` and `id`."""
    values: list[str] = []
    errors: list[FieldError] = []
    for name, text, limit in (("kind", kind, KIND_LIMIT), ("id", target_id, TARGET_ID_LIMIT)):
        try:
            values.append(_text(text, f"{path}.{name}", limit))
        except InvalidInput as error:
            errors.extend(error.errors)
    if errors:
        raise InvalidInput(errors)
    return Assignee(*values)


@try_again
async def set_assignment(
    database: Database, caller: Caller, key: ContactKey, to: Assignee, *, assigned: bool
) -> Outcome:
    async with database.write(caller.workspace_id) as session:
        contact = await locked(session, caller, key)
        if contact is None:
            return NOT_FOUND
        rows = (await assignments(session, caller, [contact.id])).get(contact.id, [])
        held = [Assignee(row.kind, row.target_id) for row in rows]
        decided = decide(contact, key.kind, held, to, now(), assigned=assigned)
        await write(session, caller, {contact.id: contact}, [decided])
        if isinstance(decided, Updated) and decided.changes:
            await _write(session, caller, decided.contact, to, assigned=assigned)
    return decided


def decide(
    contact: Contact,
    matched_by: MatchedBy,
    held: Collection[Assignee],
    to: Assignee,
    at: datetime,
    *,
    assigned: bool,
) -> Outcome:
    """Nothing changes where it is so already."""
    if (to in held) == assigned:
        return Updated(contact, matched_by)
    if assigned and len(held) >= ASSIGNMENTS_LIMIT:
        message = f"a contact can have at most {ASSIGNMENTS_LIMIT} assignments"
        return Invalid((FieldError(FieldErrorCode.TOO_MANY, "to", message),))
    return changed(contact, matched_by, [_change(to, assigned=assigned)], at)


def _change(to: Assignee, *, assigned: bool) -> FieldChange:
    value = {"kind": to.kind, "id": to.target_id}
    before, after = (None, value) if assigned else (value, None)
    return FieldChange(f"assignments.{to.kind}.{to.target_id}", before, after)


async def assignments(
    session: AsyncSession, caller: Caller, contact_ids: Iterable[UUID]
) -> dict[UUID, list[Assignment]]:
    """Those of each contact that has any, oldest first, in one statement."""
    statement = (
        select(Assignment)
        .where(_of_workspace(caller), col(Assignment.contact_id).in_(set(contact_ids)))
        .order_by(col(Assignment.assigned_at), col(Assignment.kind), col(Assignment.target_id))
    )
    found: dict[UUID, list[Assignment]] = {}
    for row in await session.exec(statement):
        found.setdefault(row.contact_id, []).append(row)
    return found


async def assignments_to_move(
    session: AsyncSession, caller: Caller, from_id: UUID, to_id: UUID
) -> list[FieldChange]:
    """What `move_assignments` changes on the second contact."""
    found = await assignments(session, caller, [from_id, to_id])
    held = {(row.kind, row.target_id) for row in found.get(to_id, [])}
    return [
        _change(Assignee(row.kind, row.target_id), assigned=True)
        for row in found.get(from_id, [])
        if (row.kind, row.target_id) not in held
    ]


async def move_assignments(
    session: AsyncSession, caller: Caller, from_id: UUID, to_id: UUID
) -> None:
    """What both contacts are assigned to stays as the second has it. None is dropped for the
    limit, which only assigning minds."""
    theirs = aliased(Assignment)
    held = exists().where(
        col(theirs.workspace_id) == caller.workspace_id,
        col(theirs.contact_id) == to_id,
        col(theirs.kind) == col(Assignment.kind),
        col(theirs.target_id) == col(Assignment.target_id),
    )
    here = (_of_workspace(caller), col(Assignment.contact_id) == from_id)
    await session.exec(update(Assignment).where(*here, ~held).values(contact_id=to_id))
    await session.exec(delete(Assignment).where(*here))


async def _write(
    session: AsyncSession, caller: Caller, contact: Contact, to: Assignee, *, assigned: bool
) -> None:
    if assigned:
        row = Assignment(
            workspace_id=caller.workspace_id,
            contact_id=contact.id,
            kind=to.kind,
            target_id=to.target_id,
            assigned_at=contact.updated_at,
        )
        await session.exec(insert(Assignment).values(**row.model_dump()))
        return
    await session.exec(
        delete(Assignment).where(
            _of_workspace(caller),
            col(Assignment.contact_id) == contact.id,
            col(Assignment.kind) == to.kind,
            col(Assignment.target_id) == to.target_id,
        )
    )


def _of_workspace(caller: Caller) -> ColumnElement[bool]:
    return col(Assignment.workspace_id) == caller.workspace_id


def _text(text: str, path: str, limit: int) -> str:
    text = plain_text(text, path)
    if not text:
        raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, path, "must not be empty")])
    if len(text) > limit:
        message = f"must have at most {limit} characters"
        raise InvalidInput([FieldError(FieldErrorCode.TOO_LONG, path, message)])
    return text
