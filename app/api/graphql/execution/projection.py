"""Compiles selections: from the record that a resolver returned to the answer.

The functions are generated Python, one for each object type of each selection, because a function
of twelve fields costs a third of twelve closures. They assume what the types of the resolvers
promise: that a record of an object type has its attributes, and that `is_type_of` of the members of
an abstract type depends on the class of the record alone. Whatever else they meet, such as None
where the schema has no null, raises an exception; the caller then leaves the value to graphql-core.
"""

from collections.abc import Callable, Iterator, Sequence
from inspect import iscoroutinefunction
from math import isfinite
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    is_abstract_type,
    is_leaf_type,
    is_object_type,
)
from strawberry.types.field import StrawberryField

from app.api.graphql.execution.leaves import NotPlain, plain_check, serializer
from app.api.graphql.execution.selections import Nodes, NotCompilable, Selections

Project = Callable[[Any, Any], Any]  # from a record and the `info` of the root field


class Projections:
    def __init__(self, selections: Selections, fields_limit: int) -> None:
        self._selections = selections
        self._fields_limit = fields_limit
        self.size = 0
        self._objects: dict[tuple[str, tuple[int, ...]], Project] = {}

    def of(self, kind: GraphQLOutputType, nodes: Nodes) -> Project:
        """For a value of this type below the field of these nodes."""
        code = _Code()
        return code.function(f"return {self._expression(code, kind, nodes, 'record', 'record')}")

    def _expression(
        self, code: "_Code", kind: GraphQLOutputType, nodes: Nodes, read: str, name: str
    ) -> str:
        """An expression of the answer. `read` is the expression of the value, and `name` the
        variable that holds it where it is needed twice."""
        if isinstance(kind, GraphQLNonNull):
            return self._not_null(code, kind.of_type, nodes, read, name)
        first = _first(read, name)
        if is_leaf_type(kind) and (plain := plain_check(kind, first, name)) is not None:
            serialize = code.refer(serializer(kind))
            return f"{name} if {plain} or {name} is None else {serialize}({name})"
        return f"None if {first} is None else {self._not_null(code, kind, nodes, name, name)}"

    def _not_null(
        self, code: "_Code", kind: GraphQLOutputType, nodes: Nodes, read: str, name: str
    ) -> str:
        if is_leaf_type(kind):
            serialize = code.refer(serializer(kind))
            plain = plain_check(kind, _first(read, name), name)
            return (
                f"{serialize}({read})"
                if plain is None
                else (f"{name} if {plain} else {serialize}({name})")
            )
        if isinstance(kind, GraphQLList):
            item = self._expression(code, kind.of_type, nodes, "item", "item")
            return f"[{item} for item in {code.refer(_items)}({read})]"
        return f"{code.refer(self._composite(kind, nodes))}({read}, info)"

    def _composite(self, kind: GraphQLOutputType, nodes: Nodes) -> Project:
        if is_object_type(kind):
            return self._object(kind, nodes)
        if is_abstract_type(kind):
            return self._abstract(kind, nodes)
        raise NotCompilable

    def _object(self, kind: GraphQLObjectType, nodes: Nodes) -> Project:
        place = (kind.name, tuple(map(id, nodes)))
        if place not in self._objects:
            code = _Code()
            entries = ", ".join(self._entries(code, kind, nodes))
            check = f"if record is None: raise {code.refer(NotPlain)}"
            self._objects[place] = code.function(check, f"return {{{entries}}}")
        return self._objects[place]

    def _entries(self, code: "_Code", kind: GraphQLObjectType, nodes: Nodes) -> Iterator[str]:
        for key, below in self._selections.below(kind, nodes).items():
            self.size += 1
            if self.size > self._fields_limit:
                raise NotCompilable
            name = below[0].name.value
            if name == "__typename":
                yield f"{key!r}: {kind.name!r}"
                continue
            field = kind.fields[name]
            read = _read(code, field)
            yield f"{key!r}: {self._expression(code, field.type, below, read, 'value')}"

    def _abstract(self, kind: GraphQLAbstractType, nodes: Nodes) -> Project:
        members = [
            (_is_type_of(member), self._object(member, nodes))
            for member in self._selections.objects(kind)
        ]
        of_class: dict[type, Project] = {}

        def project(record: Any, info: Any) -> Any:
            found = of_class.get(type(record))
            if found is None:
                found = of_class[type(record)] = _member(members, record)
            return found(record, info)

        return project


class _Code:
    """The source of a function, and the objects that it refers to."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {"isfinite": isfinite}

    def refer(self, value: Any) -> str:
        name = f"_{len(self._names)}"
        self._names[name] = value
        return name

    def function(self, *lines: str) -> Project:
        source = "\n    ".join(["def project(record, info):", *lines])
        # Names in it are those of the schema and of the grammar of GraphQL, literals are escaped.
        exec(source, self._names)  # noqa: S102  # of this source alone
        function: Project = self._names["project"]
        return function


def _read(code: _Code, field: GraphQLField) -> str:
    """An expression of the value of a field that is an attribute, or computed without waiting."""
    definition: StrawberryField = field.extensions["strawberry-definition"]
    if definition.is_basic_field and definition.python_name.isidentifier():
        return f"record.{definition.python_name}"
    resolver = definition.base_resolver
    if (
        resolver is None
        or resolver.parent_parameter is None
        or iscoroutinefunction(resolver.wrapped_func)
        or definition.arguments
        or definition.extensions
    ):
        raise NotCompilable
    given = f"{resolver.parent_parameter.name}=record"
    if resolver.info_parameter is not None:
        given += f", {resolver.info_parameter.name}=info"
    return f"{code.refer(resolver.wrapped_func)}({given})"


def _first(read: str, name: str) -> str:
    return name if read == name else f"({name} := {read})"


def _is_type_of(member: GraphQLObjectType) -> Callable[[Any, Any], Any]:
    is_type_of: Any = member.extensions["strawberry-definition"].is_type_of
    if is_type_of is None:
        raise NotCompilable
    found: Callable[[Any, Any], Any] = is_type_of
    return found


def _member(members: Sequence[tuple[Callable[[Any, Any], Any], Project]], record: Any) -> Project:
    for is_type_of, project in members:
        if is_type_of(record, None):
            return project
    raise NotPlain


def _items(value: Any) -> Any:
    if type(value) is list or type(value) is tuple:
        return value
    raise NotPlain
