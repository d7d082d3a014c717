"""The decision of an upsert: pure, complete, the same for a single call and a row of a thousand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.contacts.decision.apply import Applied, apply, changes, derived
from app.contacts.decision.outcome import (
    NOT_FOUND,
    Conflict,
    ConflictCode,
    ConflictReason,
    Created,
    Invalid,
    Outcome,
    Updated,
    Warned,
    WarningCode,
)
from app.contacts.decision.policy import (
    DEFAULT_POLICY,
    EmailOnMatch,
    ExternalIdOnMatch,
    MatchFallback,
    OnMatch,
    OnMiss,
    UpsertPolicy,
)
from app.contacts.decision.working_set import WorkingSet, keys_of
from app.contacts.keys import ContactIdentifier, ContactKey, MatchedBy
from app.errors import FieldError, FieldErrorCode
from app.fields.contact import API_NAMES, email_key
from app.tables import Contact


@dataclass(frozen=True, slots=True)
class Request:
    """What one call, or one row of a bulk, asks.

    `given` holds the normalised fields that were sent: absent is unchanged, None is cleared.
    `by` names the contact outright, in place of the policy's walk. `errors` are the rules that
    the other fields broke.
    """

    given: Mapping[str, Any]
    policy: UpsertPolicy = DEFAULT_POLICY
    if_version: int | None = None
    by: ContactKey | None = None
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a decision would otherwise have to ask the world for."""

    contact_id: UUID
    at: datetime
    api_key_id: UUID


def decide(request: Request, known: WorkingSet, stamp: Stamp) -> Outcome:
    errors = [
        *request.errors,
        *_unidentified(request),
        *_from_the_future(request.given, stamp.at),
    ]
    if errors:
        return Invalid(tuple(errors))
    match = _match(request, known)
    if match is None:
        return _miss(request, known, stamp)
    contact, matched_by = match
    return _update(request, contact, matched_by, known, stamp)


def given_keys(given: Mapping[str, Any]) -> list[tuple[ContactIdentifier, ContactKey]]:
    """The identifiers that were given, with the keys they lead to."""
    return [
        (identifier, ContactKey.of(MatchedBy(identifier.value), given[identifier.value]))
        for identifier in ContactIdentifier
        if given.get(identifier.value) is not None
    ]


def _unidentified(request: Request) -> list[FieldError]:
    names = [identifier.value for identifier in request.policy.match_by]
    broken = {error.field for error in request.errors}
    if (
        request.by is not None
        or any(request.given.get(name) is not None for name in names)
        or any(API_NAMES[name] in broken for name in names)
    ):
        return []
    wanted = " or ".join(API_NAMES[name] for name in names)
    message = f"is required: a contact is found by its {wanted}"
    return [FieldError(FieldErrorCode.REQUIRED, API_NAMES[name], message) for name in names]


def _from_the_future(given: Mapping[str, Any], at: datetime) -> list[FieldError]:
    return [
        FieldError(FieldErrorCode.OUT_OF_RANGE, API_NAMES[name], "must not be in the future")
        for name in ("created_at", "updated_at")
        if name in given and given[name] > at
    ]


def _match(request: Request, known: WorkingSet) -> tuple[Contact, MatchedBy] | None:
    if request.by is not None:
        contact = known.get(request.by)
        return (contact, request.by.kind) if contact else None
    keys = dict(given_keys(request.given))
    for identifier in request.policy.match_by:
        key = keys.get(identifier)
        if key is None:
            continue
        contact = known.get(key)
        if contact is not None:
            return contact, key.kind
        if request.policy.fallback is MatchFallback.ABSENT:
            return None
    return None


def _held(request: Request, known: WorkingSet, code: ConflictCode) -> list[ConflictReason]:
    """A reason for each given identifier that somebody holds."""
    reasons = []
    for identifier, key in given_keys(request.given):
        holder = known.get(key)
        if holder is not None:
            value = request.given[identifier.value]
            message = f"A contact with {API_NAMES[identifier.value]} {value} exists already."
            reasons.append(ConflictReason(code, message, identifier, holder))
    return reasons


def _miss(request: Request, known: WorkingSet, stamp: Stamp) -> Outcome:
    policy = request.policy
    if request.by or request.if_version is not None or policy.on_miss is OnMiss.CONFLICT:
        return NOT_FOUND
    given = request.given
    created_at = given.get("created_at", stamp.at)
    updated_at = given.get("updated_at", stamp.at)
    errors = _missing(request)
    if updated_at < created_at:
        message = "must not be before createdAt"
        errors.append(FieldError(FieldErrorCode.OUT_OF_RANGE, "updatedAt", message))
    if errors:
        return Invalid(tuple(errors))
    if taken := _held(request, known, ConflictCode.IDENTIFIER_TAKEN):
        return Conflict(tuple(taken))
    external_id = given.get("external_id")
    if external_id is None and policy.generate_external_id:
        external_id = str(stamp.contact_id)
    blank = Contact.model_construct(
        id=stamp.contact_id,
        external_id=external_id,
        email=given["email"],
        email_key=email_key(given["email"]),
        tags=[],
        custom_fields={},
        meta={"created_via": "api_key", "api_key_id": str(stamp.api_key_id)},
        created_at=created_at,
        updated_at=updated_at,
    )
    applied = apply(given, blank, policy)
    contact = blank.model_copy(update=applied.values)
    return Created(contact.model_copy(update=derived(contact)), tuple(applied.warnings))


def _missing(request: Request) -> list[FieldError]:
    policy = request.policy
    required = dict.fromkeys(["email", *(field.value for field in policy.require_on_create)])
    if policy.generate_external_id:
        required.pop("external_id", None)
    message = "is required to create a contact"
    return [
        FieldError(FieldErrorCode.REQUIRED, API_NAMES[name], message)
        for name in required
        if not request.given.get(name)
    ]


def _update(
    request: Request, contact: Contact, matched_by: MatchedBy, known: WorkingSet, stamp: Stamp
) -> Outcome:
    if request.policy.on_match is OnMatch.CONFLICT:
        return Conflict(tuple(_held(request, known, ConflictCode.ALREADY_EXISTS)))
    applied = apply(request.given, contact, request.policy)
    reasons = [
        *stale(contact, request.if_version),
        *_email(request, contact, known, applied),
        *_external_id(request, contact, known, applied),
    ]
    if reasons:
        return Conflict(tuple(reasons))
    if applied.errors:
        return Invalid(tuple(applied.errors))
    changed = tuple(changes(contact, applied.values))
    after = contact
    if changed:
        moved = {"version": contact.version + 1, "updated_at": stamp.at}
        after = contact.model_copy(update=applied.values | moved)
        after = after.model_copy(update=derived(after))
    warnings = (*applied.warnings, *_timestamps_kept(request, after))
    return Updated(after, matched_by, changed, warnings)


def stale(contact: Contact, if_version: int | None) -> list[ConflictReason]:
    if if_version is None or if_version == contact.version:
        return []
    message = f"The contact is at version {contact.version}, not {if_version}."
    return [ConflictReason(ConflictCode.VERSION_MISMATCH, message, contact=contact)]


def _email(
    request: Request, contact: Contact, known: WorkingSet, applied: Applied
) -> list[ConflictReason]:
    email = request.given.get("email", contact.email)
    if email == contact.email:
        return []
    keeps = request.policy.email_on_match is EmailOnMatch.KEEP
    if keeps or _is_alias(request, ContactIdentifier.EMAIL, contact, known):
        message = f"The contact keeps its email {contact.email}."
        applied.warnings.append(Warned(WarningCode.EMAIL_KEPT, "email", message))
        return []
    applied.values |= {"email": email, "email_key": email_key(email)}
    return _taken(ContactIdentifier.EMAIL, email, contact, known)


def _external_id(
    request: Request, contact: Contact, known: WorkingSet, applied: Applied
) -> list[ConflictReason]:
    external_id = request.given.get("external_id", contact.external_id)
    if external_id == contact.external_id:
        return []
    if external_id is None and request.policy.generate_external_id:
        return []  # the repeat of a call that had one generated must not clear it
    keeps = request.policy.external_id_on_match is ExternalIdOnMatch.KEEP
    is_alias = _is_alias(request, ContactIdentifier.EXTERNAL_ID, contact, known)
    if contact.external_id is not None and (keeps or is_alias):
        message = f"The contact keeps its externalId {contact.external_id}."
        applied.warnings.append(Warned(WarningCode.EXTERNAL_ID_KEPT, "externalId", message))
        return []
    applied.values["external_id"] = external_id
    if external_id is None:
        return []
    reasons = _taken(ContactIdentifier.EXTERNAL_ID, external_id, contact, known)
    fills = request.policy.external_id_on_match is ExternalIdOnMatch.FILL
    if fills and contact.external_id is not None:
        message = f"The contact has externalId {contact.external_id}, not {external_id}."
        mismatch = ConflictReason(
            ConflictCode.EXTERNAL_ID_MISMATCH, message, ContactIdentifier.EXTERNAL_ID, contact
        )
        return [mismatch, *reasons]
    return reasons


def _is_alias(
    request: Request, identifier: ContactIdentifier, contact: Contact, known: WorkingSet
) -> bool:
    """Whether the given value leads to the contact already, beside its main one.

    The main one is kept, so that no partner has to learn of a merge. Only a call that names the
    contact outright makes the given one the main one.
    """
    key = dict(given_keys(request.given)).get(identifier)
    if key is None or request.by is not None or key in keys_of(contact):
        return False
    holder = known.get(key)
    return holder is not None and holder.id == contact.id


def _taken(
    identifier: ContactIdentifier, value: str, contact: Contact, known: WorkingSet
) -> list[ConflictReason]:
    holder = known.get(ContactKey.of(MatchedBy(identifier.value), value))
    if holder is None or holder.id == contact.id:
        return []
    message = f"Another contact has {API_NAMES[identifier.value]} {value}."
    return [ConflictReason(ConflictCode.IDENTIFIER_TAKEN, message, identifier, holder)]


def _timestamps_kept(request: Request, after: Contact) -> Iterator[Warned]:
    """Backfill is for creating alone."""
    for name, code in (
        ("created_at", WarningCode.CREATED_AT_KEPT),
        ("updated_at", WarningCode.UPDATED_AT_KEPT),
    ):
        if name in request.given and request.given[name] != getattr(after, name):
            message = f"{API_NAMES[name]} is taken only when a contact is created."
            yield Warned(code, API_NAMES[name], message)
