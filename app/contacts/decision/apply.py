"""Applies given fields to a contact: modes, JSON Merge Patch, derived fields, changes."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.contacts.decision.outcome import FieldChange, FieldWarning, WarningCode
from app.contacts.decision.policy import ObjectMode, TagsMode, UpsertPolicy
from app.contacts.decision.working_set import own_keys
from app.errors import FieldError, FieldErrorCode
from app.fields.contact import API_NAMES, FIELDS, STAMPS, cleared
from app.fields.rules import TAGS_LIMIT, object_faults
from app.phones import e164
from app.tables import Contact

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SEPARATE_RULES = {"email", "external_id", "created_at", "updated_at"}
_MERGED = {"tags", "custom_fields", "meta"}
_REPLACED = frozenset(FIELDS) - _SEPARATE_RULES - _MERGED
_POSITIONS = {name: position for position, name in enumerate(FIELDS)}


@dataclass(slots=True)
class Applied:
    """New values by field name, warnings, and the limits that only the merged values exceed."""

    values: dict[str, Any] = field(default_factory=dict)
    warnings: list[FieldWarning] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)


def apply(
    given: Mapping[str, Any],
    contact: Contact,
    policy: UpsertPolicy,
    removed_tags: frozenset[str] = frozenset(),
) -> Applied:
    """All given fields except identifiers and timestamps, which have separate rules."""
    values = {
        name: cleared(name) if value is None else value
        for name, value in given.items()
        if name in _REPLACED
    }
    applied = Applied(values)
    kept = contact.tags
    if removed_tags:
        values["tags"] = kept = [tag for tag in kept if tag not in removed_tags]
    if "tags" in given:
        values["tags"] = _tags(kept, given["tags"], policy.tags, applied)
    if "custom_fields" in given:
        name, stored = "custom_fields", contact.custom_fields
        values[name] = _within_limits(
            name, stored, _merged(stored, given[name], policy.custom_fields), applied
        )
    if "meta" in given:
        values["meta"] = _metadata(contact.meta, given["meta"], policy.metadata, applied)
    return applied


def changed(contact: Contact, values: Mapping[str, Any]) -> Contact:
    """The contact with the values, and with the fields that are computed from others.

    A contact's own identifiers are not aliases.
    """
    phone = values.get("phone", contact.phone)
    country = values.get("country", contact.country)
    if phone != contact.phone or country != contact.country:
        values = {**values, "phone_e164": e164(phone, country)}
    after = contact.with_values(values)
    if after.aliases:
        own = {(key.kind.value, key.source, key.value) for key in own_keys(after)}
        aliases = [alias for alias in after.aliases if tuple(alias) not in own]
        after = after.with_values({"aliases": aliases})
    return after


def changes(before: Contact, values: Mapping[str, Any], source: str) -> Iterator[FieldChange]:
    """The changes by `values`. The external id of `source` has the path `externalId`."""
    if "external_ids" in values:
        yield from _external_id_changes(before.external_ids, values["external_ids"], source)
    held = vars(before)
    others = [
        name
        for name, new in values.items()
        if name in _POSITIONS and (type(new) is dict or new != held[name])
    ]
    for name in sorted(others, key=_POSITIONS.__getitem__):
        old, new = held[name], values[name]
        if name in ("custom_fields", "meta"):
            yield from _member_changes(API_NAMES[name], old, new)
        else:
            yield FieldChange(API_NAMES[name], old, new)


def _member_changes(
    field: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[FieldChange]:
    for key in sorted(before.keys() | after.keys()):  # the databases do not keep the given order
        if key not in before or key not in after or not same_json(before[key], after[key]):
            yield FieldChange(member_path(field, key), before.get(key), after.get(key))


def _external_id_changes(
    before: Mapping[str, str], after: Mapping[str, str], source: str
) -> Iterator[FieldChange]:
    for name in sorted(before.keys() | after.keys(), key=lambda name: (name != source, name)):
        if before.get(name) != after.get(name):
            path = API_NAMES["external_id"] if name == source else f"externalIds.{name}"
            yield FieldChange(path, before.get(name), after.get(name))


def member_path(field: str, *keys: str) -> str:
    """`customFields.plan`; a key with other characters is in brackets: `customFields["a.b"]`."""
    members = (
        f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{json.dumps(key, ensure_ascii=False)}]"
        for key in keys
    )
    return field + "".join(members)


def same_json(left: Any, right: Any) -> bool:
    """JSON equality: numbers are compared by value, and true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge_patch(merged.get(key), value)
        else:
            merged[key] = value
    return merged


def _merged(
    stored: dict[str, Any], given: dict[str, Any] | None, mode: ObjectMode
) -> dict[str, Any]:
    if given is None:
        return {}
    match mode:
        case ObjectMode.MERGE:
            merged = merge_patch(stored, given)
            assert isinstance(merged, dict)  # noqa: S101  # an object patched by an object is an object
            return merged
        case ObjectMode.REPLACE_KEYS:
            kept = {key: value for key, value in stored.items() if key not in given}
            return kept | {key: value for key, value in given.items() if value is not None}
        case ObjectMode.REPLACE:
            return given


def _metadata(
    stored: dict[str, Any], given: dict[str, Any] | None, mode: ObjectMode, applied: Applied
) -> dict[str, Any]:
    """As `_merged`, but a caller cannot change the server's stamps."""
    own = {key: value for key, value in (given or {}).items() if key not in STAMPS}
    for key in STAMPS:
        if given and key in given and not (key in stored and same_json(given[key], stored[key])):
            message = f"{key} is set by the server only."
            applied.warnings.append(
                FieldWarning(WarningCode.RESERVED_METADATA, f"metadata.{key}", message)
            )
    unstamped = {key: value for key, value in stored.items() if key not in STAMPS}
    stamps = {key: stored[key] for key in STAMPS if key in stored}
    merged = _merged(unstamped, None if given is None else own, mode)
    return _within_limits("meta", unstamped, merged, applied) | stamps


def _within_limits(
    name: str, stored: dict[str, Any], merged: dict[str, Any], applied: Applied
) -> dict[str, Any]:
    """What was given is within the limits, so that it has to be merged with something."""
    if stored:
        applied.errors.extend(object_errors(name, merged))
    return merged


def object_errors(name: str, value: dict[str, Any]) -> Iterator[FieldError]:
    """The broken limits of a value of custom fields or metadata."""
    for fault in object_faults(value):
        context = fault.context or {}
        path = API_NAMES[name] + context["path"]
        yield FieldError(FieldErrorCode[fault.type], path, context["message"])


def _tags(
    stored: list[str], given: list[str] | None, mode: TagsMode, applied: Applied
) -> list[str]:
    if given is None:
        return []
    match mode:
        case TagsMode.REPLACE:
            return stored if set(stored) == set(given) else given
        case TagsMode.REMOVE:
            return [tag for tag in stored if tag not in given]
        case TagsMode.ADD:
            tags = list(dict.fromkeys([*stored, *given]))
            if len(tags) > TAGS_LIMIT:
                message = f"must have at most {TAGS_LIMIT} tags"
                applied.errors.append(FieldError(FieldErrorCode.TOO_MANY, "tags", message))
            return tags
