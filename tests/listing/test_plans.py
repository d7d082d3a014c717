"""No query walks through the contacts: the plans of every kind of query, by EXPLAIN.

SQLite plans without statistics, so that its plan holds for any number of contacts. PostgreSQL
weighs costs: there are enough contacts here, of two workspaces, for an index to be worth it.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import inf
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.assignments import Assignee
from app.contacts.keys import ContactKey, MatchedBy
from app.contacts.listing import lookups
from app.contacts.listing import page as pages
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
from app.contacts.listing.order import NULLABLE, Direction, Order, OrderField, Position, Window
from app.contacts.listing.page import Page, count, page, reaches_beyond
from app.contacts.store.find import find
from app.database.sessions import Database
from app.tables import FILTERED, Workspace
from tests.support.databases import copied_postgresql, copied_sqlite, outside_transaction
from tests.support.stored import START, add, caller_of, contact_of, new_workspace
from tests.support.walks import bound

OURS, THEIRS = (UUID(int=2**100 + number) for number in range(2))
CALLER = caller_of(Workspace(id=OURS, name="ours"))
CONTACTS = int(os.environ.get("PLAN_CONTACTS", "1500"))  # of each workspace
SHARED = CONTACTS // 3  # so that three contacts share a value
FLAGS = ("contact_inactive", "contact_unsubscribed")

ORDERS = [Order(field, direction) for field in OrderField for direction in Direction]
ORDER_INDEXES = {
    OrderField.CREATED_AT: "contact_created_at",
    OrderField.UPDATED_AT: "contact_updated_at",
    OrderField.EMAIL: "contact_email",
    OrderField.NAME: "contact_name",
    OrderField.LIFETIME_VALUE: "contact_lifetime_value",
    OrderField.LAST_ORDER_AT: "contact_last_order_at",
}
TEXTS = [name for name in FILTERED if name not in ("orders_count", "professional_id")]
DAY = timedelta(days=1)
LATE = START + 700 * DAY
NOISE = Random(7)


def given(number: int) -> dict[str, Any]:
    """Most fields have a value that few contacts share; every third contact has no more."""
    values: dict[str, Any] = {
        "external_id": f"external {number}",
        "created_at": START + number * DAY,
        "updated_at": START + number * DAY,
        "is_active": number % (CONTACTS // 15) != 0,
        "is_unsubscribed": number % (CONTACTS // 15) == 1,
        "tags": [f"tag {number % SHARED}", "common"],
    }
    if number % 3 == 0:
        return values
    return values | {
        **{name: f"{name} {number % SHARED}" for name in TEXTS if name != "phone_e164"},
        "name": f"Name {number}",
        "phone": f"+3361{number:07}",
        "notes": f"{number} {NOISE.randbytes(600).hex()}",  # so that a contact has its usual size
        "orders_count": number,
        "lifetime_value": number / 10,
        "last_order_at": START + number * DAY,
        "professional_id": UUID(int=number % SHARED),
        "custom_fields": {
            "plan": f"plan {number % SHARED}",
            "age": number,
            "flag": number % (CONTACTS // 4) == 1,
            "since": (START + number * DAY).isoformat(),
        },
    }


async def stock(url: str) -> None:
    database = Database(url)
    for workspace_id, start in ((OURS, 1), (THEIRS, 10_001)):
        caller = await new_workspace(database, workspace_id)
        for first in range(0, CONTACTS, 10_000):
            numbers = range(first, min(first + 10_000, CONTACTS))
            contacts = {n: contact_of(start + n, **given(n)) for n in numbers}
            assigned = {
                contact.id: [Assignee("client", str(n % SHARED))] for n, contact in contacts.items()
            }
            await add(database, caller, contacts.values(), assigned)
    await database.close()
    if url.startswith("postgresql"):
        await outside_transaction(url, "VACUUM ANALYZE")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """One database for all the tests here, which only read."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        url = copied_sqlite(template, tmp_path_factory.mktemp("plans"))
    else:
        cluster = request.getfixturevalue("cluster")
        url = copied_postgresql(cluster, request.getfixturevalue("postgresql_template"))
    asyncio.run(stock(url))
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


Query = Callable[[AsyncSession], Awaitable[Any]]


@contextmanager
def selects() -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def see(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", see)
    yield seen
    event.remove(Engine, "before_cursor_execute", see)


async def plans(database: Database, query: Query, *, usable: bool = False) -> list[str]:
    """The plan of each statement that the query comes to. It has to come to one at least.

    `usable` asks PostgreSQL whether an index can serve at all: for a query that reads so much of
    these few contacts that reading them all is cheaper.
    """
    async with database.read() as session:
        with selects() as seen:
            await query(session)
        assert seen
        connection = await session.connection()
        if usable and not database.is_sqlite:
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        found = []
        for statement, parameters in seen:
            rows = await connection.exec_driver_sql(f"{explain} {statement}", parameters)
            found.append("\n".join(str(row[-1]) for row in rows))
    return found


def assert_by_index(plan: str) -> None:
    """On SQLite, only the members of a JSON document, what a subquery has found by an index, and
    the text index itself are walked."""
    for line in plan.splitlines():
        scanned = re.match(
            r"\s*SCAN (?!CONSTANT ROW|\(|\d+ CONSTANT|anon_)(?!.* VIRTUAL TABLE)", line
        )
        assert scanned is None, plan
        assert "AUTOMATIC" not in line, plan
    assert "Seq Scan" not in plan, plan


def assert_in_workspace(plan: str) -> None:
    """On SQLite, every index on contacts is entered by the workspace."""
    for line in re.findall(r"SEARCH contact\b.*", plan):
        assert "(workspace_id=?" in line, plan


def assert_bounded(plan: str) -> None:
    """The index is entered where the page starts, however far that is into the order."""
    assert re.search(r"\(workspace_id=\? AND |Index Cond: .* AND ", plan), plan


def window(*, after: Position | None = None, backward: bool = False) -> Window:
    return Window(
        size=20,
        backward=backward,
        after=None if backward else after,
        before=after if backward else None,
    )


def position(order: Order, *, empty: bool = False) -> Position:
    """Somewhere in the middle of the order."""
    middle = CONTACTS // 2
    value: Any = {
        OrderField.EMAIL: f"{middle}@example.com",
        OrderField.NAME: f"name {middle}",
        OrderField.LIFETIME_VALUE: middle / 10,
    }.get(order.field, START + middle * DAY)
    return Position(None if empty else value, UUID(int=middle))


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
async def test_a_page_of_any_order_is_read_off_the_orders_index(
    database: Database, order: Order, backward: bool
) -> None:
    windows = [
        window(backward=backward),
        window(after=position(order), backward=backward),
    ]
    for here in windows:
        for plan in await plans(database, lambda session: page(session, CALLER, order, here)):  # noqa: B023
            assert_by_index(plan)
            assert_in_workspace(plan)
            assert ORDER_INDEXES[order.field] in plan
            assert "TEMP B-TREE" not in plan
            # By id among equal emails, of which there are no two, is no work.
            assert not re.search(r"(?<!Incremental )Sort  \(cost", plan), plan
            if here.after or here.before:
                assert_bounded(plan)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(
    "order",
    [order for order in ORDERS if order.field.value.endswith(("name_key", "value"))],
    ids=lambda order: order.name,
)
async def test_the_end_without_values_is_read_off_the_orders_index(
    database: Database, order: Order, backward: bool
) -> None:
    here = window(after=position(order, empty=True), backward=backward)
    for plan in await plans(database, lambda session: page(session, CALLER, order, here)):
        assert_by_index(plan)
        assert_in_workspace(plan)
        assert ORDER_INDEXES[order.field] in plan
        assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
async def test_whether_something_lies_behind_a_window_is_read_off_an_index(
    database: Database, order: Order
) -> None:
    for backward in (False, True):
        for empty in (False, True):
            if empty and order.field not in NULLABLE:
                continue
            here = window(after=position(order, empty=empty), backward=backward)

            def query(session: AsyncSession, here: Window = here) -> Awaitable[bool]:
                return reaches_beyond(session, CALLER, order, here, forward=here.backward)

            # Whatever row comes first answers it, which seldom takes more than one: PostgreSQL
            # reads these few contacts one by one for that.
            for plan in await plans(database, query, usable=True):
                assert_by_index(plan)
                assert_in_workspace(plan)
                if database.is_sqlite:
                    assert_bounded(plan)


def of_field(field: str, operator: Operator, value: Any) -> Condition:
    return Comparison(field, operator, value)


# Conditions that few contacts meet, with the index that leads to them on each database.
SELECTIVE: dict[str, tuple[Condition, str, str]] = {
    **{
        f"{name} eq": (
            of_field(name, Operator.EQ, given(7)["phone"] if "phone" in name else f"{name} 7"),
            f"contact_{name}",
            f"contact_{name}",
        )
        for name in TEXTS
    },
    "company in": (
        of_field("company", Operator.IN, ("company 7", "company 8")),
        "contact_company",
        "contact_company",
    ),
    "company starts with": (
        of_field("company", Operator.STARTS_WITH, f"company {SHARED - 1}"),
        "contact_company",
        "contact_company",
    ),
    "company contains": (
        of_field("company", Operator.CONTAINS, "company 77"),
        "contact_text",
        "contact_search_text",
    ),
    "external id eq": (
        of_field("external_id", Operator.EQ, "external 7"),
        "contact_external_id",
        "contact_external_id",
    ),
    "external id starts with": (
        of_field("external_id", Operator.STARTS_WITH, f"external {CONTACTS - 1}"),
        "contact_external_id",
        "contact_external_id",
    ),
    "email eq": (of_field("email", Operator.EQ, "7@example.com"), "contact_email", "contact_email"),
    "email in": (
        of_field("email", Operator.IN, ("7@example.com", "8@example.com")),
        "contact_email",
        "contact_email",
    ),
    "email starts with": (
        of_field("email", Operator.STARTS_WITH, f"{CONTACTS - 1}"),
        "contact_email",
        "contact_email",
    ),
    "email contains": (
        of_field("email", Operator.CONTAINS, "777@ex"),
        "contact_text",
        "contact_search_text",
    ),
    "name eq": (of_field("name", Operator.EQ, "Name 7"), "contact_name", "contact_name"),
    "name in": (
        of_field("name", Operator.IN, ("Name 7", "Name 8")),
        "contact_name",
        "contact_name",
    ),
    "name starts with": (
        of_field("name", Operator.STARTS_WITH, f"Name {CONTACTS - 1}"),
        "contact_name",
        "contact_name",
    ),
    "orders eq": (
        of_field("orders_count", Operator.EQ, 7),
        "contact_orders_count",
        "contact_orders_count",
    ),
    "orders gt": (
        of_field("orders_count", Operator.GT, CONTACTS - 5),
        "contact_orders_count",
        "contact_orders_count",
    ),
    "lifetime value gte": (
        of_field("lifetime_value", Operator.GTE, CONTACTS / 10 - 1),
        "contact_lifetime_value",
        "contact_lifetime_value",
    ),
    "lifetime value lt": (
        of_field("lifetime_value", Operator.LT, 1.0),
        "contact_lifetime_value",
        "contact_lifetime_value",
    ),
    "professional eq": (
        of_field("professional_id", Operator.EQ, UUID(int=7)),
        "contact_professional_id",
        "contact_professional_id",
    ),
    "created lte": (
        of_field("created_at", Operator.LTE, START + 5 * DAY),
        "contact_created_at",
        "contact_created_at",
    ),
    "updated gt": (
        of_field("updated_at", Operator.GT, START + (CONTACTS - 5) * DAY),
        "contact_updated_at",
        "contact_updated_at",
    ),
    "last order lt": (
        of_field("last_order_at", Operator.LT, START + 9 * DAY),
        "contact_last_order_at",
        "contact_last_order_at",
    ),
    "inactive": (of_field("is_active", Operator.EQ, False), "contact_inactive", "contact_inactive"),
    "unsubscribed": (
        of_field("is_unsubscribed", Operator.EQ, True),
        "contact_unsubscribed",
        "contact_unsubscribed",
    ),
    "tag": (Tagged(("tag 7",)), "contact_tag", "contact_tags"),
    "any tag": (Tagged(("tag 7", "tag 8")), "contact_tag", "contact_tags"),
    "assigned": (AssignedTo(Assignee("client", "7")), "assignment_target", "assignment_target"),
    "custom text": (
        CustomComparison("plan", Operator.EQ, "plan 7"),
        "contact_custom_value",
        "contact_custom_fields",
    ),
    "custom texts": (
        CustomComparison("plan", Operator.IN, ("plan 7", "plan 8")),
        "contact_custom_value",
        "contact_custom_fields",
    ),
    "custom number": (
        CustomComparison("age", Operator.EQ, 7.0),
        "contact_custom_value",
        "contact_custom_fields",
    ),
    "custom boolean": (
        CustomComparison("flag", Operator.EQ, True),
        "contact_custom_value",
        "contact_custom_fields",
    ),
    "search": (Found("name 777"), "contact_text", "contact_search_text"),
    "notes contain": (
        of_field("notes", Operator.CONTAINS, f"{CONTACTS - 2} "),
        "contact_notes",
        "contact_notes",
    ),
    "all": (
        All([Comparison("notes", Operator.CONTAINS, "7"), Tagged(("tag 7",))]),
        "contact_tag",
        "contact_tags",
    ),
}


def narrowed(condition: Condition) -> list[Query]:
    """All that is asked about a condition, in several orders and from within the list."""
    by_email = Order(OrderField.EMAIL, Direction.ASC)
    by_name = Order(OrderField.NAME, Direction.DESC)
    newest, oldest = Order(), Order(direction=Direction.ASC)
    inside = window(after=position(newest))
    last = window(after=position(by_name, empty=True), backward=True)
    return [
        lambda session: page(session, CALLER, by_email, window(), condition),
        lambda session: page(session, CALLER, newest, inside, condition),
        lambda session: page(session, CALLER, oldest, inside, condition),
        lambda session: page(session, CALLER, by_name, last, condition),
        lambda session: reaches_beyond(
            session, CALLER, newest, inside, condition, forward=inside.backward
        ),
        lambda session: count(session, CALLER, condition),
    ]


TRIGRAMS = ("contact_search_text", "contact_notes")


async def has_trigrams(database: Database) -> bool:
    async with database.read() as session:
        known = text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        return (await (await session.connection()).execute(known)).scalar() is not None


@pytest.mark.parametrize("name", SELECTIVE)
async def test_what_few_contacts_meet_is_looked_up_in_its_index(
    database: Database, name: str
) -> None:
    condition, on_sqlite, on_postgresql = SELECTIVE[name]
    if on_postgresql in TRIGRAMS and not (database.is_sqlite or await has_trigrams(database)):
        return  # such texts are right there without an index, by tests of their own
    first, *others = narrowed(condition)
    found = await plans(database, first)
    for plan in found:
        assert_by_index(plan)
        assert_in_workspace(plan)
    if not database.is_sqlite:
        [plan] = found
        assert re.search(rf"\b{on_postgresql}\b", plan), plan
        for query in others:
            for plan in await plans(database, query):
                assert_by_index(plan)
        return
    lookup, *_ = found
    assert re.search(rf"\b{on_sqlite}\b", lookup), lookup
    if on_sqlite not in ("contact_text", "contact_notes", *FLAGS):
        assert_bounded(lookup)
    for query in (first, *others):
        for plan in (await plans(database, query))[1:]:
            assert_led_by(on_sqlite, plan)


async def test_custom_moments_are_looked_up_in_their_index(database: Database) -> None:
    condition = CustomComparison("since", Operator.LT, START + 5 * DAY)
    for query in narrowed(condition):
        lookup, *others = await plans(database, query)
        index = "contact_custom_moment" if database.is_sqlite else "contact_custom_range_value"
        assert index in lookup
        assert_bounded(lookup)
        for plan in others:
            assert_led_by(index, plan) if database.is_sqlite else assert_by_index(plan)


NARROW: dict[str, tuple[list[Condition], str]] = {
    "lifetime value": (
        [
            Comparison("lifetime_value", Operator.GTE, CONTACTS / 20),
            Comparison("lifetime_value", Operator.LT, CONTACTS / 20 + 0.5),
        ],
        "lifetime_value>? AND lifetime_value<?",
    ),
    "custom number": (
        [
            CustomComparison("age", Operator.GT, CONTACTS / 2),
            All([CustomComparison("age", Operator.LTE, CONTACTS / 2 + 5)]),
        ],
        "value>? AND value<?",
    ),
    "custom moment": (
        [
            CustomComparison("since", Operator.GTE, START + CONTACTS // 2 * DAY),
            CustomComparison("since", Operator.LT, START + (CONTACTS // 2 + 5) * DAY),
        ],
        "moment>? AND moment<?",
    ),
}


@pytest.mark.parametrize("name", NARROW)
async def test_few_between_two_bounds_that_many_meet_each_are_looked_up(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(lookups, "RARE", 10)
    bounds, entered = NARROW[name]
    for query in narrowed(All([Comparison("country", Operator.IS_NULL, False), *bounds])):
        lookup, *others = await plans(database, query)
        if database.is_sqlite:
            assert entered in lookup
            for plan in others:
                assert_led_by("contact_lifetime_value", plan)
        else:
            assert re.search("contact_(lifetime_value|custom_range_value)", lookup)
            for plan in (lookup, *others):
                assert_by_index(plan)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("field", ["created_at", "updated_at", "last_order_at"])
async def test_a_range_of_the_orders_own_field_bounds_the_walk(
    database: Database, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    monkeypatch.setattr(lookups, "RARE", 1)
    condition = All([Comparison(field, Operator.GTE, START), Comparison(field, Operator.LT, LATE)])
    order = Order(OrderField(field), Direction.DESC)
    [_, *walks] = await plans(
        database, lambda session: page(session, CALLER, order, window(), condition)
    )
    for walk in walks:
        assert re.search(
            rf"contact_{field} \(workspace_id=\? AND {field}>\? AND {field}<\?\)", walk
        )
        assert "TEMP B-TREE" not in walk


@pytest.mark.parametrize(
    "order",
    [order for order in ORDERS if order.field is not OrderField.LIFETIME_VALUE],
    ids=lambda order: order.name,
)
async def test_what_many_meet_each_and_nobody_together_is_looked_up_by_one_of_them(
    database: Database, monkeypatch: pytest.MonkeyPatch, order: Order
) -> None:
    condition = All(
        [
            Comparison("orders_count", Operator.GTE, CONTACTS * 6 // 10),
            Comparison("lifetime_value", Operator.LT, CONTACTS * 4 / 100),
        ]
    )

    def query(session: AsyncSession) -> Awaitable[Page]:
        return page(session, CALLER, order, window(), condition)

    monkeypatch.setattr(lookups, "RARE", 0)
    monkeypatch.setattr(pages, "TRUSTED_COST", inf)
    whole_walks = [
        float(cost)
        for plan in await plans(database, query)
        for cost in re.findall(r"->  Index .*cost=[\d.]+\.\.([\d.]+)", plan)[:1]
    ]
    assert database.is_sqlite or whole_walks
    cost = min(whole_walks, default=0) - 1
    bound(monkeypatch, first_walk=5, limit=CONTACTS, lookup_cost=cost)
    found = await plans(database, query)
    assert re.search("contact_(orders_count|lifetime_value)", found[-1]), found
    assert not re.search(ORDER_INDEXES[order.field], found[-1]), found
    for plan in found:
        assert_by_index(plan)
        assert_in_workspace(plan)
    async with database.read() as session:
        assert await query(session) == Page([], has_more=False)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", SELECTIVE)
async def test_any_index_may_lead_where_a_walk_finds_too_few(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(lookups, "RARE", 0)
    bound(monkeypatch, first_walk=5, limit=CONTACTS)
    condition, index, _ = SELECTIVE[name]
    *_, led = await plans(
        database, lambda session: page(session, CALLER, Order(), window(), condition)
    )
    assert_led_by(index, led)


@pytest.mark.parametrize("field", [OrderField.LIFETIME_VALUE, OrderField.LAST_ORDER_AT])
async def test_what_the_filter_rules_out_is_not_walked(
    database: Database, field: OrderField
) -> None:
    some: Any = 0.0 if field is OrderField.LIFETIME_VALUE else START
    for condition, left in (
        (Comparison(field.value, Operator.GTE, some), "IS NOT NULL"),
        (Comparison(field.value, Operator.IS_NULL, False), "IS NOT NULL"),
        (Comparison(field.value, Operator.IS_NULL, True), "IS NULL"),
    ):
        for backward in (False, True):
            here = Window(size=CONTACTS, backward=backward)
            async with database.read() as session:
                with selects() as seen:
                    found = await page(session, CALLER, Order(field), here, condition)
                assert len(found.contacts) == await count(session, CALLER, condition) > 0
            of_pages = [statement for statement, _ in seen if "ORDER BY" in statement]
            assert of_pages
            column = rf"contact\.{field.value} (IS NOT NULL|IS NULL)"
            for statement in of_pages:
                assert left in re.findall(column, statement), statement
                assert len(set(re.findall(column, statement))) == 1, statement


def assert_led_by(index: str, plan: str) -> None:
    """On SQLite: by the index, or by the ids that it led to."""
    assert re.search(
        r"^SEARCH contact USING (COVERING )?INDEX "
        r"(sqlite_autoindex_contact_1 \(workspace_id=\? AND id=\?\)"
        rf"|{index} \(workspace_id=\? AND )",
        plan,
    ), plan


async def test_a_thousand_contacts_are_still_few(database: Database) -> None:
    condition = Comparison("lifetime_value", Operator.GTE, (CONTACTS - 750) / 10)
    async with database.read() as session:
        assert 400 < await count(session, CALLER, condition) < lookups.RARE
    for query in narrowed(condition):
        found = await plans(database, query, usable=True)  # a third of all contacts here
        for plan in found:
            assert_by_index(plan)
            assert_in_workspace(plan)
        if database.is_sqlite:
            lookup, *rest = found
            assert "contact_lifetime_value (workspace_id=? AND lifetime_value>?)" in lookup
            for plan in rest:
                assert_led_by("contact_lifetime_value", plan)


async def test_either_of_two_conditions_is_looked_up_in_both_indexes(database: Database) -> None:
    condition = AnyOf([Comparison("company", Operator.EQ, "company 7"), Tagged(("tag 7",))])
    found = await plans(
        database, lambda session: page(session, CALLER, Order(), window(), condition)
    )
    for plan in found:
        assert_by_index(plan)
    everything = "\n".join(found)
    assert "contact_company" in everything
    assert re.search(r"\bcontact_tags?\b", everything)


UNINDEXED: dict[str, Condition] = {
    "few letters of notes": Comparison("notes", Operator.CONTAINS, "7"),
    "part of a text that is not searched": Comparison("city", Operator.CONTAINS, "7"),
    "short part": Comparison("company", Operator.CONTAINS, "7"),
    "empty": Comparison("company", Operator.IS_NULL, True),
    "not empty": Comparison("company", Operator.IS_NULL, False),
    "negation": Not(Comparison("company", Operator.EQ, "company 7")),
    "without a tag": Not(Tagged(("tag 7",))),
    "version": Comparison("version", Operator.GTE, 1),
    "unsubscribed at": Comparison("unsubscribed_at", Operator.IS_NULL, True),
    "active": Comparison("is_active", Operator.EQ, True),
    "custom part": CustomComparison("plan", Operator.CONTAINS, "7"),
    "custom number above": CustomComparison("age", Operator.GT, 7.0),
    "custom moment": CustomComparison("since", Operator.LT, LATE),
    "custom key": CustomComparison("plan", Operator.IS_NULL, False),
    "common tag": Tagged(("common",)),
    "name of all": Found("example.com"),
    "either": AnyOf([Tagged(("tag 7",)), Comparison("notes", Operator.CONTAINS, "7")]),
}


@pytest.mark.parametrize("order", [ORDERS[0], ORDERS[7]], ids=lambda order: order.name)
@pytest.mark.parametrize("name", UNINDEXED)
async def test_what_many_contacts_meet_is_met_along_the_orders_index(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, order: Order
) -> None:
    monkeypatch.setattr(lookups, "RARE", 100)
    here = window(after=position(order))
    found = await plans(
        database,
        lambda session: page(session, CALLER, order, here, UNINDEXED[name]),
        usable=True,  # many of these few contacts are read before a page is full
    )
    for plan in found:
        assert_by_index(plan)
        assert_in_workspace(plan)
    if database.is_sqlite:
        assert ORDER_INDEXES[order.field] in found[-1]
        assert not any("TEMP B-TREE FOR ORDER BY" in plan for plan in found)


@pytest.mark.parametrize("name", ["everything", *UNINDEXED])
async def test_counting_many_reads_their_workspace_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(lookups, "RARE", 100)
    condition = UNINDEXED.get(name, EVERY)
    # Half of all contacts here are in the workspace, which PostgreSQL would rather read whole.
    found = await plans(database, lambda session: count(session, CALLER, condition), usable=True)
    for plan in found:
        assert_by_index(plan)
        assert_in_workspace(plan)


@pytest.mark.parametrize(
    ("keys", "index"),
    [
        ([ContactKey(MatchedBy.EMAIL, "7@example.com")], r"contact_email\b"),
        ([ContactKey(MatchedBy.EXTERNAL_ID, "external 7")], r"contact_external_id\b"),
        ([ContactKey(MatchedBy.ID, UUID(int=7))], r"sqlite_autoindex_contact_1|contact_pkey"),
        (
            [ContactKey(MatchedBy.EMAIL, f"{number}@example.com") for number in range(100)],
            r"contact_email\b",
        ),
        ([ContactKey(MatchedBy.EMAIL, "nobody@example.com")], r"contact_email\b"),
    ],
    ids=["email", "external id", "id", "a hundred emails", "nobody's"],
)
async def test_a_key_leads_to_its_contact_by_an_index(
    database: Database, keys: list[ContactKey], index: str
) -> None:
    found = await plans(database, lambda session: find(session, CALLER, keys))
    assert re.search(index, found[0]), found[0]
    for plan in found:
        if "contact_alias" in plan and not database.is_sqlite:
            continue  # the aliases are none here, so that PostgreSQL has nothing to weigh
        assert_by_index(plan)
        assert_in_workspace(plan)


@pytest.mark.parametrize("many", [1, 100])
async def test_keys_of_every_kind_are_looked_up_together_by_their_indexes(
    database: Database, many: int
) -> None:
    keys = [ContactKey(MatchedBy.ID, UUID(int=9))]
    for number in range(7, 7 + many):
        keys.append(ContactKey(MatchedBy.EMAIL, f"{number}@example.com"))
        keys.append(ContactKey(MatchedBy.EXTERNAL_ID, f"external {number}"))
    # Two hundred keys are so many of these few contacts that PostgreSQL would rather read all.
    found = await plans(database, lambda session: find(session, CALLER, keys), usable=many > 1)
    [plan] = found
    assert_by_index(plan)
    assert_in_workspace(plan)
    for index in (r"contact_email\b", r"contact_external_id\b", r"autoindex_contact|contact_pkey"):
        assert re.search(index, plan), plan
