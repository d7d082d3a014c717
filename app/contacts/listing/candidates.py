"""Candidates: few contacts, found by an index, that include all that meet a condition."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Integer

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
from app.contacts.listing.row_columns import OF_TABLE
from app.contacts.store.terms import TERM_LENGTH, Term, TermKind, custom_term
from app.database.composed import Composition
from app.database.sessions import WorkspaceSession
from app.text import fold

# The most candidates that are read for one page.
CANDIDATES = 1_000

# A SELECT of ids of contacts: maybe an id twice, and NULL for what is no candidate.
Ids = str

_SEARCHED = {"external_id", "email", "name", "first_name", "last_name", "company", "phone"}
_KEYS = {Operator.EQ, Operator.IN, Operator.STARTS_WITH}
# The fields that have an index, and the operators that it serves.
_INDEXED = {
    "id": {Operator.EQ, Operator.IN},
    **dict.fromkeys(("external_id", "email", "name", "company", "country"), _KEYS),
    **dict.fromkeys(("created_at", "updated_at", "lifetime_value", "last_order_at"), RANGES),
}
# The conditions of the partial indexes.
_FLAGS: dict[tuple[str, Any], str] = {
    ("is_active", False): "NOT contact.is_active",
    ("is_unsubscribed", True): "contact.is_unsubscribed",
}
_INTEGER = Integer()

# Terms have the nearest double of a number.
_INCLUSIVE = {Operator.GT: Operator.GTE, Operator.LT: Operator.LTE}


class Candidates(NamedTuple):
    """A SELECT of their ids, each once, and how many there are at most. NULL may be among them."""

    ids: str
    most: int


class Entries(NamedTuple):
    """Entries of an index: the columns of `part` have these values, and the next one, `column`,
    compares with `value`."""

    table: str
    column: str
    operator: Operator
    value: Any
    part: tuple[tuple[str, Any], ...] = ()


async def candidates(
    session: WorkspaceSession, sql: Composition, condition: Condition, *, unless: str = "false"
) -> Candidates | None:
    """None if there may be more than CANDIDATES. They are not counted if the SQL `unless` is
    true."""
    sources = list(_sources(sql, condition))
    if not sources:
        return None
    counts = {f"count_{index}": _limited(one) for index, one in enumerate(sources)}
    counted = ", ".join(
        f"(SELECT count(*) FROM ({ids}) AS limited) AS {name}" for name, ids in counts.items()
    )
    text = f"SELECT {counted} WHERE NOT {unless}"
    statement = sql.prepared(text, dict.fromkeys(counts, _INTEGER))
    rows = await session.fetch(statement, **sql.values)
    if not rows:
        return None
    [found] = rows
    least = min(counts, key=found.__getitem__)
    if found[least] > CANDIDATES:
        return None
    return Candidates(f"SELECT DISTINCT id FROM ({counts[least]}) AS limited", found[least])


def searches_text(condition: Condition) -> bool:
    """Whether the index of trigrams may lead to candidates."""
    return isinstance(condition, Found) or (
        isinstance(condition, Comparison) and condition.operator is Operator.CONTAINS
    )


def _limited(ids: Ids) -> Ids:
    return f"SELECT id FROM ({ids}) AS entries LIMIT {CANDIDATES + 1}"


def _sources(sql: Composition, whole: Condition) -> Iterator[Ids]:
    """Each selects candidates by one index. The bounds of one value are one range, because few may
    lie between two that many meet each. Ranges come last, as they are likely to lead to more."""
    ranges: dict[object, list[Entries]] = {}
    for condition in conjuncts(whole):
        entries = _entries(condition)
        if entries is None:
            yield from _other_sources(sql, condition)
        elif entries.operator in BOUNDS:
            ranges.setdefault((entries.table, entries.part, entries.column), []).append(entries)
        elif entries.value != ():
            yield _select(sql, [entries])
    yield from (_select(sql, bounds) for bounds in ranges.values())


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
            return Entries("contact", "name_key", operator, of_each(fold, value))
        case Comparison("email", operator, value):
            return Entries("contact", "email_key", operator, value)
        case Comparison("external_id", operator, value, False, source):
            part = (("kind", MatchedBy.EXTERNAL_ID.value), ("source", source))
            return Entries("contact_identifier", "value", operator, value, part)
        case Comparison(field, operator, value, False):
            return Entries("contact", field, operator, value)
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
    return Entries("contact_term", column, operator, value, part)


def _select(sql: Composition, bounds: Sequence[Entries]) -> Ids:
    table, column, operator, value, part = bounds[0]
    contact_id = f"{table}.{'id' if table == 'contact' else 'contact_id'}"
    held = f"{table}.{column}"
    within = [f"{table}.workspace_id = :workspace_id"]
    within += [f"{table}.{name} = {sql.value(one)}" for name, one in part]
    if operator is Operator.IN:
        on = " AND ".join([f"{held} = given.value", *within])
        wanted = sql.table(value)
        return sql.dialect.look_up(wanted, table, {"id": contact_id}, on, CANDIDATES + 1)
    within += [COMPARE[one.operator](sql, held, one.value, sql.value) for one in bounds]
    return f"SELECT {contact_id} AS id FROM {table} WHERE {' AND '.join(within)}"


def _other_sources(sql: Composition, condition: Condition) -> Iterator[Ids]:
    match condition:
        case AnyOf(conditions) if conditions:
            each = [next(_sources(sql, one), None) for one in conditions]
            found = [f"SELECT id FROM ({_limited(one)}) AS any_of" for one in each if one]
            if len(found) == len(each):
                yield " UNION ALL ".join(found)
        case Comparison(field, Operator.EQ, value) if (field, value) in _FLAGS:
            of_workspace = "contact.workspace_id = :workspace_id"
            flag = _FLAGS[field, value]
            yield f"SELECT {OF_TABLE['id']} AS id FROM contact WHERE {of_workspace} AND {flag}"
        case Found(folded):
            yield sql.dialect.find_text("search_text", folded, sql.value, CANDIDATES + 1)
        case Comparison("notes", Operator.CONTAINS, str(part), ignore_case=False):
            if len(part) >= SEARCH_LENGTH:
                yield sql.dialect.find_text("notes", part, sql.value, CANDIDATES + 1)
        case Comparison(field, Operator.CONTAINS, str(part)) if field in _SEARCHED:
            if len(folded := fold(part)) >= SEARCH_LENGTH:
                yield sql.dialect.find_text("search_text", folded, sql.value, CANDIDATES + 1)
