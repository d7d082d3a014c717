"""Filters and pages against a plain reading of what a condition means."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from app.contacts.assignee import Assignee
from app.contacts.listing.conditions import (
    EVERY,
    All,
    AnyOf,
    AssignedTo,
    Comparison,
    Condition,
    CustomComparison,
    Found,
    Not,
    Operator,
    Tagged,
)
from app.contacts.listing.order import Direction, Order, OrderField
from app.contacts.listing.page import Count, count
from app.database.sessions import Database
from app.tables import Contact
from app.text import fold
from app.timestamps import parse_timestamp
from tests.support.operators import OF_TEXTS, compares
from tests.support.stored import SOURCE, START, add, assigned_to, contact_of, new_workspace
from tests.support.walks import bound, ids, in_order, walk

SEARCHED = ("email", "name", "company", "phone", "phone_e164")


def holds(condition: Condition, contact: Contact) -> bool:
    match condition:
        case All(conditions):
            return all(holds(one, contact) for one in conditions)
        case AnyOf(conditions):
            return any(holds(one, contact) for one in conditions)
        case Not(negated):
            return not holds(negated, contact)
        case Tagged(tags):
            return any(tag in contact.tags for tag in tags)
        case AssignedTo(assignee):
            return assigned_to(assignee)[0] in contact.assignments
        case Found(folded):
            whole = f"{contact.first_name or ''} {contact.last_name or ''}".strip()
            texts = [whole, *contact.external_ids.values()]
            texts += [getattr(contact, name) or "" for name in SEARCHED]
            return any(folded in fold(text) for text in texts)
        case Comparison("external_id", operator, wanted, ignore_case, source):
            return compares(contact.external_ids.get(source), operator, wanted, ignore_case)
        case Comparison(field, operator, wanted, ignore_case):
            held = contact.email_key if field == "email" else getattr(contact, field)
            return compares(held, operator, wanted, ignore_case)
        case CustomComparison(key, operator, wanted, ignore_case):
            held = contact.custom_fields.get(key)
            if operator is not Operator.IS_NULL:
                held = of_type_of(wanted, held)
            return compares(held, operator, wanted, ignore_case)


def of_type_of(wanted: Any, held: Any) -> Any:
    """What is held as it is compared with what is wanted; None where it is of another type."""
    match wanted, held:
        case (bool(), bool()) | (str() | tuple(), str()):
            return held
        case datetime(), str():
            try:
                return parse_timestamp(held)
            except ValueError:
                return None
        case float(), int() | float() if not isinstance(held, bool):
            return held
    return None


TEXTS = ["a", "A", "ab", "aB", "b%", "b_", "b\\", "abc d", "ÁBC", "abçd", "Straße", "STRASSE"]
TEXTS += ["東京都", "\U0010ffff", "a\ud7ff", "a\ue000", '"abc" OR *', "éa b"]
TEXT_FIELDS = ["name", "first_name", "last_name", "company", "city", "notes", "phone"]
NUMBERS = [-1.5, 0.0, 1.0, 2.0, 2.5, 1e300]
MOMENTS = [START + timedelta(days=days, microseconds=1) for days in range(-1, 3)]
TAGS = ["a", "A", "%", "a b", '"']
KEYS = ["k", "a.b", 'say "so"', "0"]
IDS = [UUID(int=number) for number in range(1, 4)]
ASSIGNEES = [Assignee("client", "1"), Assignee("client", "2"), Assignee("fund", "1")]
CUSTOM_VALUES: list[Any] = ["5", "abc", "", "true", "x" * 300, 5, 1, 0, 2.5, -1.5, True, False]
CUSTOM_VALUES += [None, ["abc"], {"k": "abc"}, "2024-01-01T00:00:00.000001Z"]
CUSTOM_VALUES += ["2024-01-01T23:30:00-01:30", "2024-01-01T01:00:00+02:00", "2024-01-01T00:00:00"]

texts = st.sampled_from(TEXTS)
numbers = st.sampled_from(NUMBERS)
moments = st.sampled_from(MOMENTS)
parts = st.just("") | texts | texts.map(lambda text: text[1:]) | texts.map(lambda text: text[:-1])
bools = st.booleans()

people = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(TEXT_FIELDS, texts)
    | {
        "email_starts_with": st.sampled_from(["a", "Abc", "ÁBC", "b_"]),
        "lifetime_value": numbers,
        "orders_count": st.integers(0, 3),
        "last_order_at": moments,
        "created_at": moments,
        "updated_at": moments,
        "is_active": bools,
        "is_unsubscribed": bools,
        "professional_id": st.sampled_from(IDS),
        "tags": st.lists(st.sampled_from(TAGS), unique=True, max_size=3),
        "custom_fields": st.dictionaries(
            st.sampled_from(KEYS), st.sampled_from(CUSTOM_VALUES), max_size=3
        ),
        "external_id_starts_with": st.sampled_from(TEXTS),
    },
)


@st.composite
def workspaces(draw: st.DrawFn) -> list[Contact]:
    contacts = []
    for number in draw(st.lists(st.integers(1, 10**6), max_size=8, unique=True)):
        values = draw(people)
        email = values.pop("email_starts_with", "")
        external_id = values.pop("external_id_starts_with", None)
        values["external_id"] = None if external_id is None else f"{external_id}{number}"
        contact = contact_of(number, **values | {"email": f"{email}{number}@Example.com"})
        contact.assignments = assigned_to(*draw(st.lists(st.sampled_from(ASSIGNEES), unique=True)))
        contacts.append(contact)
    return contacts


def of_text(make: Any, fields: list[str]) -> st.SearchStrategy[Condition]:
    named = st.sampled_from(fields)
    one = st.sampled_from(OF_TEXTS)
    several = st.lists(parts, max_size=3).map(tuple)
    return (
        st.builds(make, named, one, parts, bools)
        | st.builds(make, named, st.just(Operator.IN), several, bools)
        | st.builds(make, named, st.just(Operator.IS_NULL), bools)
    )


def of_size(make: Any, fields: list[str], sizes: Any, *more: Operator) -> Any:
    one = st.sampled_from([Operator.GT, Operator.GTE, Operator.LT, Operator.LTE, *more])
    return st.builds(make, st.sampled_from(fields), one, sizes)


leaves: st.SearchStrategy[Condition] = st.one_of(
    of_text(Comparison, TEXT_FIELDS),
    of_text(Comparison, ["name", "company"]),
    of_text(partial(Comparison, source=SOURCE), ["external_id"]),
    st.builds(
        Comparison,
        st.just("id"),
        st.just(Operator.IN),
        st.lists(st.integers(1, 10**6).map(lambda number: UUID(int=number))).map(tuple),
    ),
    of_text(CustomComparison, KEYS),
    st.builds(
        lambda operator, part: Comparison("email", operator, part.lower()),
        st.sampled_from([Operator.CONTAINS, Operator.STARTS_WITH]),
        parts | st.sampled_from(["1", "abc", "@example", "á"]),
    ),
    of_size(Comparison, ["lifetime_value", "orders_count"], numbers, Operator.EQ),
    of_size(Comparison, ["created_at", "updated_at", "last_order_at"], moments),
    of_size(CustomComparison, KEYS, numbers | st.just(5.0), Operator.EQ),
    of_size(CustomComparison, KEYS, moments),
    st.builds(CustomComparison, st.sampled_from(KEYS), st.just(Operator.EQ), bools),
    st.builds(
        Comparison,
        st.sampled_from(["is_active", "is_unsubscribed"]),
        st.just(Operator.EQ),
        bools,
    ),
    st.builds(
        Comparison,
        st.sampled_from(["last_order_at", "lifetime_value", "orders_count", "professional_id"]),
        st.just(Operator.IS_NULL),
        bools,
    ),
    st.builds(
        Comparison,
        st.just("professional_id"),
        st.just(Operator.IN),
        st.lists(st.sampled_from(IDS), max_size=2).map(tuple),
    ),
    st.builds(Tagged, st.lists(st.sampled_from(TAGS), max_size=3).map(tuple)),
    st.builds(AssignedTo, st.sampled_from(ASSIGNEES)),
    st.builds(
        Found,
        st.sampled_from(["abc", "éa b", "strasse", "東京都", "example", '"abc"', "b_1"]).map(fold),
    ),
)
conditions: st.SearchStrategy[Condition] = st.just(EVERY) | st.recursive(
    leaves,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(All, st.lists(inner, max_size=3))
        | st.builds(AnyOf, st.lists(inner, max_size=3))
    ),
    max_leaves=5,
)
orders = st.builds(Order, st.sampled_from(OrderField), st.sampled_from(Direction))


@settings(max_examples=40)
@given(
    workspaces(),
    st.lists(conditions, min_size=3, max_size=3),
    st.lists(orders, min_size=3, max_size=3, unique=True),
    st.sampled_from([0, 1, 2, 1_000]),
    st.sampled_from([1, 2, 5, 10_000]),
    st.integers(1, 9),
)
@example(
    [contact_of(n, custom_fields={"k": "abc"}) for n in (1, 2, 3)],
    [Not(CustomComparison("k", Operator.GT, 1.0)), Tagged(()), AnyOf([])],
    [Order(), Order(OrderField.NAME), Order(OrderField.EMAIL)],
    1,
    2,
    2,
)
async def test_pages_and_counts_hold_just_those_that_meet_the_condition_in_order(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    contacts: list[Contact],
    wanted: list[Condition],
    by: list[Order],
    candidates: int,
    steps: int,
    size: int,
) -> None:
    bound(monkeypatch, walk=steps, candidates=candidates)
    caller = await new_workspace(database)
    await add(database, caller, contacts)
    for condition, order in zip(wanted, by, strict=True):
        expected = [one for one in contacts if holds(condition, one)]
        event(f"meets: {'none' if not expected else 'all' if expected == contacts else 'some'}")
        async with database.read(caller) as session:
            assert await count(session, condition) == Count(len(expected), True), condition
        for backward in (False, True):
            found = await walk(
                database,
                caller,
                order,
                condition,
                size=size,
                backward=backward,
                short=steps <= len(contacts),
            )
            assert ids(found) == ids(in_order(order, expected)), (condition, order, backward)


@settings(max_examples=25)
@given(workspaces(), conditions)
async def test_condition_and_its_negation_cover_each_contact_once(
    database: Database, contacts: list[Contact], condition: Condition
) -> None:
    caller, other = await new_workspace(database), await new_workspace(database)
    await add(database, caller, contacts)
    await add(database, other, contacts)
    async with database.read(caller) as session:
        met = (await count(session, condition)).total
        assert met + (await count(session, Not(condition))).total == len(contacts)
        assert (await count(session, All([condition, Not(condition)]))).total == 0
    async with database.read(other) as session:
        assert met == (await count(session, Not(Not(condition)))).total
