"""Compiles operations: one function for each, from variables to the result.

An operation is compiled if its root fields are nullable and below them nothing waits, has arguments
or is introspected. Its result, errors included, is the one of graphql-core; only the errors of root
fields that run at the same time come in the order of the document, not in that of their time. The
resolvers and their checks are those that graphql-core calls.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import strawberry
from graphql import (
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLNonNull,
    OperationDefinitionNode,
    OperationType,
    located_error,
)
from strawberry.types.field import StrawberryField

from app.api.graphql.context import Context, PreparedInfo
from app.api.graphql.execution.arguments import Arguments, Variables
from app.api.graphql.execution.attributes import contact_attributes
from app.api.graphql.execution.coercion import Coercers
from app.api.graphql.execution.projection import Project, Projections
from app.api.graphql.execution.selections import Nodes, NotCompilable, Selections
from app.api.graphql.field import RequireScope, counted

Resolve = Callable[[PreparedInfo, dict[str, Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Raised:
    """The outcome of a root field whose resolver raised an exception."""

    error: Exception


@dataclass(frozen=True, slots=True)
class RootField:
    key: str
    nodes: Nodes
    contact_attributes: frozenset[str]
    arguments: Arguments
    resolve: Resolve
    project: Project


class Calls(NamedTuple):
    """The outcome of each root field, and the info for its projection."""

    infos: Sequence[PreparedInfo]
    outcomes: Sequence[Any]


class CompiledOperation:
    def __init__(
        self, fields: Sequence[RootField], variables: Variables, size: int, *, is_serial: bool
    ) -> None:
        self.size = size  # in fields
        self._fields = fields
        self._variables = variables
        self._is_serial = is_serial

    def arguments(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Those of each root field. Raises an exception where graphql-core has to judge."""
        self._variables.check(values)
        return [field.arguments.read(values) for field in self._fields]

    async def call(self, context: Context, arguments: Sequence[dict[str, Any]]) -> Calls:
        """Calls the resolvers: of a query all at once, of a mutation one after another."""
        infos = [PreparedInfo(context, field.contact_attributes) for field in self._fields]
        calls = zip(self._fields, infos, arguments, strict=True)
        if self._is_serial or len(infos) == 1:
            return Calls(infos, [await _outcome(*call) for call in calls])
        async with asyncio.TaskGroup() as group:  # waits for all, also when it is cancelled
            tasks = [group.create_task(_outcome(*call)) for call in calls]
        return Calls(infos, [task.result() for task in tasks])

    def result(self, calls: Calls) -> ExecutionResult:
        """Raises an exception for a value that graphql-core has to complete."""
        data: dict[str, Any] = {}
        errors: list[GraphQLError] = []
        for field, info, outcome in zip(self._fields, calls.infos, calls.outcomes, strict=True):
            if type(outcome) is Raised:
                data[field.key] = None
                errors.append(located_error(outcome.error, list(field.nodes), [field.key]))
            else:
                data[field.key] = field.project(outcome, info)
        return ExecutionResult(data, errors or None)

    def outcomes(self, calls: Calls) -> dict[str, Any]:
        """By response key."""
        return {
            field.key: outcome for field, outcome in zip(self._fields, calls.outcomes, strict=True)
        }


async def _outcome(field: RootField, info: PreparedInfo, arguments: dict[str, Any]) -> Any:
    try:
        return counted(await field.resolve(info, arguments))
    except Exception as error:  # of any kind becomes an error of its field
        return Raised(error)


class Compiler:
    """Compiles the operations of a schema."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._schema = schema._schema
        self._coercers = Coercers(schema)

    def compile(
        self,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        fields_limit: int,
    ) -> CompiledOperation | None:
        """None if the operation is left to graphql-core, as is one that selects more fields than
        the limit once its fragments are expanded."""
        try:
            return self._compiled(operation, fragments, fields_limit)
        except (NotCompilable, GraphQLError, RecursionError):
            return None

    def _compiled(
        self,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        fields_limit: int,
    ) -> CompiledOperation:
        root = self._schema.get_root_type(operation.operation)
        kind = operation.operation
        if root is None or kind is OperationType.SUBSCRIPTION or operation.directives:
            raise NotCompilable
        selections = Selections(self._schema, fragments, operation)
        projections = Projections(selections, fields_limit)
        variables = Variables(self._schema, self._coercers, operation.variable_definitions or ())
        fields = []
        for key, nodes in selections.root(root).items():
            field = root.fields.get(nodes[0].name.value)
            if field is None or isinstance(field.type, GraphQLNonNull):
                raise NotCompilable
            arguments = Arguments(self._coercers, variables, field, nodes[0])
            attributes = contact_attributes(selections, field.type, nodes)
            project = projections.of(field.type, nodes)
            fields.append(RootField(key, nodes, attributes, arguments, _resolver(field), project))
        is_serial = kind is OperationType.MUTATION
        return CompiledOperation(fields, variables, projections.size, is_serial=is_serial)


def _resolver(field: GraphQLField) -> Resolve:
    """Checks the scope and calls the resolver."""
    definition: StrawberryField = field.extensions["strawberry-definition"]
    resolver, extensions = definition.base_resolver, definition.extensions
    if resolver is None or len(extensions) != 1 or not isinstance(extensions[0], RequireScope):
        raise NotCompilable
    scope = extensions[0]
    function: Any = resolver.wrapped_func

    def resolve(info: PreparedInfo, arguments: dict[str, Any]) -> Awaitable[Any]:
        scope.check(info)
        called: Awaitable[Any] = function(None, info=info, **scope.map_arguments(arguments))
        return called

    return resolve
