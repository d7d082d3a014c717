"""What given fields make of a contact: modes, JSON Merge Patch, derived fields, the changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.contacts.decision.outcome import FieldChange, Warned, WarningCode
from app.contacts.decision.policy import ObjectMode, TagsMode, UpsertPolicy
from app.errors import FieldError, FieldErrorCode
from app.fields.contact import API_NAMES, FIELDS, STAMPS, TAGS_LIMIT, cleared, object_faults
from app.phones import e164
from app.tables import Contact

_SET_APART = {"email", "external_id", "created_at", "updated_at"}


@dataclass(slots=True)
class Applied:
    """New values by field name; what was left, and what broke a limit only once it was merged."""

    values: dict[str, Any] = field(default_factory=dict)
    warnings: list[Warned] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)


def apply(given: Mapping[str, Any], contact: Contact, policy: UpsertPolicy) -> Applied:
    """All given fields but the identifiers and the timestamps, which have rules of their own."""
    applied = Applied()
    for name, value in given.items():
        if name in _SET_APART:
            continue
        match name:
            case "tags":
                applied.values[name] = _tags(contact.tags, value, policy.tags, applied)
            case "custom_fields":
                merged = _merged(contact.custom_fields, value, policy.custom_fields)
                applied.values[name] = _within_limits(name, merged, applied)
            case "meta":
                applied.values[name] = _metadata(contact.meta, value, policy.metadata, applied)
            case _:
                applied.values[name] = cleared(name) if value is None else value
    return applied


def derived(contact: Contact) -> dict[str, Any]:
    """The fields that follow from others."""
    return {"phone_e164": e164(contact.phone, contact.country)}


def changes(before: Contact, values: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in FIELDS:
        if name not in values:
            continue
        old, new = getattr(before, name), values[name]
        if name in ("custom_fields", "meta"):
            for key in sorted(old.keys() | new.keys()):  # no database keeps the order given
                if key not in old or key not in new or not same_json(old[key], new[key]):
                    yield FieldChange(f"{API_NAMES[name]}.{key}", old.get(key), new.get(key))
        elif old != new:
            yield FieldChange(API_NAMES[name], old, new)


def same_json(left: Any, right: Any) -> bool:
    """JSON equality: numbers by value, and true is not 1."""
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
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _merged(
    stored: dict[str, Any], given: dict[str, Any] | None, mode: ObjectMode
) -> dict[str, Any]:
    if given is None:
        return {}
    result = merge_patch(stored, given) if mode is ObjectMode.MERGE else given
    assert isinstance(result, dict)  # noqa: S101  # a patch that is an object makes an object
    return result


def _metadata(
    stored: dict[str, Any], given: dict[str, Any] | None, mode: ObjectMode, applied: Applied
) -> dict[str, Any]:
    """As `_merged`, with the server's stamps out of the caller's reach."""
    own = {key: value for key, value in (given or {}).items() if key not in STAMPS}
    for key in STAMPS:
        if given and key in given and not (key in stored and same_json(given[key], stored[key])):
            message = f"{key} is stamped by the server and was left as it is."
            applied.warnings.append(
                Warned(WarningCode.RESERVED_METADATA, f"metadata.{key}", message)
            )
    unstamped = {key: value for key, value in stored.items() if key not in STAMPS}
    stamps = {key: stored[key] for key in STAMPS if key in stored}
    merged = _merged(unstamped, None if given is None else own, mode)
    return _within_limits("meta", merged, applied) | stamps


def _within_limits(name: str, value: dict[str, Any], applied: Applied) -> dict[str, Any]:
    for fault in object_faults(value):
        context = fault.context or {}
        path = API_NAMES[name] + context["path"]
        applied.errors.append(FieldError(FieldErrorCode[fault.type], path, context["message"]))
    return value


def _tags(
    stored: list[str], given: list[str] | None, mode: TagsMode, applied: Applied
) -> list[str]:
    if given is None:
        return []
    match mode:
        case TagsMode.REPLACE:
            return given
        case TagsMode.REMOVE:
            return [tag for tag in stored if tag not in given]
        case TagsMode.ADD:
            tags = list(dict.fromkeys([*stored, *given]))
            if len(tags) > TAGS_LIMIT:
                message = f"must have at most {TAGS_LIMIT} tags, would have {len(tags)}"
                applied.errors.append(FieldError(FieldErrorCode.TOO_MANY, "tags", message))
            return tags
