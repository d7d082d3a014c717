"""The plans of lists, by EXPLAIN: whatever the statistics say, no table is read from its start, a
walk goes along the index of its order, and candidates are read by their ids.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.engine import make_url

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
from app.contacts.listing.order import Direction, Order, OrderField, Position, Window
from app.contacts.listing.page import count, meeting, page
from app.database.sessions import Database
from app.tables import Workspace, new_id
from app.workspaces.keys import Caller
from tests.support.databases import copied_postgresql, copied_sqlite, need_text_indexes
from tests.support.postgres import outside_transaction
from tests.support.statements import every_statement
from tests.support.stored import (
    SOURCE,
    START,
    add,
    assigned_to,
    caller_of,
    contact_of,
    new_workspace,
)
from tests.support.walks import bound

OURS, THEIRS = new_id(), new_id()
CALLER = caller_of(Workspace(id=OURS, name="ours"))
CONTACTS = 300  # of each workspace
DAY = timedelta(days=1)

ORDERS = [Order(field, direction) for field in OrderField for direction in Direction]
TEXTS: dict[str, Condition] = {
    "search": Found("someone 171"),
    "part of a name": Comparison("name", Operator.CONTAINS, "eone 17"),
    "part of the notes": Comparison("notes", Operator.CONTAINS, "note 17"),
}
SELECTIVE: dict[str, Condition] = {
    "name": Comparison("name", Operator.EQ, "Someone 17"),
    "name in any case": Comparison("name", Operator.EQ, "SOMEONE 17", ignore_case=True),
    "names": Comparison("name", Operator.IN, ("Someone 17", "Someone 18")),
    "start of an email": Comparison("email", Operator.STARTS_WITH, "17@"),
    "external id": Comparison("external_id", Operator.EQ, "e17", source=SOURCE),
    "external ids": Comparison("external_id", Operator.IN, ("e17", "e18"), source=SOURCE),
    "ids": Comparison("id", Operator.IN, tuple(contact_of(n).id for n in range(50))),
    "company": Comparison("company", Operator.EQ, "Company 17"),
    "country": Comparison("country", Operator.IN, ("C17", "C18")),
    "inactive": Comparison("is_active", Operator.EQ, False),
    "unsubscribed": Comparison("is_unsubscribed", Operator.EQ, True),
    "range of a number": All(
        [
            Comparison("lifetime_value", Operator.GTE, 17.0),
            Comparison("lifetime_value", Operator.LT, 18.0),
        ]
    ),
    "range of a timestamp": Comparison("updated_at", Operator.LT, START + 3 * DAY),
    "tags": Tagged(("tag 17", "tag 18")),
    "assignee": AssignedTo(Assignee("client", "17")),
    "custom text": CustomComparison("plan", Operator.EQ, "plan 17"),
    "custom number": CustomComparison("age", Operator.IN, (17.0, 18.0)),
    "custom range": CustomComparison("age", Operator.LTE, 3.0),
    "custom timestamp": CustomComparison("since", Operator.LT, START + 3 * DAY),
    "one of two": AnyOf([Tagged(("tag 17",)), Comparison("company", Operator.EQ, "Company 18")]),
    "few and many": All([Comparison("city", Operator.EQ, "Oslo"), Tagged(("tag 17",))]),
}
BROAD: dict[str, Condition] = {
    "all": EVERY,
    "city": Comparison("city", Operator.EQ, "Oslo"),
    "negation": Not(Tagged(("common",))),
    "two letters": Comparison("company", Operator.CONTAINS, "17"),
    "one of many": AnyOf([Tagged(("tag 17",)), Comparison("city", Operator.EQ, "Rome")]),
}


def given(number: int) -> dict[str, Any]:
    shared = number // 3
    return {
        "external_id": f"e{number}",
        "name": f"Someone {number}",
        "company": f"Company {shared}",
        "country": f"C{shared}",
        "city": "Oslo",
        "notes": f"A note {number} " + "n" * 500,
        "is_active": number % 50 != 0,
        "is_unsubscribed": number % 50 == 1,
        "lifetime_value": float(number) if number % 2 else None,
        "last_order_at": START + number * DAY if number % 2 else None,
        "created_at": START + number * DAY,
        "updated_at": START + number * DAY,
        "tags": [f"tag {shared}", "common"],
        "assignments": assigned_to(Assignee("client", str(number))),
        "custom_fields": {
            "plan": f"plan {shared}",
            "age": number,
            "since": (START + number * DAY).isoformat(),
        },
    }


async def stock(url: str) -> None:
    database = Database(url)
    for workspace_id in (OURS, THEIRS):
        caller = await new_workspace(database, workspace_id)
        await add(database, caller, [contact_of(n, **given(n)) for n in range(1, CONTACTS + 1)])
    await database.close()


@pytest.fixture(
    scope="module",
    params=[
        "sqlite",
        *(f"postgresql {when}" for when in ("new", "analyzed when empty", "analyzed")),
    ],
)
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """One database for all the tests here, which only read."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        url = copied_sqlite(template, tmp_path_factory.mktemp("plans"))
        asyncio.run(stock(url))
        return url
    cluster = request.getfixturevalue("cluster")
    url = copied_postgresql(cluster, request.getfixturevalue("postgresql_template"))
    if request.param == "postgresql analyzed when empty":
        asyncio.run(outside_transaction(url, "VACUUM ANALYZE"))
    asyncio.run(stock(url))
    if request.param == "postgresql analyzed":
        asyncio.run(outside_transaction(url, "VACUUM ANALYZE"))
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


Sent = list[tuple[str, Any]]


@contextmanager
def statements() -> Iterator[Sent]:
    found: Sent = []

    def note(statement: str, parameters: Any) -> None:
        if statement.startswith("SELECT"):
            found.append((statement, parameters))

    with every_statement(note):
        yield found


async def steps(database: Database, caller: Caller, sent: Sent) -> list[str]:
    """The plan of each statement, a line for each step; on Citus, that of the shard."""
    found = []
    is_sqlite = make_url(str(database.dialect.reader.url)).drivername.startswith("sqlite")
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN (COSTS OFF) "
    async with database.read(caller) as session:
        connection = await session.connection()
        for statement, parameters in sent:
            rows = await connection.exec_driver_sql(f"{explain}{statement}", tuple(parameters))
            found.append(SHARD.sub("", "".join(f"{row[-1]}\n" for row in rows)))
    return found


# On Citus, the names of tables and indexes end with the number of the shard.
SHARD = re.compile(r"(?<=\w)_1\d{5}\b")

# Steps that read a whole table, or all that an index has of a workspace.
READS_ALL = re.compile(
    r"SCAN (contact|contact_term|contact_identifier)\b"
    r"|Seq Scan on|Hash Join|Merge Join"
    r"|INDEX (?!contact_(inactive|unsubscribed))\w+ \(workspace_id=\?\)"
    r"|(using|on) (?!contact_(inactive|unsubscribed))contact_\w+[^\n]*"
    r"\n *Index Cond: \(workspace_id = '[^']*'::uuid\)\n"
)
SORTS = re.compile(r"USE TEMP B-TREE FOR ORDER BY|(->|^) *(Incremental )?Sort\b")
BY_ID = re.compile(
    r"SEARCH contact USING INDEX contact_id \(workspace_id=\? AND id=\?\) LEFT-JOIN"
    r"|Index Scan using contact_pkey on contact"
)


async def plans_of_pages(database: Database, condition: Condition) -> AsyncIterator[list[str]]:
    """In two orders: of what finds the few contacts, and of what reads them."""
    for order in (Order(), Order(OrderField.NAME, Direction.ASC)):
        with statements() as sent:
            async with database.read(CALLER) as session:
                found = await page(session, order, Window(size=60), condition)
        assert 0 < len(found.contacts) < 60
        yield await steps(database, CALLER, sent)


async def test_few_contacts_are_found_by_one_index_and_read_by_their_ids(
    database: Database,
) -> None:
    for name, condition in SELECTIVE.items():
        async for probe, read in plans_of_pages(database, condition):
            for plan in (probe, read):
                assert not READS_ALL.search(plan), (name, plan)
            assert BY_ID.search(read), (name, read)


async def test_text_that_few_have_is_found_by_its_index(database: Database) -> None:
    await need_text_indexes(database)
    for name, condition in TEXTS.items():
        async for probe, read in plans_of_pages(database, condition):
            assert not SORTS.search(probe), (name, probe)  # it walks a few pages first
            assert "Seq Scan" not in probe, (name, probe)
            assert not READS_ALL.search(read), (name, read)
            assert BY_ID.search(read), (name, read)
        with statements() as sent:
            async with database.read(CALLER) as session:
                await count(session, condition)
        probe, *_ = await steps(database, CALLER, sent)
        assert not READS_ALL.search(probe), (name, probe)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
async def test_a_walk_goes_along_the_index_of_its_order_and_sorts_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, order: Order
) -> None:
    bound(monkeypatch, walk=100, candidates=-1)
    middle = Position.of(contact_of(100, **given(101)), order)
    index = {"EMAIL": "email", "NAME": "name"}.get(order.field.name, order.field.value)
    for name, condition in BROAD.items():
        for window in (Window(size=50), Window(size=50, backward=True, before=middle)):
            with statements() as sent:
                async with database.read(CALLER) as session:
                    await page(session, order, window, condition)
            walked = (await steps(database, CALLER, sent))[-1]
            assert not SORTS.search(walked), (name, walked)
            assert "Seq Scan" not in walked, (name, walked)
            assert f"contact_{index}" in walked, (name, walked)


async def test_search_that_many_meet_reads_no_contact_by_its_id(database: Database) -> None:
    with statements() as sent:
        async with database.read(CALLER) as session:
            found = await page(session, Order(), Window(size=50), Found("someone"))
    assert len(found.contacts) == 50
    assert found.has_more
    _, walked = await steps(database, CALLER, sent)
    assert "contact_created_at" in walked, walked
    assert not BY_ID.search(walked), walked


async def test_a_page_takes_two_statements_at_most(database: Database) -> None:
    for order in (Order(), Order(OrderField.LIFETIME_VALUE)):
        for name, condition in (BROAD | SELECTIVE | TEXTS).items():
            with statements() as sent:
                async with database.read(CALLER) as session:
                    await page(session, order, Window(size=50), condition)
            assert len(sent) <= 2, name


async def test_some_contacts_are_judged_by_their_ids(database: Database) -> None:
    ids = [contact_of(number).id for number in range(1, 101)]
    with statements() as sent:
        async with database.read(CALLER) as session:
            assert len(await meeting(session, ids, BROAD["city"])) == 100
    [read] = await steps(database, CALLER, sent)
    assert BY_ID.search(read), read
    assert not READS_ALL.search(read), read


async def test_few_are_counted_by_their_ids(database: Database) -> None:
    with statements() as sent:
        async with database.read(CALLER) as session:
            assert (await count(session, SELECTIVE["tags"])).total == 6
    _, read = await steps(database, CALLER, sent)
    assert BY_ID.search(read), read
