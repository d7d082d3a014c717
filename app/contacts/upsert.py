"""Upserts: find, decide, save, and try again after a lost race.

Single upserts of a workspace share a transaction with those that come at the same time. They are
decided in the order of their arrival, as the rows of a bulk are, and answered after the commit.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.contacts.change import Cause, Change
from app.contacts.custom_values import with_type_errors
from app.contacts.decision.decide import Request, Stamp, decide
from app.contacts.decision.outcome import Conflict, Created, Invalid, Outcome, Updated
from app.contacts.decision.working_set import WorkingSet
from app.contacts.keys import ContactKey, given_keys
from app.contacts.limits import ROWS_LIMIT
from app.contacts.store.find import find
from app.contacts.store.save import check_changes, save
from app.database.dialect import RowLock
from app.database.errors import try_again
from app.database.sessions import Database
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.tables import new_id, now
from app.turns import TRANSACTION_TURN_SECONDS, in_turns
from app.workspaces.keys import Caller

Announce = Callable[[Sequence[Outcome]], None]


def unannounced(_: object) -> None:
    """Nobody wants to know the outcomes before the commit."""


@dataclass(frozen=True, slots=True)
class _Upsert:
    """A request and its caller, who may have another key than others of the same workspace."""

    caller: Caller
    request: Request


async def upsert_one(
    database: Database, caller: Caller, request: Request, *, dry_run: bool = False
) -> Outcome:
    """As `upsert` of one request, but in one transaction with others of the workspace.

    Raises Unavailable if too many wait.
    """
    if dry_run or request.errors:
        [outcome] = await upsert(database, caller, [request], dry_run=dry_run)
        return outcome
    return await database.share(_upsert_together, caller, _Upsert(caller, request))


async def upsert(
    database: Database,
    caller: Caller,
    requests: Sequence[Request],
    *,
    dry_run: bool = False,
    atomic: bool = False,
    announce: Announce = unannounced,
) -> list[Outcome]:
    """Returns the outcome of each request, in order. Each is decided after the previous ones.

    All run in one transaction, which is not opened if every request breaks a rule. A dry run
    decides in the same way and writes nothing. An atomic call writes nothing if any request ends
    in a Conflict or is Invalid. The outcomes are announced before they are committed, and again
    after a lost race. Raises InvalidInput for too many requests, and Unavailable if too
    many races are lost.
    """
    check_size(requests)
    upserts = await _checked(database, [_Upsert(caller, request) for request in requests])
    if dry_run or all(one.request.errors for one in upserts):
        outcomes = await _predicted(database, upserts)
        announce(outcomes)
        return outcomes
    return await _saved_after_races(
        database, upserts, RowLock.WAIT, atomic=atomic, announce=announce
    )


def check_size(rows: Sequence[object]) -> None:
    """Raises InvalidInput for too many rows."""
    if len(rows) > ROWS_LIMIT:
        message = f"must have at most {ROWS_LIMIT:,} rows, has {len(rows)}"
        raise InvalidInput([FieldError(FieldErrorCode.TOO_MANY, "inputs", message)])


async def _upsert_together(database: Database, upserts: Sequence[_Upsert]) -> list[Outcome]:
    """Several fail together instead of waiting for a row lock: each then waits for its own."""
    upserts = await _checked(database, upserts)
    if all(one.request.errors for one in upserts):
        return await _predicted(database, upserts)
    if len(upserts) == 1:
        return await _saved_after_races(database, upserts, RowLock.WAIT)
    return await _saved(database, upserts, RowLock.NO_WAIT)


async def _checked(database: Database, upserts: Sequence[_Upsert]) -> Sequence[_Upsert]:
    """With an error for each custom value that does not have its type."""
    requests = [one.request for one in upserts]
    if not requests:
        return []
    checked = await with_type_errors(database, upserts[0].caller, requests)
    if checked is requests:
        return upserts
    return [_Upsert(one.caller, request) for one, request in zip(upserts, checked, strict=True)]


async def _predicted(database: Database, upserts: Sequence[_Upsert]) -> list[Outcome]:
    """Without a transaction if every request breaks a rule."""
    if all(one.request.errors for one in upserts):
        return (await _decide(upserts, WorkingSet()))[0]
    async with database.read(upserts[0].caller) as session:
        outcomes, changes = await _decide(upserts, await find(session, _keys(upserts)))
    await check_changes(changes)
    return outcomes


async def _saved(
    database: Database,
    upserts: Sequence[_Upsert],
    lock: RowLock,
    *,
    atomic: bool = False,
    announce: Announce = unannounced,
) -> list[Outcome]:
    async with database.write(upserts[0].caller) as session:
        working_set = await find(session, _keys(upserts), lock)
        outcomes, changes = await _decide(upserts, working_set)
        failed = any(isinstance(outcome, Conflict | Invalid) for outcome in outcomes)
        if not (atomic and failed):
            await save(session, changes)
        announce(outcomes)
    return outcomes


_saved_after_races = try_again(_saved)


def _keys(upserts: Sequence[_Upsert]) -> Iterable[ContactKey]:
    for one in upserts:
        yield from given_keys(one.request.given, one.caller.source).values()
        if one.request.by is not None:
            yield one.request.by


async def _decide(
    upserts: Sequence[_Upsert], working_set: WorkingSet
) -> tuple[list[Outcome], list[Change]]:
    """Returns the outcomes, and the changes to save."""
    outcomes: list[Outcome] = []
    changes: list[Change] = []
    async for one in in_turns(upserts, TRANSACTION_TURN_SECONDS):
        key_id = one.caller.key_id
        stamp = Stamp(new_id(), now(), key_id, one.caller.source)
        outcome = decide(one.request, working_set, stamp)
        outcomes.append(outcome)
        if isinstance(outcome, Created) or (isinstance(outcome, Updated) and outcome.changes):
            after = outcome.contact
            before = working_set.by_id(after.id)
            fields = outcome.changes if isinstance(outcome, Updated) else ()
            changes.append(Change(before, after, Cause.UPSERT, key_id, fields))
            working_set.put(after)
    return outcomes, changes
