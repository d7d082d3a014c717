"""Find, decide, write, try again: one call or a thousand, the same path."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.custom_values import with_type_errors
from app.contacts.decision.decide import Request, Stamp, decide, given_keys
from app.contacts.decision.outcome import Conflict, Created, Invalid, Outcome, Updated
from app.contacts.decision.working_set import WorkingSet, keys_of
from app.contacts.keys import MatchedBy
from app.contacts.store import aliases, ranges
from app.contacts.store.find import find, of_workspace, row
from app.contacts.store.rows import insert_contacts, update_contacts
from app.database.sessions import Database, LostRace, try_again
from app.tables import Contact, ContactTable, new_id, now
from app.workspaces.keys import Caller


async def upsert(
    database: Database,
    caller: Caller,
    requests: Sequence[Request],
    *,
    dry_run: bool = False,
    atomic: bool = False,
) -> list[Outcome]:
    """The outcome of each request, in order, each decided on what those before it left.

    All in one transaction, which requests that break a rule never open. A dry run decides alike
    and writes nothing; nor does an atomic call where one request ends in a Conflict or is Invalid.
    Raises Unavailable where the race for a contact is lost too often.
    """
    requests = await with_type_errors(database, caller, requests)
    if all(request.errors for request in requests):
        return decide_all(requests, WorkingSet(), caller)
    return await _in_transaction(database, caller, requests, dry_run, atomic)


@try_again
async def _in_transaction(
    database: Database, caller: Caller, requests: Sequence[Request], dry_run: bool, atomic: bool
) -> list[Outcome]:
    async with database.read() if dry_run else database.write(caller.workspace_id) as session:
        keys = [key for request in requests for _, key in given_keys(request.given)]
        keys += [request.by for request in requests if request.by is not None]
        known = await find(session, caller, keys, lock=not dry_run)
        before = known.contacts()
        outcomes = decide_all(requests, known, caller)
        failed = any(isinstance(outcome, Conflict | Invalid) for outcome in outcomes)
        if not dry_run and not (atomic and failed):
            await write(session, caller, before, outcomes)
    return outcomes


def decide_all(requests: Sequence[Request], known: WorkingSet, caller: Caller) -> list[Outcome]:
    outcomes = []
    for request in requests:
        outcome = decide(request, known, Stamp(new_id(), now(), caller.key_id))
        if isinstance(outcome, Created | Updated):
            known.put(outcome.contact)
        outcomes.append(outcome)
    return outcomes


async def write(
    session: AsyncSession,
    caller: Caller,
    before: Mapping[UUID, Contact],
    outcomes: Sequence[Outcome],
) -> None:
    """The last state of each contact that was created or changed."""
    last: dict[UUID, Contact] = {}
    for outcome in outcomes:
        if isinstance(outcome, Created) or (isinstance(outcome, Updated) and outcome.changes):
            last[outcome.contact.id] = outcome.contact
    changed = [contact for contact in last.values() if contact.id in before]
    created = [contact for contact in last.values() if contact.id not in before]
    if passed_on := _identifiers_passed_on(before, changed):
        # A statement checks unique indexes row by row: values that move between contacts have to
        # be let go of first. No email has the form of an id.
        statement = update(ContactTable).where(
            of_workspace(caller), col(ContactTable.id).in_(passed_on)
        )
        released = {"external_id": None, "email_key": cast(ContactTable.id, Text)}
        await session.exec(statement.values(released))
    before_keys = {contact.id: set(keys_of(contact)) for contact in before.values()}
    if let_go := {key for one in changed for key in before_keys[one.id] - set(keys_of(one))}:
        await aliases.release(session, caller, let_go)
    if changed:
        columns = {"external_id", "email_key"} if passed_on else set()
        rows = _updates(caller, before, changed, columns)
        await update_contacts(session, caller, rows)
    if created:
        # In one order, as all who insert the same keys wait for one another at the first of them.
        created.sort(key=lambda contact: contact.email_key)
        await insert_contacts(session, [row(caller, contact) for contact in created])
    await ranges.keep(session, caller, before, [*changed, *created])
    gained = {
        key: contact.id
        for contact in last.values()
        for key in set(keys_of(contact)) - before_keys.get(contact.id, set())
        if key.kind is not MatchedBy.ID
    }
    if await aliases.are_others(session, caller, gained):
        # Another contact had the key and was merged away after ours was looked for.
        raise LostRace


def _updates(
    caller: Caller, before: Mapping[UUID, Contact], changed: Sequence[Contact], columns: set[str]
) -> list[dict[str, Any]]:
    """The rows with these columns, and those that change in any of them.

    SQLite writes every index of a column that is set, whether or not its value is another.
    """
    pairs = [(row(caller, before[contact.id]), row(caller, contact)) for contact in changed]
    names = [
        name
        for name in pairs[0][1]
        if name in {"workspace_id", "id", *columns}
        # Python takes the JSON of true for that of 1.
        or any(isinstance(new[name], dict) or old[name] != new[name] for old, new in pairs)
    ]
    return [{name: new[name] for name in names} for _, new in pairs]


def _identifiers_passed_on(
    before: Mapping[UUID, Contact], changed: Sequence[Contact]
) -> list[UUID]:
    """The contacts that let go of an identifier which another of those changed takes over."""
    holders = {key: contact.id for contact in before.values() for key in keys_of(contact)}
    taken_from = (
        holders.get(key)
        for contact in changed
        for key in keys_of(contact)
        if holders.get(key) != contact.id
    )
    return list({holder for holder in taken_from if holder is not None})
