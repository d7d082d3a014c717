"""The order of contacts, and pages of it while contacts come, change and go."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from app.contacts.limits import PAGE_LIMIT
from app.contacts.listing.conditions import EVERY, Comparison, Condition, Operator
from app.contacts.listing.order import (
    NULLABLE,
    Direction,
    Order,
    OrderField,
    Position,
    cursor,
    window,
)
from app.contacts.listing.page import page
from app.database.sessions import Database
from app.tables import Contact
from tests.support.client import Client
from tests.support.stored import START, add, change, contact_of, new_workspace, remove
from tests.support.walks import bound, ids, in_order, walk

ORDERS = [Order(field, direction) for field in OrderField for direction in Direction]

UPSERT_MANY = "mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created } }"
LISTED = """
query ($by: ContactOrder, $first: Int, $after: String, $last: Int, $before: String) {
  contacts(orderBy: $by, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { email } }
    nodes { email }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
NOBODY = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}


def moment(day: int) -> str:
    return f"2024-01-0{day}T12:00:00Z"


PEOPLE: dict[str, dict[str, Any]] = {
    "bob": {"name": "Bob", "lifetimeValue": 10, "createdAt": moment(1), "updatedAt": moment(6)},
    "Ada": {"name": "ángel", "lifetimeValue": 9.5, "createdAt": moment(2), "updatedAt": moment(5)},
    "cy": {"name": "angel b", "lastOrderAt": moment(2), "createdAt": moment(3)},
    "dan": {"lifetimeValue": -1, "lastOrderAt": moment(1), "createdAt": moment(4)},
    "eve": {"name": "Zoe", "createdAt": moment(5), "updatedAt": moment(5)},
}
UPWARDS = {
    "CREATED_AT": "bob Ada cy dan eve",
    "UPDATED_AT": "Ada eve bob cy dan",
    "EMAIL": "Ada bob cy dan eve",
    "NAME": "Ada cy bob eve dan",
    "LIFETIME_VALUE": "dan Ada bob cy eve",
    "LAST_ORDER_AT": "dan cy bob Ada eve",
}
DOWNWARDS = {
    "CREATED_AT": "eve dan cy Ada bob",
    "UPDATED_AT": "dan cy bob eve Ada",
    "EMAIL": "eve dan cy bob Ada",
    "NAME": "eve bob cy Ada dan",
    "LIFETIME_VALUE": "bob Ada dan eve cy",
    "LAST_ORDER_AT": "cy dan eve Ada bob",
}


async def put(api: Client, **people: dict[str, Any]) -> None:
    """One by one, so that their ids are in the order given."""
    for name, fields in people.items():
        await api(UPSERT_MANY, inputs=[{"email": f"{name}@example.com"} | fields])


def names(nodes: Sequence[dict[str, Any]]) -> str:
    return " ".join(node["email"].partition("@")[0] for node in nodes)


async def test_every_order_puts_empty_values_last_and_ties_by_id_either_way(api: Client) -> None:
    await put(api, **PEOPLE)
    for direction, lists in (("ASC", UPWARDS), ("DESC", DOWNWARDS)):
        for field, expected in lists.items():
            listed = await api(LISTED, by={"field": field, "direction": direction})
            assert names(listed["nodes"]) == expected, (field, direction)
            assert [edge["node"] for edge in listed["edges"]] == listed["nodes"]
    assert set(UPWARDS) == set(DOWNWARDS) == set(OrderField.__members__)


async def test_newest_come_first_unless_ordered_otherwise(api: Client) -> None:
    await put(api, **PEOPLE)
    assert names((await api(LISTED))["nodes"]) == DOWNWARDS["CREATED_AT"]
    assert names((await api(LISTED, by={}))["nodes"]) == DOWNWARDS["CREATED_AT"]
    assert names((await api(LISTED, by={"field": "EMAIL"}))["nodes"]) == DOWNWARDS["EMAIL"]


async def test_clients_walk_each_order_forward_and_back_by_its_cursors(api: Client) -> None:
    await put(api, **PEOPLE)
    for field, expected in UPWARDS.items():
        by = {"field": field, "direction": "ASC"}
        there: list[Any] = []
        after = None
        for number in range(3):
            listed = await api(LISTED, by=by, first=2, after=after)
            info = listed["pageInfo"]
            assert (info["hasNextPage"], info["hasPreviousPage"]) == (number < 2, number > 0)
            cursors = [edge["cursor"] for edge in listed["edges"]]
            assert (info["startCursor"], info["endCursor"]) == (cursors[0], cursors[-1])
            there += listed["nodes"]
            after = info["endCursor"]
        assert names(there) == expected, field
        assert (await api(LISTED, by=by, first=2, after=after))["pageInfo"] == NOBODY | {
            "hasPreviousPage": True
        }
        back: list[Any] = []
        before = None
        for number in range(3):
            listed = await api(LISTED, by=by, last=2, before=before)
            info = listed["pageInfo"]
            assert (info["hasPreviousPage"], info["hasNextPage"]) == (number < 2, number > 0)
            back = listed["nodes"] + back
            before = info["startCursor"]
        assert back == there, field


async def test_a_page_may_be_empty_and_has_a_limit(api: Client) -> None:
    assert (await api(LISTED))["pageInfo"] == NOBODY
    await put(api, ada={})
    empty = await api(LISTED, first=0)
    assert (empty["nodes"], empty["pageInfo"]) == ([], NOBODY | {"hasNextPage": True})
    empty = await api(LISTED, last=0)
    assert (empty["nodes"], empty["pageInfo"]) == ([], NOBODY | {"hasPreviousPage": True})
    assert names((await api(LISTED, first=PAGE_LIMIT))["nodes"]) == "ada"
    assert names((await api(LISTED, last=PAGE_LIMIT))["nodes"]) == "ada"
    for name in ("first", "last"):
        for size in (-1, PAGE_LIMIT + 1):
            assert await api.errors(LISTED, **{name: size}) == [("OUT_OF_RANGE", name)]
    assert await api.errors(LISTED, first=1, last=1) == [("INVALID_FORMAT", "last")]


async def test_cursor_is_valid_only_in_its_own_list(api: Client, stranger: Client) -> None:
    by_name = {"field": "NAME", "direction": "ASC"}
    await put(api, **PEOPLE)
    await put(stranger, **PEOPLE)
    ours = (await api(LISTED, by=by_name, first=2))["pageInfo"]["endCursor"]
    assert names((await api(LISTED, by=by_name, after=ours))["nodes"]) == "bob eve dan"
    for client, by in [
        (stranger, by_name),
        (api, {"field": "NAME", "direction": "DESC"}),
        (api, {"field": "EMAIL", "direction": "ASC"}),
        (api, None),
    ]:
        assert await client.errors(LISTED, by=by, after=ours) == [("INVALID_FORMAT", "after")]
        assert await client.errors(LISTED, by=by, before=ours) == [("INVALID_FORMAT", "before")]


async def test_a_forged_cursor_is_refused(api: Client) -> None:
    await put(api, **PEOPLE)
    forged: dict[str, list[Any]] = {
        "CREATED_AT": [
            None,
            5,
            "",
            "2024-01-01",
            "2024-01-01T12:00:00",
            "0001-01-01T00:00:00+14:00",
        ],
        "UPDATED_AT": ["9999-12-31T23:59:59-14:00", ["2024-01-01T12:00:00Z"], "at noon"],
        "EMAIL": [None, 5, "a\x00", ["a"], {}],
        "NAME": [5, True, "a\x00", ["a"]],
        "LIFETIME_VALUE": ["nan", "a lot", [1], {}, True, "1"],
        "LAST_ORDER_AT": [5, "2024-01-01T12:00:00", False],
    }
    for field, values in forged.items():
        by = {"field": field, "direction": "ASC"}
        real = (await api(LISTED, by=by, first=1))["pageInfo"]["endCursor"]
        mark, value, contact_id = orjson.loads(urlsafe_b64decode(real))
        wrong: list[Any] = [[mark, one, contact_id] for one in values]
        wrong += [[mark, value, other] for other in ("x", None, 5, f"{contact_id}0")]
        wrong += [[mark, value], [mark], [], {}, "x", None, [mark, value, contact_id, 1]]
        for parts in wrong:
            text = urlsafe_b64encode(orjson.dumps(parts)).decode()
            refused = await api.errors(LISTED, by=by, after=text)
            assert refused == [("INVALID_FORMAT", "after")], (field, parts)
    for garbage in ("", "x", "é", "AAAA", "\u0000"):
        assert await api.errors(LISTED, before=garbage) == [("INVALID_FORMAT", "before")], garbage


# Few values, so that many tie, and each order has contacts without one.
values = st.fixed_dictionaries(
    {
        "name": st.sampled_from([None, "", "a", "Á", "b", "ß", "\u0301"]),
        "lifetime_value": st.sampled_from([None, -1.0, -0.0, 0.0, 0.1, 1e300]),
        "last_order_at": st.sampled_from([None, START, START + timedelta(microseconds=1)]),
        "created_at": st.sampled_from([START, START + timedelta(microseconds=1)]),
        "updated_at": st.sampled_from([START, START + timedelta(days=1)]),
        "email_starts_with": st.sampled_from(["a", "B", "é", "\U0001f600"]),
    }
)
numbers = st.integers(1, 10**6)
lists = st.dictionaries(numbers, values, max_size=12)


def contact(number: int, given: dict[str, Any]) -> Contact:
    rest = {name: value for name, value in given.items() if name != "email_starts_with"}
    return contact_of(number, email=f"{given['email_starts_with']}{number}@example.com", **rest)


def contacts(given: dict[int, dict[str, Any]]) -> list[Contact]:
    return [contact(number, one) for number, one in given.items()]


@settings(max_examples=8)
@given(lists, st.integers(1, 5))
async def test_every_order_is_the_same_forwards_and_backwards(
    database: Database, given_values: dict[int, dict[str, Any]], size: int
) -> None:
    caller = await new_workspace(database)
    stored = contacts(given_values)
    await add(database, caller, stored)
    for order in ORDERS:
        expected = ids(in_order(order, stored))
        assert ids(await walk(database, caller, order, size=size)) == expected, order
        back = await walk(database, caller, order, size=size, backward=True)
        assert ids(back) == expected, order


@settings(max_examples=30)
@given(
    lists.filter(lambda given: len(given) > 1),
    st.sampled_from(ORDERS),
    st.integers(0, 4),
    st.booleans(),
    st.none() | numbers,
    st.none() | numbers,
)
async def test_a_window_between_two_cursors_holds_what_lies_between_them(
    database: Database,
    given_values: dict[int, dict[str, Any]],
    order: Order,
    size: int,
    backward: bool,
    one: int | None,
    other: int | None,
) -> None:
    caller = await new_workspace(database)
    stored = in_order(order, contacts(given_values))
    await add(database, caller, stored)
    start, end = (None if place is None else place % len(stored) for place in (one, other))
    after = None if start is None else cursor(caller, order, Position.of(stored[start], order))
    before = None if end is None else cursor(caller, order, Position.of(stored[end], order))
    between = stored[0 if start is None else start + 1 : end]
    expected = between[max(len(between) - size, 0) :] if backward else between[:size]
    sized = {"last": size} if backward else {"first": size}
    async with database.read(caller) as session:
        here = window(caller, order, after=after, before=before, **sized)
        found = await page(session, order, here)
    assert ids(found.contacts) == ids(expected)
    assert found.has_more == (len(between) > size)


steps = st.fixed_dictionaries(
    {
        "added": st.dictionaries(numbers, values, max_size=3),
        "changed": st.lists(st.tuples(st.integers(0, 99), values), max_size=2),
        "removed": st.lists(st.integers(0, 99), max_size=2),
    }
)


@settings(max_examples=40)
@given(
    st.dictionaries(numbers, values, min_size=4, max_size=16),
    st.lists(steps, min_size=1, max_size=6),
    st.sampled_from(ORDERS),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from([EVERY, Comparison("lifetime_value", Operator.GTE, 0.0)]),
)
async def test_walk_returns_each_contact_that_is_not_changed_exactly_once(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    given_values: dict[int, dict[str, Any]],
    changes: list[dict[str, Any]],
    order: Order,
    size: int,
    backward: bool,
    condition: Condition,
) -> None:
    bound(monkeypatch, walk=3, candidates=0)
    caller = await new_workspace(database)
    standing = {one.id: one for one in contacts(given_values)}
    untouched = dict(standing)
    await add(database, caller, standing.values())
    ahead = iter(changes)

    async def meddle() -> None:
        step = next(ahead, None)
        if step is None:
            return
        new = [one for one in contacts(step["added"]) if one.id not in standing]
        await add(database, caller, new)
        standing.update({one.id: one for one in new})
        for place, given_anew in step["changed"]:
            if standing:
                chosen = sorted(standing)[place % len(standing)]
                standing[chosen] = contact(chosen.int, given_anew)
                untouched.pop(chosen, None)
                await change(database, caller, [standing[chosen]])
        for place in step["removed"]:
            if standing:
                chosen = sorted(standing)[place % len(standing)]
                del standing[chosen]
                untouched.pop(chosen, None)
                await remove(database, caller, [chosen])

    seen = await walk(
        database,
        caller,
        order,
        condition,
        size=size,
        backward=backward,
        between=meddle,
        short=condition is not EVERY,
    )
    if condition is not EVERY:
        for one in list(untouched.values()):
            if one.lifetime_value is None or one.lifetime_value < 0:
                del untouched[one.id]
    event(f"untouched: {min(len(untouched), 5)}")
    event(f"meddled: {len(changes) - len(list(ahead))} times")
    assert [one for one in ids(seen) if one in untouched] == ids(
        in_order(order, untouched.values())
    )


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("order", [one for one in ORDERS if one.field in NULLABLE], ids=str)
async def test_walk_continues_from_a_deleted_contact(
    database: Database, order: Order, backward: bool
) -> None:
    caller = await new_workspace(database)
    alike = {"name": "a", "lifetime_value": 1.0, "last_order_at": START}
    stored = in_order(order, [contact_of(n, **(alike if n < 3 else {})) for n in range(1, 5)])
    await add(database, caller, stored)
    going = iter(reversed(stored) if backward else stored)

    async def take_the_last_seen() -> None:
        await remove(database, caller, [next(going).id])

    seen = await walk(
        database, caller, order, size=1, backward=backward, between=take_the_last_seen
    )
    assert ids(seen) == ids(stored)
