"""The only writer of contacts, and of their identifiers and terms.

Each step is one statement or none. All callers insert identifiers in the same order, so that
callers with the same identifiers wait for one another at the first of them; the second caller
fails on the primary key and tries again.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from app.contacts.change import Change
from app.contacts.decision.working_set import keys_of
from app.contacts.keys import MatchedBy
from app.contacts.store.columns import row
from app.contacts.store.terms import Term, terms
from app.database.sessions import WorkspaceSession
from app.tables import CONTACT, IDENTIFIER, TERM, Contact

Identifier = tuple[str, str, str, UUID]
Step = tuple[Contact | None, Contact | None]


async def save(session: WorkspaceSession, changes: Sequence[Change]) -> None:
    """Saves the last state of each contact. The rows of existing contacts must be locked."""
    steps = list(_steps(changes))
    old_keys, new_keys = _identifiers(steps, 0), _identifiers(steps, 1)
    old_terms, new_terms = _terms(steps, 0), _terms(steps, 1)
    await session.delete_rows(
        IDENTIFIER, [_identifier(one)[0] for one in sorted(old_keys - new_keys)]
    )
    await session.delete_rows(TERM, [_term(*one) for one in sorted(old_terms - new_terms)])
    deleted = [before for before, after in steps if before and not after]
    await session.delete_rows(CONTACT, [{"id": contact.id} for contact in deleted])
    await session.insert(
        IDENTIFIER,
        [key | contact for key, contact in map(_identifier, sorted(new_keys - old_keys))],
    )
    created = [after for before, after in steps if after and not before]
    await session.insert(CONTACT, [row(contact) for contact in created])
    await session.update(CONTACT, _updates(steps))
    await session.insert(TERM, [_term(*one) for one in sorted(new_terms - old_terms)])


def _steps(changes: Sequence[Change]) -> Iterator[Step]:
    """Each contact before its first change and after its last."""
    first: dict[UUID, Contact | None] = {}
    last: dict[UUID, Contact | None] = {}
    for change in changes:
        first.setdefault(change.contact_id, change.before)
        last[change.contact_id] = change.after
    return ((first[one], last[one]) for one in first if first[one] or last[one])


def _identifiers(steps: Sequence[Step], which: int) -> set[Identifier]:
    """Without a contact's own id, which the table `contact` has."""
    return {
        (key.kind.value, key.source, key.value, contact.id)
        for step in steps
        if (contact := step[which])
        for key in keys_of(contact)
        if key.kind is not MatchedBy.ID or key.value != str(contact.id)
    }


def _identifier(one: Identifier) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns of the primary key, and the others."""
    kind, source, value, contact_id = one
    return {"kind": kind, "source": source, "value": value}, {"contact_id": contact_id}


def _terms(steps: Sequence[Step], which: int) -> set[tuple[Term, UUID]]:
    return {
        (term, contact.id) for step in steps if (contact := step[which]) for term in terms(contact)
    }


def _term(term: Term, contact_id: UUID) -> dict[str, Any]:
    return {**term._asdict(), "contact_id": contact_id}


def _updates(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Only the columns that change on any of the contacts: SQLite writes each index of a column
    that is set, even to the same value."""
    pairs = [(row(before), row(after)) for before, after in steps if before and after]
    names = [
        name
        for name in (pairs[0][1] if pairs else ())
        if name == "id" or any(_differ(old[name], new[name]) for old, new in pairs)
    ]
    return [{name: new[name] for name in names} for _, new in pairs]


def _differ(old: Any, new: Any) -> bool:
    """Objects always differ, because Python considers True equal to 1."""
    return isinstance(new, dict) or bool(old != new)
