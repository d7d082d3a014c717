"""A compiled operation is answered as graphql-core answers it, to the byte."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from graphql import ExecutionResult, execute
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from app.api.graphql.context import Context, Info
from app.api.graphql.execution.answers import executed
from app.api.graphql.execution.documents import Documents
from app.api.graphql.execution.execute import Executor
from app.api.graphql.execution.operation import Compiler
from app.api.graphql.schema import schema
from app.api.http.response import respond
from app.workspaces.keys import Scope
from tests.support.operations import Operation, operations
from tests.support.outcomes import CALLER, outcomes

NO_DATABASE: Any = None
WRITER = replace(CALLER, scopes=frozenset({Scope.CONTACTS_WRITE}))
ROOT_FIELDS = {
    name: field
    for root in (schema._schema.query_type, schema._schema.mutation_type)
    if root is not None
    for name, field in root.fields.items()
}


class Resolvers:
    """Stand in for all resolvers: they answer given outcomes, and note how they were called."""

    def __init__(self, prepared: dict[str, list[Any]]) -> None:
        self._left = {name: list(reversed(all_)) for name, all_ in prepared.items()}
        self.calls: list[str] = []

    async def resolve(self, name: str, info: Info, arguments: dict[str, Any]) -> Any:
        attributes = sorted(info.contact_attributes)
        self.calls.append(repr((name, attributes, info.context.caller, arguments)))
        outcome = self._left[name].pop()
        if isinstance(outcome, Exception):
            raise outcome.with_traceback(None)
        return outcome


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Resolvers], None]:
    current: list[Resolvers] = []

    def standing_in(name: str) -> Callable[..., Awaitable[Any]]:
        def resolver(_: None, info: Info, **arguments: Any) -> Awaitable[Any]:
            return current[-1].resolve(name, info, arguments)

        return resolver

    for name, field in ROOT_FIELDS.items():
        resolver = field.extensions["strawberry-definition"].base_resolver
        monkeypatch.setattr(resolver, "wrapped_func", standing_in(name))
    return current.append


async def by_graphql_core(ast: Any, operation: Operation, context: Context) -> ExecutionResult:
    result = execute(
        schema._schema,
        ast,
        context_value=context,
        variable_values=operation.variables,
        operation_name=operation.name,
    )
    return result if isinstance(result, ExecutionResult) else await result


@settings(max_examples=100)
@given(data=st.data())
def test_compiled_operation_is_answered_as_by_graphql_core(
    data: st.DataObject, stand_in: Callable[[Resolvers], None]
) -> None:
    operation = data.draw(operations(schema._schema))
    document = Documents(schema._schema, introspection=True).prepare(operation.document)
    assume(not document.errors)
    prepared = {
        name: data.draw(st.lists(outcomes(name), min_size=3, max_size=3))
        for name in ROOT_FIELDS
        if f" {name}" in operation.document
    }
    first, second = Resolvers(prepared), Resolvers(prepared)
    node = document.operation(operation.name)
    assert node is not None
    executor = Executor(schema, hide_suggestions=False)
    context = Context(NO_DATABASE, data.draw(st.sampled_from([CALLER, WRITER])))

    stand_in(first)
    wanted = asyncio.run(by_graphql_core(document.ast, operation, context))
    document.compiled(node, Compiler(schema))  # as if it had come before
    stand_in(second)
    answer = asyncio.run(executor.execute(document, node, operation.variables, context))
    assert bytes_of(answer) == bytes_of(wanted)
    assert second.calls == first.calls
    is_compiled = document.compiled(node, Compiler(schema)) is not None
    event("compiled" if is_compiled else "left to graphql-core")


def bytes_of(result: ExecutionResult) -> bytes:
    return bytes(respond(executed(result), "application/json", 200).body)
