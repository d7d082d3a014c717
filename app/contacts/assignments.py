"""The assignments of a contact. Only this module and merging change them, never an upsert."""

from datetime import datetime

from app.contacts.assignee import Assignee
from app.contacts.change import Cause
from app.contacts.change_one import change_one
from app.contacts.decision.apply import member_path
from app.contacts.decision.outcome import FieldChange, Invalid, Outcome, Updated
from app.contacts.keys import ContactKey, MatchedBy
from app.contacts.limits import ASSIGNMENTS_LIMIT
from app.database.sessions import Database
from app.errors import FieldError, FieldErrorCode
from app.tables import Contact, now
from app.timestamps import rfc3339
from app.workspaces.keys import Caller


async def set_assignment(
    database: Database, caller: Caller, key: ContactKey, to: Assignee, *, assigned: bool
) -> Outcome:
    def change(contact: Contact) -> Outcome:
        return decide(contact, key.kind, to, now(), "to", assigned=assigned)

    return await change_one(database, caller, key, Cause.ASSIGNMENT, change)


def decide(
    contact: Contact,
    matched_by: MatchedBy,
    to: Assignee,
    at: datetime,
    path: str,
    *,
    assigned: bool,
) -> Outcome:
    """Changes nothing if the contact is already assigned, or not assigned, to the target. `path`
    is that of the target in errors."""
    others = [one for one in contact.assignments if assignee_of(one) != to]
    if (len(others) < len(contact.assignments)) == assigned:
        return Updated(contact, matched_by)
    if assigned and len(others) >= ASSIGNMENTS_LIMIT:
        message = f"must be one of at most {ASSIGNMENTS_LIMIT} assignments of the contact"
        return Invalid((FieldError(FieldErrorCode.TOO_MANY, path, message),))
    new = {"kind": to.kind, "target_id": to.target_id, "assigned_at": rfc3339(at)}
    after = contact.with_values(
        {
            "assignments": [*others, new] if assigned else others,
            "version": contact.version + 1,
            "updated_at": at,
        }
    )
    return Updated(after, matched_by, (assignment_change(to, assigned=assigned),))


def assignee_of(assignment: dict[str, str]) -> Assignee:
    return Assignee(assignment["kind"], assignment["target_id"])


def assignment_change(to: Assignee, *, assigned: bool) -> FieldChange:
    value = {"kind": to.kind, "targetId": to.target_id}
    before, after = (None, value) if assigned else (value, None)
    return FieldChange(member_path("assignments", to.kind, to.target_id), before, after)
