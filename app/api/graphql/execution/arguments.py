"""Compiles the arguments of root fields: from the variables of a request to what resolvers take.

Literals are coerced once; variables, also those inside of literals, for each request. Whatever
graphql-core would refuse raises an exception before any resolver runs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import strawberry
from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    is_input_object_type,
    is_input_type,
    type_from_ast,
)
from graphql.utilities.coerce_input_value import coerce_input_literal
from strawberry.types.base import StrawberryList, StrawberryMaybe

from app.api.graphql.execution.coercion import Build, Coercers, Member, NotCoercible, built
from app.api.graphql.execution.selections import NotCompilable

Values = Mapping[str, Any]
Read = Callable[[Values], Any]

# graphql-core refuses values that are nested more deeply than 200 levels.
DEPTH_LIMIT = 100

ABSENT = object()


class Variables:
    """The declared variables of an operation."""

    def __init__(
        self,
        schema: GraphQLSchema,
        coercers: Coercers,
        definitions: Iterable[VariableDefinitionNode],
    ) -> None:
        self._reads = {
            one.variable.name.value: _variable(schema, coercers, one) for one in definitions
        }
        self._unread = set(self._reads)

    def read(self, name: str) -> Read:
        """Reads the variable; ABSENT if it has neither a value nor a default."""
        self._unread.discard(name)
        return self._reads[name]

    def check(self, values: Values) -> None:
        """Refuses a value of a variable that nothing reads."""
        for name in self._unread:
            self._reads[name](values)


def _variable(
    schema: GraphQLSchema, coercers: Coercers, definition: VariableDefinitionNode
) -> Read:
    name, kind = definition.variable.name.value, type_from_ast(schema, definition.type)
    if not is_input_type(kind):
        raise NotCompilable
    coerce, may_nest = coercers.of(kind), _may_nest(kind)
    is_required = isinstance(kind, GraphQLNonNull)
    default = None
    if definition.default_value is not None:
        if is_input_object_type(get_named_type(kind)):
            raise NotCompilable
        default = built(_literal(definition.default_value, kind))

    def read(values: Values) -> Any:
        value = values.get(name, ABSENT)
        if value is ABSENT:
            if default is not None:
                return default()
            if is_required:
                raise NotCoercible
            return ABSENT
        if may_nest and _is_deep(value, DEPTH_LIMIT):
            raise NotCoercible
        return coerce(value)

    return read


def _may_nest(kind: GraphQLInputType, above: tuple[str, ...] = ()) -> bool:
    """Whether values of the type may be nested in values of the same type."""
    named = get_named_type(kind)
    if not isinstance(named, GraphQLInputObjectType):
        return False
    above = (*above, named.name)
    return any(
        get_named_type(field.type).name in above or _may_nest(field.type, above)
        for field in named.fields.values()
    )


def _is_deep(value: Any, levels: int) -> bool:
    members = value.values() if type(value) is dict else value if type(value) is list else ()
    return not levels or any(_is_deep(one, levels - 1) for one in members)


def _literal(node: ValueNode, kind: GraphQLInputType) -> Any:
    value = coerce_input_literal(node, kind)
    if value is Undefined:
        raise NotCompilable
    return value


class Arguments:
    """The arguments of a field."""

    def __init__(
        self, coercers: Coercers, variables: Variables, field: GraphQLField, node: FieldNode
    ) -> None:
        self._coercers = coercers
        self._variables = variables
        nodes = {one.name.value: one.value for one in node.arguments or ()}
        self._reads = [
            (argument.extensions["strawberry-definition"].python_name, read)
            for name, argument in field.args.items()
            if (read := self._argument(argument, nodes.get(name))) is not None
        ]

    def read(self, values: Values) -> dict[str, Any]:
        """By the names of the resolver, without those that have no value."""
        return _present(self._reads, values)

    def _argument(self, argument: GraphQLArgument, node: ValueNode | None) -> Read | None:
        python_kind = argument.extensions["strawberry-definition"].type
        if isinstance(python_kind, StrawberryMaybe) or argument.default is not None:
            raise NotCompilable
        omitted: Read | None = None
        if argument.default_value is not Undefined:
            omitted = _always(self._coercers.converted(argument.default_value, python_kind))
        if node is None:
            return omitted
        given = self._value(node, argument.type, python_kind)
        if omitted is None:
            return given

        def read(values: Values) -> Any:
            value = given(values)
            return omitted(values) if value is ABSENT else value

        return read

    def _value(self, node: ValueNode, kind: GraphQLInputType, python_kind: Any) -> Read:
        is_nullable = not isinstance(kind, GraphQLNonNull)
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if isinstance(node, VariableNode):
            read = self._variables.read(node.name.value)
            return read if is_nullable else _not_null(read)
        if not _has_variables(node):
            return _always(self._coercers.converted(_literal(node, kind), python_kind))
        if isinstance(node, ObjectValueNode) and isinstance(kind, GraphQLInputObjectType):
            return self._object(node, kind)
        if isinstance(node, ListValueNode) and isinstance(kind, GraphQLList):
            return self._list(node, kind.of_type, python_kind)
        raise NotCompilable

    def _list(self, node: ListValueNode, kind: GraphQLInputType, python_kind: Any) -> Read:
        while not isinstance(python_kind, StrawberryList):
            python_kind = python_kind.of_type  # of an optional list
        items = [self._value(one, kind, python_kind.of_type) for one in node.values]

        def read(values: Values) -> list[Any]:
            given = [item(values) for item in items]
            if ABSENT in given:
                raise NotCoercible
            return given

        return read

    def _object(self, node: ObjectValueNode, kind: GraphQLInputObjectType) -> Read:
        found = self._coercers.object(kind)
        parts = [
            (found.members[name].python_name, self._member(found.members[name], one.value))
            for one in node.fields
            if (name := one.name.value)
        ]

        def read(values: Values) -> Any:
            return found.build(_present(parts, values))

        return read

    def _member(self, member: Member, node: ValueNode) -> Read:
        read = self._value(node, member.kind, member.python_kind)
        if not _has_variables(node):
            return read

        def given(values: Values) -> Any:
            value = read(values)
            if value is None and not member.takes_null:
                raise NotCoercible
            return value if value is ABSENT or not member.is_maybe else strawberry.Some(value)

        return given


def _present(reads: Sequence[tuple[str, Read]], values: Values) -> dict[str, Any]:
    return {name: value for name, read in reads if (value := read(values)) is not ABSENT}


def _has_variables(node: ValueNode) -> bool:
    if isinstance(node, ObjectValueNode):
        return any(_has_variables(one.value) for one in node.fields)
    if isinstance(node, ListValueNode):
        return any(map(_has_variables, node.values))
    return isinstance(node, VariableNode)


def _always(build: Build) -> Read:
    return lambda _: build()


def _not_null(read: Read) -> Read:
    def not_null(values: Values) -> Any:
        value = read(values)
        if value is None:
            raise NotCoercible
        return value

    return not_null
