"""Merging: two contacts that are one person become one, and every identifier leads to it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.assignments import assignments_to_move, move_assignments
from app.contacts.custom_fields import defined_types
from app.contacts.custom_values import wrong_types
from app.contacts.decision.apply import changes, derived, same_json
from app.contacts.decision.outcome import Conflict, ConflictCode, ConflictReason, FieldChange
from app.contacts.decision.working_set import keys_of
from app.contacts.keys import ContactKey
from app.contacts.store import aliases, ranges
from app.contacts.store.find import find, of_workspace, row
from app.contacts.store.rows import update_contacts
from app.database.sessions import Database, try_again
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import FIELDS, STAMPS, normalise
from app.phones import e164
from app.tables import Contact, ContactTable, now
from app.workspaces.keys import Caller


class MergePreference(Enum):
    INTO = "INTO"
    FROM = "FROM"


@dataclass(frozen=True, slots=True)
class Merged:
    """The contact that stays, as it is now; the id of the other; what changed on the first."""

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
    """Raises InvalidInput where both keys lead to one contact, the two exceed a limit, or a custom
    value would move that has not the type of its field."""
    async with database.read() if dry_run else database.write(caller.workspace_id) as session:
        known = await find(session, caller, [into, away], lock=not dry_run)
        stays, goes = known.get(into), known.get(away)
        if stays is None or goes is None:
            return _not_found(into=stays, **{"from": goes})
        if stays.id == goes.id:
            message = "leads to the same contact as `into`"
            raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, "from", message)])
        merged = joined(stays, goes, prefer, now())
        await _must_have_their_types(session, caller, stays, merged.contact)
        moved = await assignments_to_move(session, caller, goes.id, stays.id)
        merged = replace(merged, changes=(*merged.changes, *moved))
        if not dry_run:
            await _write(session, caller, stays, goes, merged.contact)
    return merged


async def _must_have_their_types(
    session: AsyncSession, caller: Caller, stays: Contact, merged: Contact
) -> None:
    """A value may be older than the definition of its field: it stays, but does not move."""
    held = stays.custom_fields
    moved = {
        key: value
        for key, value in merged.custom_fields.items()
        if key not in held or not same_json(held[key], value)
    }
    if not moved:
        return
    types = await defined_types(session, caller.workspace_id)
    if errors := list(wrong_types(moved, types)):
        raise InvalidInput(errors)


def _not_found(**contacts: Contact | None) -> Conflict:
    return Conflict(
        tuple(
            ConflictReason(ConflictCode.NOT_FOUND, f"No contact was found for `{argument}`.")
            for argument, contact in contacts.items()
            if contact is None
        )
    )


def joined(stays: Contact, goes: Contact, prefer: MergePreference, at: datetime) -> Merged:
    """What the two make together. Raises InvalidInput where that exceeds a limit."""
    preferred, other = (stays, goes) if prefer is MergePreference.INTO else (goes, stays)
    values = {
        name: _filled(getattr(preferred, name), getattr(other, name))
        for name in FIELDS
        if name != "updated_at"
    }
    values["phone"] = _phone(preferred if preferred.phone else other, values)
    values["tags"] = list(dict.fromkeys([*stays.tags, *goes.tags]))
    values["custom_fields"] = stays.custom_fields | goes.custom_fields | preferred.custom_fields
    values["meta"] = _unstamped(stays) | _unstamped(goes) | _unstamped(preferred)
    values["created_at"] = min(stays.created_at, goes.created_at)
    _, errors = normalise({name: values[name] for name in ("tags", "custom_fields", "meta")})
    if errors:
        raise InvalidInput(errors)
    values["meta"] |= {key: stays.meta[key] for key in STAMPS if key in stays.meta}
    contact = stays.model_copy(
        update=values
        | _unsubscribed(stays, goes)
        | {"email_key": preferred.email_key, "version": stays.version + 1, "updated_at": at}
    )
    contact = contact.model_copy(update=derived(contact))
    return Merged(contact, goes.id, tuple(_changes(stays, contact, values)))


def _filled(value: Any, other: Any) -> Any:
    return other if value in (None, "") else value


def _phone(of: Contact, values: dict[str, Any]) -> str | None:
    """In E.164 where the country of the other contact would make it another number, or none."""
    is_same = e164(values["phone"], values["country"]) == of.phone_e164
    return of.phone if is_same or of.phone_e164 is None else of.phone_e164


def _unstamped(contact: Contact) -> dict[str, Any]:
    return {key: value for key, value in contact.meta.items() if key not in STAMPS}


def _unsubscribed(*contacts: Contact) -> dict[str, Any]:
    """A merge resubscribes nobody."""
    moments = [one.unsubscribed_at for one in contacts if one.unsubscribed_at is not None]
    return {
        "is_unsubscribed": any(one.is_unsubscribed for one in contacts),
        "unsubscribed_at": min(moments, default=None),
    }


def _changes(before: Contact, after: Contact, values: dict[str, Any]) -> Iterator[FieldChange]:
    yield from changes(before, values)
    if after.is_unsubscribed != before.is_unsubscribed:
        yield FieldChange("isUnsubscribed", before.is_unsubscribed, after.is_unsubscribed)
    if after.unsubscribed_at != before.unsubscribed_at:
        yield FieldChange("unsubscribedAt", before.unsubscribed_at, after.unsubscribed_at)


async def _write(
    session: AsyncSession, caller: Caller, stays: Contact, goes: Contact, merged: Contact
) -> None:
    """Both contacts are locked. The one goes before the other takes over its identifiers."""
    await move_assignments(session, caller, goes.id, merged.id)
    await aliases.move(session, caller, goes.id, merged.id)
    gone = delete(ContactTable).where(of_workspace(caller), col(ContactTable.id) == goes.id)
    await session.exec(gone)
    await update_contacts(session, caller, [row(caller, merged)])
    await ranges.keep(session, caller, {stays.id: stays}, [merged])
    former = {*keys_of(stays), *keys_of(goes)} - set(keys_of(merged))
    await aliases.add(session, caller, former, merged.id)
