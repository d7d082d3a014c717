"""The cost of an operation before its execution: the rows that it may touch x the fields of each.

The part that the document decides is computed once for each operation. Only the numbers, lists and
filters in variables are left for each request.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    value_from_ast_untyped,
)

from app.api.graphql.execution.cost.arguments import GivenArguments, Part, Variables
from app.api.graphql.execution.cost.prices import INNER_ROWS, price_of
from app.api.graphql.execution.cost.selections import SelectionPoints
from app.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Cost:
    fixed: int
    parts: Sequence[Callable[[Variables], int]]

    def points(self, variables: Variables) -> int:
        points = self.fixed
        for part in self.parts:
            points += part(variables)
        return points


def too_costly(points: int, allowed: int) -> LimitExceeded:
    rule = f"The operation must cost at most {allowed:,} points"
    return LimitExceeded(rule, "MAX_OPERATION_COST", allowed, points)


def cost_of(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
) -> Cost:
    """The cost of a valid operation."""
    root = schema.get_root_type(operation.operation)
    if root is None:
        return Cost(0, ())
    defaults = {
        one.variable.name.value: value_from_ast_untyped(one.default_value)
        for one in operation.variable_definitions or ()
        if one.default_value is not None
    }
    is_read = operation.operation is OperationType.QUERY
    selections = SelectionPoints(schema, fragments, is_read=is_read)
    parts = [
        part
        for node in selections.root_fields(operation.selection_set)
        for part in _parts(selections, root, node, defaults)
    ]
    return Cost(
        sum(part for part in parts if isinstance(part, int)),
        [part for part in parts if not isinstance(part, int)],
    )


def _parts(
    selections: SelectionPoints, root: GraphQLObjectType, node: FieldNode, defaults: Variables
) -> Iterator[Part]:
    field = root.fields.get(node.name.value)
    if field is None:
        yield selections.of_introspection(node)
        return
    price = price_of(field)
    points = selections.of_field(root.name, field, node, in_row=False)
    yield price.base + points.fixed
    given = GivenArguments({one.name.value: one.value for one in node.arguments or ()}, defaults)
    if price.rows is None:
        yield price.each + INNER_ROWS * points.per_row
    else:
        yield _times(given.rows(price.rows), price.each + points.per_row)
    for path in price.conditions:
        yield given.conditions(path)


def _times(rows: Part, each: int) -> Part:
    return rows * each if isinstance(rows, int) else lambda variables: rows(variables) * each
