"""The decision of an upsert: pure code, the same for a single call and a row of a bulk."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from app.contacts.decision.apply import Applied, apply, changed, changes
from app.contacts.decision.outcome import (
    NOT_FOUND,
    Conflict,
    ConflictCode,
    ConflictReason,
    Created,
    FieldWarning,
    Invalid,
    Outcome,
    Updated,
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
from app.contacts.decision.working_set import WorkingSet, aliases
from app.contacts.keys import (
    ContactIdentifier,
    ContactKey,
    MatchedBy,
    given_keys,
)
from app.errors import FieldError, FieldErrorCode
from app.fields.contact import API_NAMES
from app.fields.sources import DEFAULT_SOURCE
from app.tables import Contact

# How far ahead of the server's clock a client's clock may be.
CLOCK_SKEW = timedelta(minutes=5)
_TOO_FAR_AHEAD = f"must be at most {CLOCK_SKEW.seconds // 60} minutes ahead of the server's clock"

_EXTERNAL_ID_KEPT = FieldWarning(
    WarningCode.EXTERNAL_ID_KEPT, "externalId", "The contact keeps its externalId."
)

Keys = Mapping[ContactIdentifier, ContactKey]

# A new contact, before what was given is applied.
_NEW: dict[str, Any] = {name: rule.default for name, rule in Contact.model_fields.items()}


class Request(NamedTuple):
    """One call, or one row of a bulk.

    `given` has the normalised fields that were sent: an absent field is left unchanged, None
    clears it. `removed_tags` are removed before the given tags are applied. `by` names the contact,
    in place of the policy's `match_by`. `errors` are the rules that the other fields broke.
    """

    given: Mapping[str, Any]
    policy: UpsertPolicy = DEFAULT_POLICY
    if_version: int | None = None
    by: ContactKey | None = None
    errors: tuple[FieldError, ...] = ()
    removed_tags: frozenset[str] = frozenset()


class Stamp(NamedTuple):
    """The id and time of a decision, and the key and source of its caller: inputs of pure code."""

    contact_id: UUID
    at: datetime
    api_key_id: UUID
    source: str = DEFAULT_SOURCE


def decide(request: Request, working_set: WorkingSet, stamp: Stamp) -> Outcome:
    keys = given_keys(request.given, stamp.source)
    errors = [
        *request.errors,
        *_identifier_errors(request, keys),
        *_clock_errors(request.given, stamp.at),
    ]
    if errors:
        return Invalid(tuple(errors))
    match = _match(request, keys, working_set)
    if match is None:
        return _create(request, keys, working_set, stamp)
    contact, matched_by = match
    return _update(request, keys, contact, matched_by, working_set, stamp)


def _identifier_errors(request: Request, keys: Keys) -> list[FieldError]:
    if request.by is not None or any(one in keys for one in request.policy.match_by):
        return []
    names = [identifier.value for identifier in request.policy.match_by]
    broken = {error.field for error in request.errors}
    if any(API_NAMES[name] in broken for name in names):
        return []
    return [
        FieldError(FieldErrorCode.REQUIRED, API_NAMES[name], _required_unless(names, name))
        for name in names
    ]


def _required_unless(names: list[str], name: str) -> str:
    others = " or ".join(API_NAMES[other] for other in names if other != name)
    return f"is required unless {others} is given" if others else "is required"


def _clock_errors(given: Mapping[str, Any], at: datetime) -> list[FieldError]:
    return [
        FieldError(FieldErrorCode.OUT_OF_RANGE, API_NAMES[name], _TOO_FAR_AHEAD)
        for name in ("created_at", "updated_at")
        if name in given and given[name] > at + CLOCK_SKEW
    ]


def _match(
    request: Request, keys: Keys, working_set: WorkingSet
) -> tuple[Contact, MatchedBy] | None:
    if request.by is not None:
        contact = working_set.get(request.by)
        return (contact, request.by.kind) if contact else None
    for identifier in request.policy.match_by:
        key = keys.get(identifier)
        if key is None:
            continue
        contact = working_set.get(key)
        if contact is not None:
            return contact, key.kind
        if request.policy.fallback is MatchFallback.ABSENT:
            return None
    return None


def _holders(
    request: Request, keys: Keys, working_set: WorkingSet, code: ConflictCode
) -> list[ConflictReason]:
    """A reason for each given identifier that a contact has."""
    reasons = []
    for identifier, key in keys.items():
        holder = working_set.get(key)
        if holder is not None:
            value = request.given[identifier.value]
            message = f"A contact with {API_NAMES[identifier.value]} {value} already exists."
            reasons.append(ConflictReason(code, message, identifier, holder))
    return reasons


def _create(request: Request, keys: Keys, working_set: WorkingSet, stamp: Stamp) -> Outcome:
    policy = request.policy
    if request.by or request.if_version is not None or policy.on_miss is OnMiss.CONFLICT:
        return NOT_FOUND
    given = request.given
    created_at = min(given.get("created_at", stamp.at), stamp.at)
    updated_at = min(given.get("updated_at", stamp.at), stamp.at)
    errors = _required_errors(request)
    if updated_at < created_at:
        message = "must not be before createdAt"
        errors.append(FieldError(FieldErrorCode.OUT_OF_RANGE, "updatedAt", message))
    if errors:
        return Invalid(tuple(errors))
    if taken := _holders(request, keys, working_set, ConflictCode.IDENTIFIER_TAKEN):
        return Conflict(tuple(taken))
    external_id = given.get("external_id")
    if external_id is None and policy.generate_external_id:
        external_id = str(stamp.contact_id)
    blank = Contact.of(
        _NEW
        | {
            "id": stamp.contact_id,
            "external_ids": {} if external_id is None else {stamp.source: external_id},
            "aliases": [],
            "assignments": [],
            "email": given["email"],
            "email_key": keys[ContactIdentifier.EMAIL].value,
            "tags": [],
            "custom_fields": {},
            "meta": {"created_via": "api_key", "api_key_id": str(stamp.api_key_id)},
            "created_at": created_at,
            "updated_at": updated_at,
        }
    )
    applied = apply(given, blank, policy)
    return Created(changed(blank, applied.values), tuple(applied.warnings))


def _required_errors(request: Request) -> list[FieldError]:
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
    request: Request,
    keys: Keys,
    contact: Contact,
    matched_by: MatchedBy,
    working_set: WorkingSet,
    stamp: Stamp,
) -> Outcome:
    if request.policy.on_match is OnMatch.CONFLICT:
        return Conflict(tuple(_holders(request, keys, working_set, ConflictCode.ALREADY_EXISTS)))
    applied = apply(request.given, contact, request.policy, request.removed_tags)
    reasons = [
        *version_conflicts(contact, request.if_version),
        *_email(request, keys, contact, working_set, applied),
        *_external_id(request, keys, contact, working_set, applied, stamp.source),
    ]
    if reasons:
        return Conflict(tuple(reasons))
    if applied.errors:
        return Invalid(tuple(applied.errors))
    differences = tuple(changes(contact, applied.values, stamp.source))
    after = contact
    if differences:
        moved = {"version": contact.version + 1, "updated_at": stamp.at}
        after = changed(contact, applied.values | moved)
    warnings = (*applied.warnings, *_timestamps_kept(request, after))
    return Updated(after, matched_by, differences, warnings)


def version_conflicts(contact: Contact, if_version: int | None) -> list[ConflictReason]:
    if if_version is None or if_version == contact.version:
        return []
    message = f"The contact is not at version {if_version}."
    return [ConflictReason(ConflictCode.VERSION_MISMATCH, message, contact=contact)]


def _email(
    request: Request, keys: Keys, contact: Contact, working_set: WorkingSet, applied: Applied
) -> list[ConflictReason]:
    """Another spelling of the contact's email is the same email."""
    key = keys.get(ContactIdentifier.EMAIL)
    if key is None or key.value == contact.email_key:
        return []
    email = request.given["email"]
    keeps = request.policy.email_on_match is EmailOnMatch.KEEP
    if keeps or _is_alias(key, contact, request):
        message = "The contact keeps its email."
        applied.warnings.append(FieldWarning(WarningCode.EMAIL_KEPT, "email", message))
        return []
    applied.values |= {"email": email, "email_key": key.value}
    return _taken(ContactIdentifier.EMAIL, key, email, contact, working_set)


def _external_id(
    request: Request,
    keys: Keys,
    contact: Contact,
    working_set: WorkingSet,
    applied: Applied,
    source: str,
) -> list[ConflictReason]:
    held = contact.external_ids.get(source)
    external_id = request.given.get("external_id", held)
    if external_id == held:
        return []
    if external_id is None and request.policy.generate_external_id:
        return []  # repeating a call that generated one must not clear it
    replaces = request.policy.external_id_on_match is ExternalIdOnMatch.REPLACE
    if external_id is None:
        if replaces:
            others = {name: value for name, value in contact.external_ids.items() if name != source}
            applied.values["external_ids"] = others
        else:
            applied.warnings.append(_EXTERNAL_ID_KEPT)
        return []
    key = keys[ContactIdentifier.EXTERNAL_ID]
    keeps = request.policy.external_id_on_match is ExternalIdOnMatch.KEEP
    if held is not None and (keeps or _is_alias(key, contact, request)):
        applied.warnings.append(_EXTERNAL_ID_KEPT)
        return []
    applied.values["external_ids"] = contact.external_ids | {source: external_id}
    reasons = _taken(ContactIdentifier.EXTERNAL_ID, key, external_id, contact, working_set)
    if held is not None and not replaces:
        message = f"The contact has another externalId than {external_id}."
        mismatch = ConflictReason(
            ConflictCode.EXTERNAL_ID_MISMATCH, message, ContactIdentifier.EXTERNAL_ID, contact
        )
        return [mismatch, *reasons]
    return reasons


def _is_alias(key: ContactKey, contact: Contact, request: Request) -> bool:
    """Whether the key is an alias of the contact, which then keeps its own identifier.

    So partners need not know of a merge. Only a call with `by` replaces the own identifier by the
    given one.
    """
    return request.by is None and key in aliases(contact)


def _taken(
    identifier: ContactIdentifier,
    key: ContactKey,
    value: str,
    contact: Contact,
    working_set: WorkingSet,
) -> list[ConflictReason]:
    holder = working_set.get(key)
    if holder is None or holder.id == contact.id:
        return []
    message = f"Another contact has {API_NAMES[identifier.value]} {value}."
    return [ConflictReason(ConflictCode.IDENTIFIER_TAKEN, message, identifier, holder)]


def _timestamps_kept(request: Request, after: Contact) -> Iterator[FieldWarning]:
    """Timestamps are applied only when a contact is created."""
    for name, code in (
        ("created_at", WarningCode.CREATED_AT_KEPT),
        ("updated_at", WarningCode.UPDATED_AT_KEPT),
    ):
        if name in request.given and request.given[name] != getattr(after, name):
            message = f"{API_NAMES[name]} is applied only when a contact is created."
            yield FieldWarning(code, API_NAMES[name], message)
