"""Executes operations: the compiled way where it leads, and by graphql-core otherwise."""

from collections.abc import Callable, Mapping
from typing import Any

import strawberry
from graphql import ExecutionResult, GraphQLResolveInfo, OperationDefinitionNode, execute

from app.api.graphql.context import Context
from app.api.graphql.execution.documents import Document
from app.api.graphql.execution.operation import Compiler, Raised


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
    ) -> ExecutionResult:
        compiled = document.compiled(operation, self._compiler)
        if compiled is None:
            return await self._by_graphql_core(document, operation, variables, context)
        try:
            arguments = compiled.arguments(variables or {})
        except Exception:  # whatever it is, graphql-core tells it to the caller
            return await self._by_graphql_core(document, operation, variables, context)
        calls = await compiled.call(context, arguments)
        try:
            return compiled.result(calls)
        except Exception:  # likewise; but no resolver is called twice
            called = _called(compiled.outcomes(calls))
            return await self._by_graphql_core(document, operation, variables, context, called)

    async def _by_graphql_core(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: dict[str, Any] | None,
        context: Context,
        *middleware: Callable[..., Any],
    ) -> ExecutionResult:
        assert document.ast is not None  # noqa: S101  # a document with errors has no operation
        result = execute(
            self._schema,
            document.ast,
            context_value=context,
            variable_values=variables,
            operation_name=operation.name.value if operation.name else None,
            middleware=middleware or None,
            hide_suggestions=self._hide_suggestions,
        )
        return result if isinstance(result, ExecutionResult) else await result


def _called(outcomes: Mapping[str, Any]) -> Callable[..., Any]:
    """Gives graphql-core the outcomes of resolvers that were already called."""

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
