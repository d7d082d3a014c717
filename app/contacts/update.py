"""Updating many contacts in the same way, by their keys or by a filter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

import orjson

from app.contacts.change import Cause, Change
from app.contacts.custom_values import with_type_errors
from app.contacts.decision.decide import Request, Stamp
from app.contacts.decision.outcome import NOT_FOUND, Outcome, Updated
from app.contacts.decision.policy import TagsMode
from app.contacts.decision.working_set import WorkingSet
from app.contacts.edit import Edit, decide_edit
from app.contacts.keys import ContactKey
from app.contacts.limits import UPDATE_BYTES_LIMIT
from app.contacts.listing.conditions import Condition
from app.contacts.listing.order import OLDEST_FIRST, Position
from app.contacts.listing.page import meeting
from app.contacts.selection import change_together, check_keys, oldest
from app.contacts.store.find import find
from app.contacts.store.save import check_changes, save
from app.database.dialect import RowLock
from app.database.errors import try_again
from app.database.sessions import Database, WorkspaceSession
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.tables import Contact, now
from app.turns import TRANSACTION_TURN_SECONDS, in_turns
from app.workspaces.keys import Caller


@dataclass(frozen=True, slots=True)
class Edited:
    """The outcomes, whether more contacts meet the filter, and the position of the last one."""

    outcomes: Sequence[Outcome]
    has_more: bool = False
    end: Position | None = None


async def update_by_keys(
    database: Database, caller: Caller, keys: Sequence[ContactKey], edit: Edit, *, dry_run: bool
) -> Edited:
    """An outcome for each key, in order. Raises InvalidInput if the edit breaks a rule."""
    check_keys(keys)
    await _check(database, caller, edit)
    return Edited(await _update(database, caller, keys, edit, dry_run=dry_run))


async def update_by_filter(
    database: Database,
    caller: Caller,
    condition: Condition,
    edit: Edit,
    *,
    after: str | None = None,
    dry_run: bool,
) -> Edited:
    """Updates the oldest contacts behind the cursor `after` that meet the condition, up to
    SELECTION_LIMIT, and fewer if they are too large together. Raises InvalidInput if the edit
    breaks a rule.

    The search runs before the transaction that updates. Contacts that no longer meet the
    condition once they are locked have no outcome.
    """
    await _check(database, caller, edit)
    found = await oldest(database, caller, condition, after)
    if not found.contacts:
        return Edited(())

    async def update(contacts: Sequence[Contact]) -> list[Outcome]:
        keys = [ContactKey.of_id(contact.id) for contact in contacts]
        return await _update(database, caller, keys, edit, condition, dry_run=dry_run)

    found, outcomes = await change_together(found, update)
    return Edited(outcomes, found.has_more, Position.of(found.contacts[-1], OLDEST_FIRST))


async def _check(database: Database, caller: Caller, edit: Edit) -> None:
    """Raises InvalidInput with every rule that the edit breaks, whatever the contacts."""
    [request] = await with_type_errors(database, caller, [edit.request])
    parts = (_size_errors(edit), _tag_errors(request), _assignment_errors(edit))
    if errors := [*request.errors, *chain.from_iterable(parts)]:
        raise InvalidInput(errors)


def _size_errors(edit: Edit) -> Iterator[FieldError]:
    size = len(orjson.dumps(edit.request.given))
    if size > UPDATE_BYTES_LIMIT:
        message = f"must have at most {UPDATE_BYTES_LIMIT:,} bytes as JSON, has {size:,}"
        yield FieldError(FieldErrorCode.TOO_LONG, "input", message)


def _tag_errors(request: Request) -> Iterator[FieldError]:
    if not request.removed_tags or "tags" not in request.given:
        return
    if request.policy.tags is not TagsMode.ADD:
        message = "must not be given together with tags in `input`, unless `tags` is ADD"
    elif request.removed_tags.intersection(request.given["tags"] or ()):
        message = "must not have a tag that `input` adds"
    else:
        return
    yield FieldError(FieldErrorCode.INVALID_FORMAT, "removeTags", message)


def _assignment_errors(edit: Edit) -> Iterator[FieldError]:
    if edit.assign_to is not None and edit.assign_to == edit.unassign_from:
        message = "must name another target than `assignTo`"
        yield FieldError(FieldErrorCode.INVALID_FORMAT, "unassignFrom", message)


@try_again
async def _update(
    database: Database,
    caller: Caller,
    keys: Sequence[ContactKey],
    edit: Edit,
    condition: Condition | None = None,
    *,
    dry_run: bool,
) -> list[Outcome]:
    """An outcome for each key, or for each that still meets the condition."""
    async with database.read(caller) if dry_run else database.write(caller) as session:
        working_set = await find(session, keys, RowLock.NONE if dry_run else RowLock.WAIT)
        if condition is not None:
            keys = await _meeting(session, keys, working_set, condition)
        outcomes, changes = await _decide(keys, working_set, edit, caller)
        if dry_run:
            await check_changes(changes)
        else:
            await save(session, changes)
    return outcomes


async def _meeting(
    session: WorkspaceSession,
    keys: Sequence[ContactKey],
    working_set: WorkingSet,
    condition: Condition,
) -> list[ContactKey]:
    """The ids of contacts that still meet the condition and were not merged away."""
    ids = [UUID(key.value) for key in keys]
    held = [one for one in ids if working_set.by_id(one)]
    still = await meeting(session, held, condition)
    return [ContactKey.of_id(one) for one in held if one in still]


async def _decide(
    keys: Sequence[ContactKey], working_set: WorkingSet, edit: Edit, caller: Caller
) -> tuple[list[Outcome], list[Change]]:
    """Returns the outcomes, and the changes to save. A second key of a contact finds it changed."""
    outcomes: list[Outcome] = []
    changes: list[Change] = []
    async for key in in_turns(keys, TRANSACTION_TURN_SECONDS):
        contact = working_set.get(key)
        if contact is None:
            outcomes.append(NOT_FOUND)
            continue
        stamp = Stamp(contact.id, now(), caller.key_id, caller.source)
        outcome = decide_edit(contact, key.kind, edit, stamp)
        outcomes.append(outcome)
        if isinstance(outcome, Updated) and outcome.changes:
            after = outcome.contact
            changes.append(Change(contact, after, Cause.UPDATE, caller.key_id, outcome.changes))
            working_set.put(after)
    return outcomes, changes
