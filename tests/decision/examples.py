"""Three contacts, and calls upon them, in few words."""

from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from app.contacts.decision.decide import Request, Stamp, decide
from app.contacts.decision.outcome import Conflict, Created, Invalid, Outcome, Updated
from app.contacts.decision.policy import UpsertPolicy
from app.contacts.decision.working_set import WorkingSet
from app.contacts.keys import ContactKey
from app.fields.normalise import normalise
from app.fields.sources import DEFAULT_SOURCE
from app.tables import Contact

KEY_ID = UUID(int=7)
NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)
STAMP = Stamp(contact_id=UUID(int=99), at=NOW, api_key_id=KEY_ID)
STAMPS = {"created_via": "api_key", "api_key_id": str(KEY_ID)}

A = TypeVar("A", Created, Updated, Conflict, Invalid)


def contact(number: int, email: str, external_id: str | None = None, **values: Any) -> Contact:
    """A contact at version 3, created by another key a year ago."""
    defaults: dict[str, Any] = {
        "id": UUID(int=number),
        "email": email,
        "email_key": email.lower(),
        "external_ids": {DEFAULT_SOURCE: external_id} if external_id else {},
        "aliases": [],
        "assignments": [],
        "meta": {"created_via": "api_key", "api_key_id": str(UUID(int=8))},
        "created_at": datetime(2025, 1, 1, tzinfo=UTC),
        "updated_at": datetime(2025, 1, 2, tzinfo=UTC),
        "version": 3,
    }
    return Contact.model_construct(**defaults | values)


ADA = contact(1, "ada@example.com", "a", company="Analytical", tags=["vip"])
BOB = contact(2, "bob@example.com", "b")
EVE = contact(3, "eve@example.com")  # without an external id


def call(
    given: dict[str, Any],
    *contacts: Contact,
    by: ContactKey | None = None,
    if_version: int | None = None,
    **policy: Any,
) -> Outcome:
    """What a call comes to where those contacts, or all three, stand."""
    values, errors = normalise(given)
    request = Request(values, UpsertPolicy(**policy), if_version, by, tuple(errors))
    return decide(request, WorkingSet(contacts or (ADA, BOB, EVE)), STAMP)


def created(given: dict[str, Any], *contacts: Contact, **options: Any) -> Created:
    return _as(Created, call(given, *contacts, **options))


def updated(given: dict[str, Any], *contacts: Contact, **options: Any) -> Updated:
    return _as(Updated, call(given, *contacts, **options))


def reasons(
    given: dict[str, Any], *contacts: Contact, **options: Any
) -> list[tuple[str, str | None, Contact | None]]:
    """The code, identifier and contact of every reason of a Conflict."""
    conflict = _as(Conflict, call(given, *contacts, **options))
    return [
        (reason.code.name, reason.identifier and reason.identifier.name, reason.contact)
        for reason in conflict.reasons
    ]


def errors(given: dict[str, Any], *contacts: Contact, **options: Any) -> list[tuple[str, str]]:
    """The code and field of every broken rule."""
    invalid = _as(Invalid, call(given, *contacts, **options))
    return [(error.code.name, error.field) for error in invalid.errors]


def changed(outcome: Updated) -> dict[str, tuple[Any, Any]]:
    """Each changed path with what was and what is."""
    return {change.path: (change.before, change.after) for change in outcome.changes}


def warned(outcome: Created | Updated) -> list[tuple[str, str]]:
    return [(warning.code.name, warning.field) for warning in outcome.warnings]


def _as(kind: type[A], outcome: Outcome) -> A:
    assert isinstance(outcome, kind), outcome
    return outcome
