"""Executes operations: compiled ones where possible, the others by graphql-core."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import graphql
import strawberry
from graphql import (
    ExecutionResult,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    execute_root_selection_set,
)

from app.api.graphql.context import Context
from app.api.graphql.execution.answers import ERRORS_LIMIT
from app.api.graphql.execution.documents import Document
from app.api.graphql.execution.operation import Compiler, Raised

# From this cost on, an operation is compiled at its first execution: graphql-core takes several
# times as long for an answer, and blocks the event loop for that time.
COSTLY = 5_000

# From this number of values on, variables are coerced in a thread, for the same reason.
MANY_VALUES = 20_000


class Executor:
    def __init__(self, schema: strawberry.Schema, *, hide_suggestions: bool) -> None:
        self._schema = schema._schema
        self._compiler = Compiler(schema)
        self._hide_suggestions = hide_suggestions

    async def execute(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: dict[str, Any] | None,
        context: Context,
        *,
        cost: int = 0,
        values: int = 0,
    ) -> ExecutionResult:
        """`values` is how many values the variables have at most."""
        at_once = cost > COSTLY or values > MANY_VALUES
        compiled = document.compiled(operation, self._compiler, at_once=at_once)
        apart = asyncio.to_thread if values > MANY_VALUES else _here
        if compiled is None:
            return await self._by_graphql_core(apart, document, operation, variables, context)
        try:
            arguments = await apart(compiled.arguments, variables or {})
        except Exception:  # graphql-core reports it to the caller
            return await self._by_graphql_core(apart, document, operation, variables, context)
        calls = await compiled.call(context, arguments)
        try:
            return compiled.result(calls)
        except Exception:  # likewise; but no resolver is called twice
            called = _called(compiled.outcomes(calls))
            return await self._by_graphql_core(
                apart, document, operation, variables, context, called
            )

    async def _by_graphql_core(
        self,
        apart: Callable[..., Awaitable[Any]],
        document: Document,
        operation: OperationDefinitionNode,
        variables: dict[str, Any] | None,
        context: Context,
        *middleware: Callable[..., Any],
    ) -> ExecutionResult:
        assert document.ast is not None  # noqa: S101  # a document with errors has no operation
        executor = await apart(
            graphql.Executor.build,
            self._schema,
            document.ast,
            context_value=context,
            raw_variable_values=variables,
            operation_name=operation.name.value if operation.name else None,
            max_coercion_errors=ERRORS_LIMIT,
            middleware=middleware or None,
            hide_suggestions=self._hide_suggestions,
        )
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        result = execute_root_selection_set(executor)
        return result if isinstance(result, ExecutionResult) else await result


async def _here(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return function(*arguments, **named)


def _called(outcomes: Mapping[str, Any]) -> Callable[..., Any]:
    """A middleware that gives graphql-core the outcomes of resolvers that were already called."""

    def resolve(
        resolver: Callable[..., Any], source: Any, info: GraphQLResolveInfo[Any], **arguments: Any
    ) -> Any:
        if info.path.prev is not None:
            return resolver(source, info, **arguments)
        outcome = outcomes[str(info.path.key)]
        if isinstance(outcome, Raised):
            raise outcome.error
        return outcome

    return resolve
