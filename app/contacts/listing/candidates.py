"""Candidates: few contacts, found by an index, that include all that meet a condition."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import FromClause, GenerativeSelect, func, select, text, union_all
from sqlmodel import col

from app.contacts.keys import MatchedBy
from app.contacts.limits import SEARCH_LENGTH
from app.contacts.listing.conditions import (
    BOUNDS,
    RANGES,
    AnyOf,
    AssignedTo,
    Comparison,
    Condition,
    CustomComparison,
    Found,
    Operator,
    Tagged,
    conjuncts,
)
from app.contacts.listing.predicates import COMPARE, of_each
from app.contacts.store.terms import TERM_LENGTH, Term, TermKind, custom_term
from app.database.dialect import Dialect
from app.database.sessions import WorkspaceSession
from app.tables import ContactTable, IdentifierTable, TermTable
from app.text import fold

# The most candidates that are read for one page.
CANDIDATES = 1_000

# Selects ids of contacts: maybe an id twice, and NULL for what is no candidate.
Ids = GenerativeSelect

_SEARCHED = {"external_id", "email", "name", "first_name", "last_name", "company", "phone"}
_KEYS = {Operator.EQ, Operator.IN, Operator.STARTS_WITH}
# The fields that have an index, and the operators that it serves.
_INDEXED = {
    "id": {Operator.EQ, Operator.IN},
    **dict.fromkeys(("external_id", "email", "name", "company", "country"), _KEYS),
    **dict.fromkeys(("created_at", "updated_at", "lifetime_value", "last_order_at"), RANGES),
}
# The conditions of the partial indexes.
_FLAGS: dict[tuple[str, Any], Any] = {
    ("is_active", False): text("NOT contact.is_active"),
    ("is_unsubscribed", True): text("contact.is_unsubscribed"),
}
# Terms have the nearest double of a number.
_INCLUSIVE = {Operator.GT: Operator.GTE, Operator.LT: Operator.LTE}


class Candidates(NamedTuple):
    """Their ids, each once, and how many there are at most. NULL may be among them."""

    ids: FromClause
    most: int


class Entries(NamedTuple):
    """Entries of an index: the columns of `part` have these values, and the next one, `column`,
    compares with `value`."""

    table: Any
    column: str
    operator: Operator
    value: Any
    part: tuple[tuple[str, Any], ...] = ()


async def candidates(session: WorkspaceSession, condition: Condition) -> Candidates | None:
    """None if there may be more than CANDIDATES."""
    sources = list(_sources(session.dialect, condition))
    if not sources:
        return None
    counts = [select(func.count()).select_from(_limited(one)).scalar_subquery() for one in sources]
    counted: Any = select(*counts)
    found = (await session.exec(counted)).one()
    count, ids = min(zip(found, sources, strict=True), key=lambda pair: pair[0])
    if count > CANDIDATES:
        return None
    return Candidates(select(*_limited(ids).c).distinct().subquery("wanted"), count)


def _limited(ids: Ids) -> FromClause:
    return ids.limit(CANDIDATES + 1).subquery()


def _sources(dialect: Dialect, whole: Condition) -> Iterator[Ids]:
    """Each selects candidates by one index. The bounds of one value are one range, because few may
    lie between two that many meet each. Ranges come last, as they are likely to lead to more."""
    ranges: dict[object, list[Entries]] = {}
    for condition in conjuncts(whole):
        entries = _entries(condition)
        if entries is None:
            yield from _other_sources(dialect, condition)
        elif entries.operator in BOUNDS:
            ranges.setdefault((entries.table, entries.part, entries.column), []).append(entries)
        elif entries.value != ():
            yield _select(dialect, [entries])
    yield from (_select(dialect, bounds) for bounds in ranges.values())


def _entries(condition: Condition) -> Entries | None:
    match condition:
        case Tagged(tags):
            return _terms(Term(TermKind.TAG.value, ""), "text", Operator.IN, tags)
        case AssignedTo(to):
            term = Term(TermKind.ASSIGNMENT.value, to.kind)
            return _terms(term, "text", Operator.EQ, to.target_id)
        case CustomComparison(ignore_case=False) if len(condition.key) <= TERM_LENGTH:
            return _custom(condition)
        case Comparison(field, operator) if operator not in _INDEXED.get(field, ()):
            return None
        case Comparison("name", operator, value):
            return Entries(ContactTable, "name_key", operator, of_each(fold, value))
        case Comparison("email", operator, value):
            return Entries(ContactTable, "email_key", operator, value)
        case Comparison("external_id", operator, value, False, source):
            part = (("kind", MatchedBy.EXTERNAL_ID.value), ("source", source))
            return Entries(IdentifierTable, "value", operator, value, part)
        case Comparison(field, operator, value, False):
            return Entries(ContactTable, field, operator, value)
    return None


def _custom(condition: CustomComparison) -> Entries | None:
    value: Any = condition.value
    values = value if isinstance(value, tuple) else (value,)
    if not values or condition.operator not in {*RANGES, Operator.IN}:
        return None
    terms = [custom_term(condition.key, one) for one in values]
    column = "text" if terms[0].kind == TermKind.STRING.value else "number"
    wanted = tuple(getattr(term, column) for term in terms)
    if condition.operator is Operator.IN:
        return _terms(terms[0], column, Operator.IN, wanted)
    operator = _INCLUSIVE.get(condition.operator, condition.operator)
    return _terms(terms[0], column, operator, wanted[0])


def _terms(like: Term, column: str, operator: Operator, value: Any) -> Entries:
    before = Term._fields[: Term._fields.index(column)]
    part = tuple((name, getattr(like, name)) for name in before)
    return Entries(TermTable, column, operator, value, part)


def _select(dialect: Dialect, bounds: Sequence[Entries]) -> Ids:
    table, column, operator, value, part = bounds[0]
    contact_id = col(table.id if table is ContactTable else table.contact_id)
    held, of_part = getattr(table, column), [getattr(table, name) == one for name, one in part]
    if operator is Operator.IN:
        wanted = dialect.values(value)
        on = [held == wanted.c.value, *of_part]
        return dialect.look_up(wanted, [contact_id], on, CANDIDATES + 1)
    met = [COMPARE[one.operator](held, one.value) for one in bounds]
    return select(contact_id).where(*of_part, *met)


def _other_sources(dialect: Dialect, condition: Condition) -> Iterator[Ids]:
    match condition:
        case AnyOf(conditions) if conditions:
            each = [next(_sources(dialect, one), None) for one in conditions]
            found = [select(*_limited(one).c) for one in each if one is not None]
            if len(found) == len(each):
                yield union_all(*found)
        case Comparison(field, Operator.EQ, value) if (field, value) in _FLAGS:
            yield select(col(ContactTable.id)).where(_FLAGS[field, value])
        case Found(folded):
            yield dialect.find_text("search_text", folded, CANDIDATES + 1)
        case Comparison("notes", Operator.CONTAINS, str(part), ignore_case=False):
            if len(part) >= SEARCH_LENGTH:
                yield dialect.find_text("notes", part, CANDIDATES + 1)
        case Comparison(field, Operator.CONTAINS, str(part)) if field in _SEARCHED:
            if len(folded := fold(part)) >= SEARCH_LENGTH:
                yield dialect.find_text("search_text", folded, CANDIDATES + 1)
