"""What a call changes in each of many contacts, and the decision for one of them: pure code."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from app.contacts import assignments, unsubscribe
from app.contacts.assignee import Assignee
from app.contacts.decision.decide import Request, Stamp, decide
from app.contacts.decision.outcome import FieldChange, FieldWarning, Invalid, Outcome, Updated
from app.contacts.decision.working_set import WorkingSet
from app.contacts.keys import ContactKey, MatchedBy
from app.errors import FieldError
from app.tables import Contact


@dataclass(frozen=True, slots=True)
class Edit:
    """`request` has the fields, which are no identifiers, and their modes."""

    request: Request
    assign_to: Assignee | None = None
    unassign_from: Assignee | None = None
    unsubscribe: bool = False


def decide_edit(contact: Contact, matched_by: MatchedBy, edit: Edit, stamp: Stamp) -> Outcome:
    """All parts of the edit as one change, which increases the version by one; or none of them,
    and every broken rule."""
    after = contact
    changes: tuple[FieldChange, ...] = ()
    warnings: tuple[FieldWarning, ...] = ()
    errors: tuple[FieldError, ...] = ()
    for part in _parts(edit, matched_by, stamp):
        outcome = part(after)
        if isinstance(outcome, Invalid):
            errors += outcome.errors
        elif isinstance(outcome, Updated):
            after = outcome.contact
            changes += outcome.changes
            warnings += outcome.warnings
    if errors:
        return Invalid(errors)
    if changes:
        after = after.with_values({"version": contact.version + 1})
    return Updated(after, matched_by, changes, warnings)


def _parts(
    edit: Edit, matched_by: MatchedBy, stamp: Stamp
) -> Iterator[Callable[[Contact], Outcome]]:
    def fields(contact: Contact) -> Outcome:
        by = ContactKey.of_id(contact.id)
        return decide(edit.request._replace(by=by), WorkingSet([contact]), stamp)

    yield fields
    # Unassigning makes room for the assignment, so it comes first.
    for path, target, assigned in (
        ("unassignFrom", edit.unassign_from, False),
        ("assignTo", edit.assign_to, True),
    ):
        if target is not None:
            yield partial(
                assignments.decide,
                matched_by=matched_by,
                to=target,
                at=stamp.at,
                path=path,
                assigned=assigned,
            )
    if edit.unsubscribe:
        yield partial(unsubscribe.decide, matched_by=matched_by, at=stamp.at, unsubscribed=True)
