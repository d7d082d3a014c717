"""Candidates: few contacts, found by an index, that include all that meet a condition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, select, text, union_all
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
from app.contacts.listing.dialects import count_up_to, text_source
from app.contacts.listing.predicates import COMPARE
from app.contacts.store.terms import TERM_LENGTH, TermKind, custom_term
from app.database.dialect import Dialect
from app.database.sessions import WorkspaceSession
from app.tables import ContactTable, IdentifierTable, TermTable
from app.text import fold

# The most candidates that are read for one page.
CANDIDATES = 1_000

Bounds = Sequence[tuple[Operator, Any]]

_SEARCHED = {"external_id", "email", "name", "first_name", "last_name", "company", "phone"}
_KEYS = {Operator.EQ, Operator.IN, Operator.STARTS_WITH}
_ORDERED = ("created_at", "updated_at", "lifetime_value", "last_order_at")
# The columns that have an index, and what it serves.
_INDEXED = {
    "name": (ContactTable.name_key, _KEYS),
    "email": (ContactTable.email_key, _KEYS),
    "company": (ContactTable.company, _KEYS),
    "country": (ContactTable.country, _KEYS),
    "external_id": (IdentifierTable.value, _KEYS),
    **{name: (getattr(ContactTable, name), RANGES) for name in _ORDERED},
}
# The conditions of the partial indexes.
_FLAGS: dict[tuple[str, Any], Any] = {
    ("is_active", False): text("NOT contact.is_active"),
    ("is_unsubscribed", True): text("contact.is_unsubscribed"),
}
# Terms have the nearest double of a number.
_INCLUSIVE = {Operator.GT: Operator.GTE, Operator.LT: Operator.LTE}


@dataclass(frozen=True, slots=True)
class Source:
    """Selects ids of contacts by an index, and their number up to a limit."""

    ids: Select[Any]
    count: ColumnElement[int]


async def candidates(session: WorkspaceSession, condition: Condition) -> Select[Any] | None:
    """Selects the ids of the candidates. None if there may be more than CANDIDATES."""
    sources = list(_sources(session.dialect, condition))
    if not sources:
        return None
    counted: Any = select(*(source.count for source in sources))
    counts = (await session.exec(counted)).one()
    count, source = min(zip(counts, sources, strict=True), key=lambda pair: pair[0])
    return source.ids.limit(CANDIDATES) if count <= CANDIDATES else None


def _sources(dialect: Dialect, condition: Condition) -> Iterator[Source]:
    """Ranges come last, as they are likely to lead to more."""
    groups = _groups(condition)
    for group in sorted(groups, key=lambda group: getattr(group[0], "operator", None) in BOUNDS):
        source = _source(dialect, group)
        if source is not None:
            yield source


def _groups(whole: Condition) -> list[list[Any]]:
    """Each condition for itself, but the bounds of one value together: few may lie between two
    that many meet each."""
    found: dict[object, list[Any]] = {}
    for condition in conjuncts(whole):
        match condition:
            case Comparison(field, operator) if operator in BOUNDS:
                what: object = field
            case CustomComparison(key, operator, value) if operator in BOUNDS:
                what = (key, type(value))
            case _:
                what = id(condition)
        found.setdefault(what, []).append(condition)
    return list(found.values())


def _source(dialect: Dialect, group: Sequence[Any]) -> Source | None:
    match group[0]:
        case AnyOf(conditions) if conditions:
            return _union([next(_sources(dialect, one), None) for one in conditions])
        case Found(folded):
            return Source(*text_source(dialect, "search_text", folded, CANDIDATES))
        case Tagged(tags) if tags:
            return _terms(dialect, TermKind.TAG, "", TermTable.text, [(Operator.IN, tags)])
        case AssignedTo(to):
            bounds = [(Operator.EQ, to.target_id)]
            return _terms(dialect, TermKind.ASSIGNMENT, to.kind, TermTable.text, bounds)
        case CustomComparison(key, operator, ignore_case=False) if len(key) <= TERM_LENGTH:
            return _custom(dialect, group) if operator in {*RANGES, Operator.IN} else None
        case Comparison("id", Operator.IN, tuple(ids)) if ids:
            return Source(select(*dialect.values(ids).c), literal(len(ids)))
        case Comparison(field, Operator.EQ, value) if (field, value) in _FLAGS:
            return _counted(select(col(ContactTable.id)).where(_FLAGS[field, value]))
        case Comparison(operator=Operator.CONTAINS) as comparison:
            return _part(dialect, comparison)
        case Comparison(field, operator) if operator in _INDEXED.get(field, (None, ()))[1]:
            return _field(dialect, group)
    return None


def _union(sources: Sequence[Source | None]) -> Source | None:
    found = [source for source in sources if source is not None]
    if len(found) < len(sources):
        return None
    ids = (select(*one.ids.limit(CANDIDATES).subquery().c) for one in found)
    count = reduce(add, (source.count for source in found))
    return Source(select(*union_all(*ids).subquery().c), count)


def _part(dialect: Dialect, comparison: Comparison) -> Source | None:
    part, column = fold(str(comparison.value)), "search_text"
    if comparison.field == "notes" and not comparison.ignore_case:
        part, column = str(comparison.value), "notes"
    elif comparison.field not in _SEARCHED:
        return None
    if len(part) < SEARCH_LENGTH:
        return None
    return Source(*text_source(dialect, column, part, CANDIDATES))


def _field(dialect: Dialect, group: Sequence[Comparison]) -> Source | None:
    one, (column, _) = group[0], _INDEXED[group[0].field]
    value: Any = one.value
    bounds: Bounds = [(each.operator, each.value) for each in group]
    if one.field == "name":
        bounds = [
            (one.operator, [*map(fold, value)] if one.operator is Operator.IN else fold(value))
        ]
    elif one.ignore_case and one.field != "email":
        return None
    if one.field == "external_id":
        kind = col(IdentifierTable.kind) == MatchedBy.EXTERNAL_ID.value
        source = col(IdentifierTable.source) == one.source
        return _selected(dialect, IdentifierTable.contact_id, column, bounds, kind, source)
    return _selected(dialect, ContactTable.id, column, bounds)


def _custom(dialect: Dialect, group: Sequence[Any]) -> Source | None:
    one = group[0]
    values = one.value if isinstance(one.value, tuple) else (one.value,)
    terms = [custom_term(one.key, value) for value in values]
    kind = TermKind(terms[0].kind) if terms else TermKind.STRING
    if kind is TermKind.STRING:
        texts = [(Operator.IN, [term.text for term in terms])]
        return _terms(dialect, kind, one.key, TermTable.text, texts)
    bounds: Bounds = [(Operator.IN, [term.number for term in terms])]
    if one.operator is not Operator.IN:
        numbers = [custom_term(one.key, each.value).number for each in group]
        operators = [_INCLUSIVE.get(each.operator, each.operator) for each in group]
        bounds = list(zip(operators, numbers, strict=True))
    no_text = col(TermTable.text) == ""
    return _terms(dialect, kind, one.key, TermTable.number, bounds, no_text)


def _terms(
    dialect: Dialect, kind: TermKind, key: str, column: Any, bounds: Bounds, *others: Any
) -> Source | None:
    of_kind = (col(TermTable.kind) == kind.value, col(TermTable.key) == key)
    return _selected(dialect, TermTable.contact_id, column, bounds, *of_kind, *others)


def _selected(
    dialect: Dialect, contact_id: Any, column: Any, bounds: Bounds, *others: Any
) -> Source | None:
    (operator, value), *_ = bounds
    if operator is not Operator.IN:
        met = [COMPARE[operator](column, value) for operator, value in bounds]
        return _counted(select(contact_id).where(*met, *others))
    if not value:
        return None
    wanted = dialect.values(value)
    on = [column == wanted.c.value, *others]
    return _counted(dialect.look_up(wanted, [contact_id], on, CANDIDATES + 1))


def _counted(ids: Select[Any]) -> Source:
    return Source(ids, count_up_to(CANDIDATES + 1, ids))
