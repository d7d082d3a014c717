"""Merges two contacts of one person. The identifiers of both then find the one that is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from app.contacts.assignments import assignee_of, assignment_change
from app.contacts.change import Cause, Change
from app.contacts.custom_fields import defined_types
from app.contacts.custom_values import wrong_types
from app.contacts.decision.apply import changed, changes, object_errors, same_json
from app.contacts.decision.outcome import Conflict, ConflictCode, ConflictReason, FieldChange
from app.contacts.decision.working_set import keys_of
from app.contacts.keys import ContactKey
from app.contacts.limits import ALIASES_LIMIT
from app.contacts.store.find import find
from app.contacts.store.save import save
from app.database.dialect import RowLock
from app.database.errors import try_again
from app.database.sessions import Database, WorkspaceSession
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import FIELDS, STAMPS
from app.fields.rules import TAGS_LIMIT
from app.phones import e164
from app.tables import Contact, now
from app.workspaces.keys import Caller


class MergePreference(Enum):
    INTO = "INTO"
    FROM = "FROM"


@dataclass(frozen=True, slots=True)
class Merged:
    """The kept contact as it is now, the id of the other one, and the changes of the first."""

    contact: Contact
    merged_id: UUID
    changes: tuple[FieldChange, ...]


@try_again
async def merge(
    database: Database,
    caller: Caller,
    into: ContactKey,
    away: ContactKey,
    prefer: MergePreference,
    *,
    dry_run: bool = False,
) -> Merged | Conflict:
    """Raises InvalidInput if both keys belong to one contact, if the merged contact would exceed a
    limit, or if a custom value would move that does not have the type of its field."""
    async with database.read(caller) if dry_run else database.write(caller) as session:
        lock = RowLock.NONE if dry_run else RowLock.WAIT
        working_set = await find(session, [into, away], lock)
        kept, merged_away = working_set.get(into), working_set.get(away)
        if kept is None or merged_away is None:
            return _not_found(into=kept, **{"from": merged_away})
        if kept.id == merged_away.id:
            message = "must name another contact than `into`"
            raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, "from", message)])
        merged = merged_contact(kept, merged_away, prefer, now(), caller.source)
        await _check_moved_types(session, kept, merged.contact)
        if not dry_run:
            deletion = Change(merged_away, None, Cause.MERGE, caller.key_id)
            after = merged.contact
            update = Change(kept, after, Cause.MERGE, caller.key_id, merged.changes)
            await save(session, [deletion, update])
    return merged


async def _check_moved_types(session: WorkspaceSession, kept: Contact, merged: Contact) -> None:
    """A value may be older than the definition of its field: it may be kept, but not moved."""
    held = kept.custom_fields
    moved = {
        key: value
        for key, value in merged.custom_fields.items()
        if key not in held or not same_json(held[key], value)
    }
    if not moved:
        return
    types = await defined_types(session)
    if errors := list(wrong_types(moved, types)):
        raise InvalidInput(errors)


def _not_found(**contacts: Contact | None) -> Conflict:
    return Conflict(
        tuple(
            ConflictReason(ConflictCode.NOT_FOUND, f"The contact of `{argument}` does not exist.")
            for argument, contact in contacts.items()
            if contact is None
        )
    )


def merged_contact(
    kept: Contact, merged_away: Contact, prefer: MergePreference, at: datetime, source: str
) -> Merged:
    """Raises InvalidInput if the merged contact exceeds a limit."""
    preferred, other = (
        (kept, merged_away) if prefer is MergePreference.INTO else (merged_away, kept)
    )
    values = {
        name: _filled(getattr(preferred, name), getattr(other, name))
        for name in FIELDS
        if name not in ("external_id", "updated_at")
    }
    values["phone"] = _phone(preferred if preferred.phone else other, values)
    values["tags"] = list(dict.fromkeys([*kept.tags, *merged_away.tags]))
    values["custom_fields"] = (
        kept.custom_fields | merged_away.custom_fields | preferred.custom_fields
    )
    values["meta"] = _unstamped(kept) | _unstamped(merged_away) | _unstamped(preferred)
    values["created_at"] = min(kept.created_at, merged_away.created_at)
    if errors := list(_limit_errors(values)):
        raise InvalidInput(errors)
    values["meta"] |= {key: kept.meta[key] for key in STAMPS if key in kept.meta}
    values["external_ids"] = other.external_ids | preferred.external_ids
    server_fields: dict[str, Any] = {
        "email_key": preferred.email_key,
        "assignments": _assignments(kept, merged_away),
        "aliases": _aliases(kept, merged_away),
        "version": kept.version + 1,
        "updated_at": at,
    }
    contact = changed(kept, values | _unsubscribed(kept, merged_away) | server_fields)
    return Merged(contact, merged_away.id, tuple(_changes(kept, contact, values, source)))


def _limit_errors(values: dict[str, Any]) -> Iterator[FieldError]:
    """Values within the limits on each contact may exceed them together."""
    if len(values["tags"]) > TAGS_LIMIT:
        message = f"must have at most {TAGS_LIMIT} tags"
        yield FieldError(FieldErrorCode.TOO_MANY, "tags", message)
    for name in ("custom_fields", "meta"):
        yield from object_errors(name, values[name])


def _filled(value: Any, other: Any) -> Any:
    return other if value in (None, "") else value


def _phone(owner: Contact, values: dict[str, Any]) -> str | None:
    """As given, or in E.164 if the merged country would make it another number or none."""
    is_same = e164(values["phone"], values["country"]) == owner.phone_e164
    return owner.phone if is_same or owner.phone_e164 is None else owner.phone_e164


def _unstamped(contact: Contact) -> dict[str, Any]:
    return {key: value for key, value in contact.meta.items() if key not in STAMPS}


def _unsubscribed(*contacts: Contact) -> dict[str, Any]:
    """A merge never resubscribes a contact."""
    moments = [one.unsubscribed_at for one in contacts if one.unsubscribed_at is not None]
    return {
        "is_unsubscribed": any(one.is_unsubscribed for one in contacts),
        "unsubscribed_at": min(moments, default=None),
    }


def _aliases(kept: Contact, merged_away: Contact) -> list[list[str]]:
    """Every identifier of both; `changed` removes those that the merged contact has as its own."""
    keys = dict.fromkeys([*keys_of(kept), *keys_of(merged_away)])
    if len(keys) > ALIASES_LIMIT:
        message = f"must have at most {ALIASES_LIMIT:,} identifiers together with `into`"
        raise InvalidInput([FieldError(FieldErrorCode.TOO_MANY, "from", message)])
    return [[key.kind.value, key.source, key.value] for key in keys]


def _assignments(kept: Contact, merged_away: Contact) -> list[dict[str, str]]:
    """Oldest first. An assignment of both contacts keeps the time that the kept contact has. The
    limit is checked only when a contact is assigned."""
    held = {assignee_of(one) for one in kept.assignments}
    moved = [one for one in merged_away.assignments if assignee_of(one) not in held]
    return sorted([*kept.assignments, *moved], key=lambda one: one["assigned_at"])


def _changes(
    before: Contact, after: Contact, values: dict[str, Any], source: str
) -> Iterator[FieldChange]:
    yield from changes(before, values, source)
    if after.is_unsubscribed != before.is_unsubscribed:
        yield FieldChange("isUnsubscribed", before.is_unsubscribed, after.is_unsubscribed)
    if after.unsubscribed_at != before.unsubscribed_at:
        yield FieldChange("unsubscribedAt", before.unsubscribed_at, after.unsubscribed_at)
    held = [assignee_of(one) for one in before.assignments]
    for assignee in map(assignee_of, after.assignments):
        if assignee not in held:
            yield assignment_change(assignee, assigned=True)
