"""Counts how often a document selects the same field in one place of its answer.

Validation compares all fields of a place with each other, so its time grows with the square of
their number.
"""

from collections.abc import Iterator, Mapping, Sequence

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

# Of levels that differ in their fields. A document of 1,000 tokens has fewer, unless its fragments
# are combined in ever new ways.
_MOST_LEVELS = 1_000
_TOO_MANY = 1_000_000_000

Fragments = Mapping[str, FragmentDefinitionNode]


def most_repeats(operation: OperationDefinitionNode, fragments: Fragments) -> int:
    """The number of fields in the place that has most, or a very large one for too many levels."""
    most = 0
    seen: set[tuple[int, ...]] = set()
    waiting = [[operation.selection_set]]
    while waiting:
        fields = list(_fields(waiting.pop(), fragments, set()))
        level = tuple(map(id, fields))
        if level in seen:
            continue
        seen.add(level)
        if len(seen) > _MOST_LEVELS:
            return _TOO_MANY
        for repeated in _by_key(fields):
            most = max(most, len(repeated))
            below = [one.selection_set for one in repeated if one.selection_set]
            if below:
                waiting.append(below)
    return most


def _fields(
    selections: Sequence[SelectionSetNode], fragments: Fragments, spread: set[str]
) -> Iterator[FieldNode]:
    """Those of one level. A fragment that is spread again adds nothing, as in execution."""
    for selection in selections:
        for node in selection.selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from _fields([node.selection_set], fragments, spread)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                fragment = fragments.get(node.name.value)
                if fragment is not None:
                    yield from _fields([fragment.selection_set], fragments, spread)


def _by_key(fields: Sequence[FieldNode]) -> Iterator[list[FieldNode]]:
    groups: dict[str, list[FieldNode]] = {}
    for field in fields:
        groups.setdefault((field.alias or field.name).value, []).append(field)
    yield from groups.values()
