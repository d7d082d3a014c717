"""Likely duplicates, page by page and by the index."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app.contacts import duplicates
from app.database.sessions import Database
from tests.support.client import Client
from tests.support.pairs import DELETE, MERGE, PAGE, create, group, pair_of, walk


async def test_no_duplicates_is_an_empty_last_page(api: Client) -> None:
    assert await api(PAGE) == {
        "edges": [],
        "nodes": [],
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
    }


@pytest.mark.parametrize("size", [1, 2, 3, 100, None])
async def test_a_group_makes_a_pair_of_each_with_the_first(api: Client, size: int | None) -> None:
    await group(api, "+1 202-456-1111", "a", "b", "c", "d")
    await group(api, "+1 202-456-1414", "e", "f")
    pairs = await walk(api, size)
    assert [pair[:2] for pair in pairs] == [("a", "b"), ("a", "c"), ("a", "d"), ("e", "f")]


@pytest.mark.parametrize("size", [1, 2])
async def test_pairs_can_be_merged_as_they_are_walked(api: Client, size: int) -> None:
    await group(api, "+1 202-456-1111", *"abcde")
    after = None
    for _ in range(5):
        page = await api(PAGE, first=size, after=after)
        for edge in page["edges"]:
            keys = [{"email": edge["node"][one]["email"]} for one in ("contact", "duplicate")]
            await api(MERGE, **{"into": keys[0], "from": keys[1]})
        after = page["pageInfo"]["endCursor"]
    assert await walk(api) == []
    assert (await api("{ contacts { totalCount } }"))["totalCount"] == 1


async def test_page_continues_after_the_first_of_a_group_was_deleted(api: Client) -> None:
    await group(api, "+1 202-456-1111", *"abcd")
    page = await api(PAGE, first=1)
    assert [pair_of(edge["node"])[:2] for edge in page["edges"]] == [("a", "b")]
    for name in "ab":
        await api(DELETE, by={"email": f"{name}@example.com"})
    page = await api(PAGE, after=page["pageInfo"]["endCursor"])
    assert [pair_of(edge["node"])[:2] for edge in page["edges"]] == [("c", "d")]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_page_examines_a_bounded_number_of_contacts(
    api: Client, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    await create(api, *({"email": f"{number}@example.com"} for number in range(7)))
    await group(api, "+1 202-456-1111", "a", "b", "c")
    await create(api, {"email": "a+x@example.com"}, {"email": "x@example.com"})
    whole = await walk(api)
    monkeypatch.setattr(duplicates, "WALK_LIMIT", limit)
    first = await api(PAGE)
    assert first["pageInfo"]["hasNextPage"]
    assert len(first["edges"]) < len(whole)
    for size in (1, 2, None):
        assert await walk(api, size) == whole


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_size_of_a_page_is_limited(api: Client, first: int) -> None:
    assert await api.errors(PAGE, first=first) == [("OUT_OF_RANGE", "first")]


async def test_cursors_are_of_this_list_and_workspace(api: Client, stranger: Client) -> None:
    await group(api, "+1 202-456-1111", "a", "b")
    mine = (await api(PAGE))["pageInfo"]["endCursor"]
    contacts = (await api("{ contacts { pageInfo { endCursor } } }"))["pageInfo"]["endCursor"]
    assert (await api(PAGE, after=mine))["edges"] == []
    for client, cursor in ((stranger, mine), (api, contacts), (api, "x"), (api, mine[:-8])):
        assert await client.errors(PAGE, after=cursor) == [("INVALID_FORMAT", "after")]


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def see(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if "FROM contact" in statement:
            seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", see)
    yield seen
    event.remove(Engine, "before_cursor_execute", see)


async def plan(database: Database, statement: str, parameters: Any) -> str:
    async with database.read_directory() as session:
        connection = await session.connection()
        if connection.dialect.name == "sqlite":
            explain = "EXPLAIN QUERY PLAN "
        else:
            explain = "EXPLAIN "
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = await connection.exec_driver_sql(explain + statement, parameters)
        return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.own_database  # as the plan goes by its statistics
async def test_page_reads_only_the_index(api: Client, database: Database) -> None:
    await group(api, "+1 202-456-1111", *"abcdef")
    middle = (await api(PAGE, first=2))["pageInfo"]["endCursor"]
    with statements() as seen:
        await api(PAGE)
        await api(PAGE, first=2, after=middle)
    plans = [await plan(database, *one) for one in seen]
    for one in plans:
        assert "SCAN contact" not in one
        assert "(workspace_id=?)" not in one
        assert "Seq Scan" not in one
    walks = [
        one
        for one, (statement, _) in zip(plans, seen, strict=True)
        if "wanted" not in statement and " IN (" not in statement
    ]
    for index in ("contact_same_phone", "contact_same_name_and_company", "contact_similar_email"):
        assert any(index in one for one in walks)
    for one in walks:
        assert "COVERING INDEX" in one or "Index Only Scan" in one
        assert "TEMP B-TREE" not in one
        assert "Sort" not in one


async def test_statements_do_not_grow_with_the_pairs(api: Client) -> None:
    counts = []
    for phone, names in (("+1 202-456-1111", "abc"), ("+1 202-456-1414", "defghijklm")):
        await group(api, phone, *names)
        with statements() as seen:
            await api(PAGE)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 8
