"""The fields that an operation selects, grouped by response key as graphql-core groups them.

Without variable values, as when an operation is compiled, a directive whose condition is a variable
raises GraphQLError. A group of fields is looked at once, however many fragments lead to it, so the
work is linear in the document.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLCompositeType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
)
from graphql.execution import VariableValues
from graphql.execution.collect_fields import (
    FieldDetails,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)

Nodes = tuple[FieldNode, ...]
Fields = Mapping[str, Nodes]

_NO_VALUES = VariableValues({}, {})


class NotCompilable(Exception):
    """The operation is left to graphql-core."""


class Selections:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        operation: OperationDefinitionNode,
        variable_values: VariableValues = _NO_VALUES,
    ) -> None:
        self.schema = schema
        self.operation = operation
        self._fragments = {name: FragmentDetails(one) for name, one in fragments.items()}
        self._variable_values = variable_values
        self._below: dict[tuple[str, tuple[int, ...]], Fields] = {}

    @classmethod
    def of_call(cls, info: GraphQLResolveInfo[Any]) -> "Selections":
        return cls(info.schema, info.fragments, info.operation, info.variable_values)

    def root(self, kind: GraphQLObjectType) -> Fields:
        collected = collect_fields(
            self.schema, self._fragments, self._variable_values, kind, self.operation
        )
        return _grouped(collected.grouped_field_set)

    def below(self, kind: GraphQLObjectType, nodes: Nodes) -> Fields:
        """The fields that the nodes of one response key select from an object of this type."""
        key = (kind.name, tuple(map(id, nodes)))
        if key not in self._below:
            collected = collect_subfields(
                self.schema,
                self._fragments,
                self._variable_values,
                self.operation,
                kind,
                [FieldDetails(node, None) for node in nodes],
            )
            self._below[key] = _grouped(collected.grouped_field_set)
        return self._below[key]

    def objects(self, kind: GraphQLCompositeType) -> Sequence[GraphQLObjectType]:
        """The type itself, or the possible types of an abstract one."""
        if isinstance(kind, GraphQLObjectType):
            return [kind]
        return self.schema.get_possible_types(kind)


def _grouped(fields: Mapping[str, Sequence[FieldDetails]]) -> Fields:
    return {key: tuple(one.node for one in details) for key, details in fields.items()}
