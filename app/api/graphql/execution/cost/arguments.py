"""The part of arguments in the cost of an operation: numbers of rows, and points of conditions.

A part that only literals decide is a number; one that variables decide is a function of them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import (
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
)

from app.api.graphql.execution.cost.prices import CONDITION_POINTS, Rows

Variables = Mapping[str, Any]
Part = int | Callable[[Variables], int]

# Members of filters that only qualify a condition.
_QUALIFIERS = {"key", "kind", "ignoreCase"}

_GROUPS = (ObjectValueNode, ListValueNode, VariableNode)

# A filter has fewer levels. A deeper one is refused when it is coerced.
_LEVELS = 50


class GivenArguments:
    """The arguments of a root field, and the defaults of the variables."""

    def __init__(self, arguments: Mapping[str, ValueNode], defaults: Variables) -> None:
        self._arguments = arguments
        self._defaults = defaults

    def rows(self, rows: Rows) -> Part:
        sizes = [self._size(*self._located(path), rows.limit) for path in rows.arguments]
        given = [one for one in sizes if one is not None]
        if len(given) > 1:  # of which the resolver refuses all but one
            return lambda variables: max(_at(one, variables, rows.default) for one in given)
        if not given:
            return rows.default
        [size] = given
        return (
            size if isinstance(size, int) else lambda variables: _at(size, variables, rows.default)
        )

    def conditions(self, path: str) -> Part:
        """Their points."""
        node, below = self._located(path)
        if node is None:
            return 0
        fixed, names = _in_literal(node)
        if not names:
            return fixed

        def points(variables: Variables) -> int:
            points = fixed
            for name in names:
                points += condition_points(self._value(variables, name, below))
            return points

        return points

    def _located(self, path: str) -> tuple[ValueNode | None, Sequence[str]]:
        """The node of an argument or of a member of it, and the path within its variable."""
        name, *below = path.split(".")
        node = self._arguments.get(name)
        while below and isinstance(node, ObjectValueNode):
            name = below.pop(0)
            node = next((one.value for one in node.fields if one.name.value == name), None)
        return node, below

    def _size(
        self, node: ValueNode | None, below: Sequence[str], limit: int
    ) -> int | Callable[[Variables], int | None] | None:
        """None if the argument is omitted or null."""
        if node is None or isinstance(node, NullValueNode):
            return None
        if isinstance(node, VariableNode):
            name = node.name.value
            return lambda variables: _size_of(self._value(variables, name, below), limit)
        if isinstance(node, ListValueNode):
            return len(node.values)
        if isinstance(node, IntValueNode):
            return _size_of(int(node.value[:10]), limit)
        return 1

    def _value(self, variables: Variables, name: str, below: Sequence[str]) -> Any:
        value = variables.get(name)
        if value is None and name not in variables:
            value = self._defaults.get(name)
        for member in below:
            value = value.get(member) if isinstance(value, dict) else None
        return value


def _at(size: int | Callable[[Variables], int | None], variables: Variables, default: int) -> int:
    found = size if isinstance(size, int) else size(variables)
    return default if found is None else found


def _size_of(value: Any, limit: int) -> int | None:
    kind = type(value)
    if kind is int or kind is float:
        return int(min(value, limit)) if value >= 0 else 0
    if kind is list:
        return len(value)
    return None if value is None else 1


def condition_points(value: Any, levels: int = _LEVELS) -> int:
    """Of a filter, a search, or a part of a filter in a variable."""
    kind = type(value)
    if kind is dict and levels:
        points = 0
        for name, one in value.items():
            if name not in _QUALIFIERS:
                points += condition_points(one, levels - 1)
        return points or CONDITION_POINTS
    if kind is list and levels:
        points = 0
        for one in value:
            if type(one) is dict or type(one) is list:
                points += condition_points(one, levels - 1)
        return points or CONDITION_POINTS + len(value)
    return 0 if value is None else CONDITION_POINTS


def _in_literal(node: ValueNode) -> tuple[int, list[str]]:
    """The points of the literal, and the variables in it."""
    if isinstance(node, VariableNode):
        return 0, [node.name.value]
    if isinstance(node, NullValueNode):
        return 0, []
    if isinstance(node, ObjectValueNode):
        members = [one.value for one in node.fields if one.name.value not in _QUALIFIERS]
    elif isinstance(node, ListValueNode):
        members = list(node.values)
        if not any(
            isinstance(one, ObjectValueNode | ListValueNode | VariableNode) for one in members
        ):
            return CONDITION_POINTS + len(members), []
    else:
        return CONDITION_POINTS, []
    found = [_in_literal(one) for one in members]
    fixed, names = sum(one for one, _ in found), [name for _, inner in found for name in inner]
    return (fixed if names else max(CONDITION_POINTS, fixed)), names
