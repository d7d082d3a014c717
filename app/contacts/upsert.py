"""Upserts: find, decide, save, and try again after a lost race."""

from collections.abc import Sequence

from app.contacts.change import Cause, Change
from app.contacts.custom_values import with_type_errors
from app.contacts.decision.decide import Request, Stamp, decide
from app.contacts.decision.outcome import Conflict, Created, Invalid, Outcome, Updated
from app.contacts.decision.working_set import WorkingSet
from app.contacts.keys import given_keys
from app.contacts.limits import ROWS_LIMIT
from app.contacts.store.find import find
from app.contacts.store.save import save
from app.database.errors import try_again
from app.database.sessions import Database
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.tables import new_id, now
from app.workspaces.keys import Caller


async def upsert(
    database: Database,
    caller: Caller,
    requests: Sequence[Request],
    *,
    dry_run: bool = False,
    atomic: bool = False,
) -> list[Outcome]:
    """Returns the outcome of each request, in order. Each is decided after the previous ones.

    All run in one transaction, which is not opened if every request breaks a rule. A dry run
    decides in the same way and writes nothing. An atomic call writes nothing if any request ends
    in a Conflict or is Invalid. Raises InvalidInput for too many requests, and Unavailable if too
    many races are lost.
    """
    if len(requests) > ROWS_LIMIT:
        message = f"must have at most {ROWS_LIMIT:,} rows, has {len(requests)}"
        raise InvalidInput([FieldError(FieldErrorCode.TOO_MANY, "inputs", message)])
    requests = await with_type_errors(database, caller, requests)
    if all(request.errors for request in requests):
        outcomes, _ = decide_all(requests, WorkingSet(), caller)
        return outcomes
    return await _in_transaction(database, caller, requests, dry_run, atomic)


@try_again
async def _in_transaction(
    database: Database, caller: Caller, requests: Sequence[Request], dry_run: bool, atomic: bool
) -> list[Outcome]:
    async with database.read(caller) if dry_run else database.write(caller) as session:
        keys = [key for one in requests for _, key in given_keys(one.given, caller.source)]
        keys += [request.by for request in requests if request.by is not None]
        working_set = await find(session, keys, lock=not dry_run)
        outcomes, changes = decide_all(requests, working_set, caller)
        failed = any(isinstance(outcome, Conflict | Invalid) for outcome in outcomes)
        if not dry_run and not (atomic and failed):
            await save(session, changes)
    return outcomes


def decide_all(
    requests: Sequence[Request], working_set: WorkingSet, caller: Caller
) -> tuple[list[Outcome], list[Change]]:
    """Returns the outcomes, and the changes to save."""
    outcomes: list[Outcome] = []
    changes: list[Change] = []
    for request in requests:
        outcome = decide(request, working_set, Stamp(new_id(), now(), caller.key_id, caller.source))
        outcomes.append(outcome)
        if isinstance(outcome, Created) or (isinstance(outcome, Updated) and outcome.changes):
            after = outcome.contact
            before = working_set.by_id(after.id)
            fields = outcome.changes if isinstance(outcome, Updated) else ()
            changes.append(Change(before, after, Cause.UPSERT, caller.key_id, fields))
            working_set.put(after)
    return outcomes, changes
