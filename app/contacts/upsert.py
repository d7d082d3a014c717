"""Find, decide, write, try again: one call or a thousand, the same path."""

from collections.abc import Sequence

from sqlalchemy import insert, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth import Caller
from app.contacts.decide import Request, Stamp, decide, given_keys
from app.contacts.find import find
from app.contacts.known import Known
from app.contacts.outcome import Created, Outcome, Updated
from app.database import Database, try_again
from app.tables import Contact, ContactTable, new_id, now


@try_again
async def upsert(
    database: Database, caller: Caller, requests: Sequence[Request], *, dry_run: bool = False
) -> list[Outcome]:
    """The outcome of each request, in order, each decided on what those before it left.

    All in one transaction. A dry run decides alike and writes nothing. Raises Unavailable where
    the race for a contact is lost too often.
    """
    async with database.read() if dry_run else database.write() as session:
        keys = [key for request in requests for _, key in given_keys(request.given)]
        keys += [request.by for request in requests if request.by is not None]
        known = await find(session, caller, keys, lock=not dry_run)
        outcomes = decide_all(requests, known, caller)
        if not dry_run:
            await write(session, caller, outcomes)
    return outcomes


def decide_all(requests: Sequence[Request], known: Known, caller: Caller) -> list[Outcome]:
    outcomes = []
    for request in requests:
        outcome = decide(request, known, Stamp(new_id(), now(), caller.key_id))
        if isinstance(outcome, Created | Updated):
            known.put(outcome.contact)
        outcomes.append(outcome)
    return outcomes


async def write(session: AsyncSession, caller: Caller, outcomes: Sequence[Outcome]) -> None:
    """The last state of each contact that was created or changed."""
    created: dict[object, Contact] = {}
    changed: dict[object, Contact] = {}
    for outcome in outcomes:
        match outcome:
            case Created(contact):
                created[contact.id] = contact
            case Updated(contact, changes=changes) if changes:
                (created if contact.id in created else changed)[contact.id] = contact
    workspace = {"workspace_id": caller.workspace_id}
    if changed:
        rows = [dict(contact) | workspace for contact in changed.values()]
        await session.exec(update(ContactTable), params=rows)
    if created:
        rows = [dict(contact) | workspace for contact in created.values()]
        await session.exec(insert(ContactTable), params=rows)
