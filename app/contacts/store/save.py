"""The only writer of contacts, and of their identifiers and terms.

What is removed is written first, because an identifier may move from one contact to another. All
callers insert identifiers in the same order, so that callers with the same identifiers wait for one
another at the first of them; the second caller fails on the primary key and tries again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import starmap
from typing import Any, TypeVar
from uuid import UUID

from app.contacts.change import Change
from app.contacts.decision.working_set import have_same_keys
from app.contacts.keys import MatchedBy
from app.contacts.limits import INDEXED_VALUES_LIMIT
from app.contacts.store.columns import changes_of_rows, row
from app.contacts.store.terms import Term, terms
from app.database.sessions import WorkspaceSession
from app.database.writes import delete, insert, update
from app.errors import LimitExceeded
from app.tables import CONTACT, IDENTIFIER, TERM, Contact
from app.turns import TRANSACTION_TURN_SECONDS, in_turns

Identifier = tuple[str, str, str]
_EXTERNAL_ID, _EMAIL = MatchedBy.EXTERNAL_ID.value, MatchedBy.EMAIL.value
Step = tuple[Contact | None, Contact | None]
T = TypeVar("T", bound=tuple[Any, ...])

_RULE = (
    "The tags, assignments and custom fields that one mutation writes or removes must be at most "
    f"{INDEXED_VALUES_LIMIT:,} in all: send fewer rows"
)


async def save(session: WorkspaceSession, changes: Sequence[Change]) -> None:
    """Saves the last state of each contact. The rows of existing contacts must be locked. Raises
    LimitExceeded for too many tags, assignments and custom values."""
    steps = list(_steps(changes))
    old_keys, new_keys = await _differences(steps, _identifiers)
    old_terms, new_terms = await _term_differences(steps)
    deleted = ({"id": before.id} for before, after in steps if before and not after)
    created = (after for before, after in steps if after and not before)
    updated = [(before, after) for before, after in steps if before and after]
    # SQLite writes each index of a column that is set, even to the same value.
    changed = (row for row in changes_of_rows(updated) if row.keys() != {"id"})
    await session.write(
        delete(IDENTIFIER, starmap(_identifier, sorted(old_keys))),
        delete(TERM, starmap(_term, old_terms)),
        delete(CONTACT, deleted),
    )
    await session.write(
        insert(IDENTIFIER, starmap(_identifier, sorted(new_keys))),
        insert(CONTACT, map(row, created)),
        update(CONTACT, changed),
        insert(TERM, starmap(_term, new_terms)),
    )


async def check_changes(changes: Sequence[Change]) -> None:
    """Raises what `save` would raise for the size of the changes."""
    await _term_differences(list(_steps(changes)))


async def _term_differences(
    steps: Iterable[Step],
) -> tuple[list[tuple[Term, UUID]], list[tuple[Term, UUID]]]:
    old, new = await _differences(steps, terms)
    if len(old) + len(new) > INDEXED_VALUES_LIMIT:
        raise LimitExceeded(_RULE, "INDEXED_VALUES", INDEXED_VALUES_LIMIT)
    return old, new


def _steps(changes: Sequence[Change]) -> Iterator[Step]:
    """Each contact before its first change and after its last."""
    first: dict[UUID, Contact | None] = {}
    last: dict[UUID, Contact | None] = {}
    for change in changes:
        first.setdefault(change.contact_id, change.before)
        last[change.contact_id] = change.after
    return ((first[one], last[one]) for one in first if first[one] or last[one])


async def _differences(
    steps: Iterable[Step], values: Callable[[Contact, Contact | None], set[T]]
) -> tuple[list[tuple[T, UUID]], list[tuple[T, UUID]]]:
    """What each contact loses and gains.

    `values` may leave out what the other state of the contact has too.
    """
    lost: list[tuple[T, UUID]] = []
    gained: list[tuple[T, UUID]] = []
    async for before, after in in_turns(steps, TRANSACTION_TURN_SECONDS):
        old = values(before, after) if before else set()
        new = values(after, before) if after else set()
        if before and old:
            lost += [(value, before.id) for value in old - new]
        if after and new:
            gained += [(value, after.id) for value in new - old]
    return lost, gained


def _identifiers(contact: Contact, other: Contact | None) -> set[Identifier]:
    """Without a contact's own id, which the table `contact` has."""
    if other is not None and have_same_keys(contact, other):
        return set()
    own = {(_EXTERNAL_ID, source, value) for source, value in contact.external_ids.items()}
    own.add((_EMAIL, "", contact.email_key))
    own.update((kind, source, value) for kind, source, value in contact.aliases)
    return own


def _identifier(key: Identifier, contact_id: UUID) -> dict[str, Any]:
    kind, source, value = key
    return {"kind": kind, "source": source, "value": value, "contact_id": contact_id}


def _term(term: Term, contact_id: UUID) -> dict[str, Any]:
    kind, key, text, number = term
    return {"kind": kind, "key": key, "text": text, "number": number, "contact_id": contact_id}
