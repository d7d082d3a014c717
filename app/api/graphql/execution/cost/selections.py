"""The part of selections in the cost of an operation.

The points of a selection set are computed once, however often its fragment is spread.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_object_type,
)

from app.api.graphql.execution.cost.prices import (
    INNER_ROWS,
    JSON_POINTS,
    points_of,
)

# Points stop here, because fragments that double have counts of many digits.
_MOST = 1_000_000_000

# Introspection answers from memory, and most types have only one of these lists.
_POINTS_OF_INTROSPECTION = 0.25
_LENGTHS = {
    "types": 80,
    "fields": 12,
    "inputFields": 12,
    "directives": 8,
    "enumValues": 6,
    "possibleTypes": 4,
    "args": 2,
}


@dataclass(frozen=True, slots=True)
class Points:
    """`per_row` are those of one row of the first list."""

    fixed: int = 0
    per_row: int = 0

    def beside(self, other: "Points") -> "Points":
        return Points(
            min(self.fixed + other.fixed, _MOST), min(self.per_row + other.per_row, _MOST)
        )


class SelectionPoints:
    """The first list below a root field has its rows, a list in a row INNER_ROWS. Of an abstract
    type, the most expensive member counts."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        *,
        is_read: bool,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._json = JSON_POINTS if is_read else 1
        self._found: dict[tuple[int, str, bool], Points] = {}
        self._introspected: dict[int, float] = {}

    def root_fields(self, selections: SelectionSetNode) -> Iterator[FieldNode]:
        """Their number is limited."""
        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield node
            else:
                yield from self.root_fields(self._fragment(node))

    def of_field(
        self, parent: str, field: GraphQLField, node: FieldNode, *, in_row: bool
    ) -> Points:
        kind = get_named_type(field.type)
        if not is_composite_type(kind) or node.selection_set is None:
            is_json = parent == "Contact" and kind.name == "JSON"
            return Points(self._json if is_json else points_of(field))
        if not _is_list(field):
            below = self._of(node.selection_set, kind, in_row=in_row)
            return Points(points_of(field)).beside(below)
        each = self._of(node.selection_set, kind, in_row=True).fixed + 1
        if in_row:
            return Points(points_of(field) + INNER_ROWS * each)
        return Points(points_of(field), each)

    def of_introspection(self, node: FieldNode) -> int:
        return min(int(self._introspection(node) * _POINTS_OF_INTROSPECTION) + 1, _MOST)

    def _of(
        self, selections: SelectionSetNode, kind: GraphQLCompositeType, *, in_row: bool
    ) -> Points:
        if is_abstract_type(kind):
            members = [
                self._of(selections, one, in_row=in_row)
                for one in self._schema.get_possible_types(kind)
            ]
            return Points(max(one.fixed for one in members), max(one.per_row for one in members))
        place = (id(selections), kind.name, in_row)
        if place not in self._found:
            assert is_object_type(kind)  # noqa: S101  # any other composite type is abstract
            self._found[place] = self._of_object(selections, kind, in_row=in_row)
        return self._found[place]

    def _of_object(
        self, selections: SelectionSetNode, kind: GraphQLObjectType, *, in_row: bool
    ) -> Points:
        total = Points()
        for node in selections.selections:
            if not isinstance(node, FieldNode):
                if self._applies(node, kind):
                    total = total.beside(self._of(self._fragment(node), kind, in_row=in_row))
            elif (field := kind.fields.get(node.name.value)) is None:
                total = total.beside(Points(1))  # __typename
            else:
                total = total.beside(self.of_field(kind.name, field, node, in_row=in_row))
        return total

    def _applies(self, node: SelectionNode, kind: GraphQLObjectType) -> bool:
        """Whether a fragment is of the type, or of an abstract type that has it."""
        condition: NamedTypeNode | None
        if isinstance(node, FragmentSpreadNode):
            condition = self._fragments[node.name.value].type_condition
        else:
            assert isinstance(node, InlineFragmentNode)  # noqa: S101  # the third kind of selection
            condition = node.type_condition
        if condition is None or condition.name.value == kind.name:
            return True
        other = self._schema.get_type(condition.name.value)
        return is_abstract_type(other) and self._schema.is_sub_type(other, kind)

    def _fragment(self, node: SelectionNode) -> SelectionSetNode:
        if isinstance(node, FragmentSpreadNode):
            return self._fragments[node.name.value].selection_set
        assert isinstance(node, InlineFragmentNode)  # noqa: S101  # the third kind of selection
        return node.selection_set

    def _introspection(self, node: FieldNode) -> float:
        if node.selection_set is None:
            return 1
        each = 1 + self._introspected_below(node.selection_set)
        return each * _LENGTHS.get(node.name.value, 1)

    def _introspected_below(self, selections: SelectionSetNode) -> float:
        if id(selections) not in self._introspected:
            self._introspected[id(selections)] = sum(
                self._introspection(node)
                if isinstance(node, FieldNode)
                else self._introspected_below(self._fragment(node))
                for node in selections.selections
            )
        return self._introspected[id(selections)]


def _is_list(field: GraphQLField) -> bool:
    kind = field.type
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)
