"""Random calls with few identifiers, so that many conflict."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from app.contacts.decision.decide import Request, Stamp, decide
from app.contacts.decision.outcome import Created, Outcome, Updated
from app.contacts.decision.policy import (
    DEFAULT_POLICY,
    EmailOnMatch,
    ExternalIdOnMatch,
    MatchFallback,
    ObjectMode,
    OnMatch,
    OnMiss,
    RequirableField,
    TagsMode,
    UpsertPolicy,
)
from app.contacts.decision.working_set import WorkingSet
from app.contacts.keys import ContactIdentifier
from app.fields.contact import API_NAMES
from app.fields.normalise import normalise
from app.tables import Contact


@dataclass(frozen=True)
class Call:
    given: dict[str, Any]
    policy: UpsertPolicy = DEFAULT_POLICY
    if_version: int | None = None

    def request(self) -> Request:
        given, errors = normalise(self.given)
        return Request(given, self.policy, self.if_version, errors=tuple(errors))

    def variables(self) -> dict[str, Any]:
        return {
            "input": {API_NAMES[name]: value for name, value in self.given.items()},
            "policy": {
                to_camel(member.name): _plain(getattr(self.policy, member.name))
                for member in fields(self.policy)
            },
            "ifVersion": self.if_version,
        }


KEY_ID = UUID(int=7)
START = datetime(2023, 1, 1, tzinfo=UTC)  # later than all backfilled times


def at(number: int) -> datetime:
    return START + timedelta(minutes=number)


class OpenWorkingSet(WorkingSet):
    """A working set with access to its contacts."""

    def contacts(self) -> dict[UUID, Contact]:
        return dict(self._contacts)


def decided(working_set: WorkingSet, call: Call, number: int) -> Outcome:
    """The outcome of the call with this number. Updates `working_set`."""
    outcome = decide(call.request(), working_set, Stamp(UUID(int=number), at(number), KEY_ID))
    if isinstance(outcome, Created | Updated):
        working_set.put(outcome.contact)
    return outcome


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.name if isinstance(value, Enum) else value


# Weighted so that most calls are valid and many of them conflict.
_LEFT_OUT = object()
_EMAILS = ["ada@example.com", "ADA@example.com ", "bob@example.com", "\u00a0eve@example.com"]
_EXTERNAL_IDS = ["a", " b", "A"]
_BACKFILLS: list[dict[str, Any]] = [
    {"created_at": "2020-01-01T00:00:00Z"},
    {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2021-01-01T00:00:00Z"},
    {"created_at": "2021-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"},
    {"updated_at": "2021-01-01T00:00:00Z"},
]


def _mostly(value: Any, *others: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([value] * 4 + list(others))


def _without_what_is_left_out(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not _LEFT_OUT}


_identifiers = st.fixed_dictionaries(
    {
        "email": st.sampled_from([*_EMAILS * 3, _LEFT_OUT, _LEFT_OUT, None, "nobody"]),
        "external_id": st.sampled_from([*_EXTERNAL_IDS * 2, _LEFT_OUT, _LEFT_OUT, None]),
    }
).map(_without_what_is_left_out)

_json_values = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 2, 0.0, 1.0, 0.5, "x", "y"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
)

_fields = st.fixed_dictionaries(
    {},
    optional={
        "company": st.sampled_from(["x", " y ", "", None]),
        "first_name": st.sampled_from(["x", "y", None]),
        "is_active": st.booleans(),
        "tags": st.none() | st.lists(st.sampled_from("xyz"), max_size=3),
        "custom_fields": st.none() | st.dictionaries(st.sampled_from("abc"), _json_values),
        "meta": st.none()
        | st.dictionaries(st.sampled_from(["a", "created_via", "api_key_id"]), _json_values),
    },
)

_policies = st.builds(
    UpsertPolicy,
    match_by=_mostly(
        DEFAULT_POLICY.match_by,
        (ContactIdentifier.EMAIL, ContactIdentifier.EXTERNAL_ID),
        (ContactIdentifier.EMAIL,),
        (ContactIdentifier.EXTERNAL_ID,),
        (),
    ),
    fallback=st.sampled_from(MatchFallback),
    on_match=_mostly(OnMatch.UPDATE, OnMatch.CONFLICT),
    on_miss=_mostly(OnMiss.CREATE, OnMiss.CONFLICT),
    email_on_match=st.sampled_from(EmailOnMatch),
    external_id_on_match=st.sampled_from(ExternalIdOnMatch),
    tags=st.sampled_from(TagsMode),
    custom_fields=st.sampled_from(ObjectMode),
    metadata=st.sampled_from(ObjectMode),
    require_on_create=_mostly((), (RequirableField.FIRST_NAME,)),
    generate_external_id=st.booleans(),
)

calls = st.builds(
    lambda identifiers, values, times, **options: Call(identifiers | values | times, **options),
    _identifiers,
    _fields,
    _mostly({}, *_BACKFILLS),
    policy=_mostly(DEFAULT_POLICY) | _policies,
    if_version=_mostly(None, None, 1, 2),
)
