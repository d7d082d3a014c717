"""Every operation with hostile values, on both databases in the same state: no failure of the
server, strict JSON, nothing of another workspace, and the same answer.

A third of the documents are made by hypothesis-graphql, which schemathesis uses: they are valid,
with any values of the right types as literals. The others have variables, fragments, values that
break things, wrong types, and identifiers of the other workspace.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from graphql import parse_value
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import mutations, queries

from app.api.graphql.schema import schema
from app.database.sessions import Database
from tests.support.databases import copied_postgresql, copied_sqlite
from tests.support.hostile import hostile
from tests.support.operations import Operation, operations
from tests.support.postgres import Cluster
from tests.support.serving import serving
from tests.support.sides import Sides, settled

EXAMPLES = 5  # of each root field

SCHEMA = schema._schema
ROOTS = {
    name: kind
    for kind in (SCHEMA.query_type, SCHEMA.mutation_type)
    if kind is not None
    for name in kind.fields
}
LITERALS = {
    "JSON": st.sampled_from(["{a: [1, {b: null}]}", '"x"', "1.5e300", "[]", "{a: {a: {a: {}}}}"]),
    "DateTime": st.sampled_from(['"2026-01-31T08:00:00Z"', '"9999-12-31T23:59:59-23:59"', '""']),
}
SCALARS = {name: texts.map(parse_value) for name, texts in LITERALS.items()}


def valid(root: str) -> st.SearchStrategy[Operation]:
    documents = queries if ROOTS[root] is SCHEMA.query_type else mutations
    texts = documents(SCHEMA, fields=[root], custom_scalars=SCALARS)
    return texts.map(lambda text: Operation(str(text)))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """Hypothesis ends an example by an exception that would end the event loop of async tests."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def sides(
    runner: asyncio.Runner,
    sqlite_template: Path,
    cluster: Cluster,
    postgresql_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Sides]:
    sqlite = copied_sqlite(sqlite_template, tmp_path_factory.mktemp("hostile"))
    urls = [sqlite, copied_postgresql(cluster, postgresql_template)]
    stack = AsyncExitStack()

    async def start() -> Sides:
        https = [await stack.enter_async_context(serving(url)) for url in urls]
        databases = [Database(url) for url in urls]
        for database in databases:
            stack.push_async_callback(database.close)
        return await settled(databases, https)

    yield runner.run(start())
    runner.run(stack.aclose())


@pytest.mark.parametrize("root", ROOTS)
@settings(max_examples=EXAMPLES, phases=[Phase.generate])  # shrinking would take minutes
@given(data=st.data())
def test_hostile_operation_is_answered_alike_and_without_a_failure(
    root: str, sides: Sides, runner: asyncio.Runner, data: st.DataObject
) -> None:
    odd = operations(SCHEMA, hostile(sides.identifiers), root)
    operation = data.draw(st.one_of(odd, odd, valid(root)))
    on_sqlite, on_postgresql = runner.run(sides.run(operation))
    assert on_sqlite == on_postgresql
