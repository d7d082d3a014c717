"""Compiles the coercion of input: from JSON to what a resolver takes, in one pass.

Where graphql-core coerces a value by its type in the schema and Strawberry then converts it into
input objects, a coercer does both at once. It raises an exception for any value that is not plainly
right, without saying what is wrong: the operation is then left to graphql-core, which either knows
the error or coerces the value after all, such as a single value for a list.
"""

from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass
from typing import Any

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    Undefined,
    get_nullable_type,
)
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryMaybe, StrawberryOptional, has_object_definition

from app.api.graphql.execution.selections import NotCompilable
from app.api.graphql.scalars import as_it_came

Coerce = Callable[[Any], Any]
Build = Callable[[], Any]

# The class of which every value of a scalar is taken as it is.
_PLAIN = {"String": str, "ID": str, "Boolean": bool}


class NotCoercible(Exception):
    """The value is left to graphql-core."""


@dataclass(frozen=True, slots=True)
class Member:
    """A field of an input object."""

    python_name: str
    kind: GraphQLInputType
    python_kind: Any
    coerce: Coerce
    is_maybe: bool
    takes_null: bool
    default: Build | None


class InputObject:
    """A type of input objects."""

    def __init__(self, kind: GraphQLInputObjectType) -> None:
        definition = kind.extensions["strawberry-definition"]
        if definition.from_input is not None:
            raise NotCompilable
        self.is_one_of: bool = definition.is_one_of
        self.members: dict[str, Member] = {}
        self._class: Any = definition.origin
        self._nulls = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }
        # An attribute that an object does not have is then the default, of its class.
        self._has_defaults = all(hasattr(self._class, one.python_name) for one in definition.fields)
        self._coercers: dict[str, tuple[str, Coerce]] = {}
        self._completed: list[Member] = []

    def define(self, members: dict[str, Member]) -> None:
        """Sets the members, which may be of this type themselves."""
        self.members = members
        self._coercers = {name: (one.python_name, one.coerce) for name, one in members.items()}
        self._completed = [
            one
            for one in members.values()
            if one.default is not None or isinstance(one.kind, GraphQLNonNull)
        ]

    def coerce(self, value: Any) -> Any:
        if type(value) is not dict:
            raise NotCoercible
        given = {}
        coercers = self._coercers
        for name, one in value.items():
            python_name, coerce = coercers[name]
            given[python_name] = coerce(one)
        return self.build(given)

    def build(self, given: dict[str, Any]) -> Any:
        """The input object of the given members, by their Python names."""
        if self.is_one_of and len(given) != 1:
            raise NotCoercible
        for member in self._completed:
            if member.python_name not in given:
                if member.default is None:
                    raise NotCoercible
                given[member.python_name] = member.default()
        if self._has_defaults:
            value = object.__new__(self._class)
            value.__dict__ = given
            return value
        return self._class(**(self._nulls | given))


class Coercers:
    """Coercers by type. A type has one, however many operations use it."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._schema = schema
        self._objects: dict[str, InputObject] = {}

    def of(self, kind: GraphQLInputType) -> Coerce:
        if isinstance(kind, GraphQLNonNull):
            return self._not_null(kind.of_type)
        return _nullable(self._not_null(kind), _plain(kind))

    def object(self, kind: GraphQLInputObjectType) -> InputObject:
        if kind.name not in self._objects:
            found = self._objects[kind.name] = InputObject(kind)
            members = {name: self._member(found, one) for name, one in kind.fields.items()}
            found.define(members)
        return self._objects[kind.name]

    def converted(self, value: Any, python_kind: Any) -> Build:
        """Builds what Strawberry makes of a value that graphql-core has coerced."""
        registry = self._schema.schema_converter.scalar_registry
        return built(convert_argument(value, python_kind, registry, self._schema.config))

    def _member(self, parent: InputObject, field: GraphQLInputField) -> Member:
        definition = field.extensions["strawberry-definition"]
        kind, python_kind = field.type, definition.type
        is_maybe = isinstance(python_kind, StrawberryMaybe)
        takes_null = not (
            isinstance(kind, GraphQLNonNull)
            or parent.is_one_of
            or (is_maybe and not isinstance(python_kind.of_type, StrawberryOptional))
        )
        default = None
        if field.default_value is not Undefined:
            default = self.converted(field.default_value, python_kind)
        nullable: Any = get_nullable_type(kind)
        coerce = self.of(kind) if takes_null else self._not_null(nullable)
        if is_maybe:
            coerce = _some(coerce, _plain(kind))
        return Member(
            definition.python_name, kind, python_kind, coerce, is_maybe, takes_null, default
        )

    def _not_null(self, kind: GraphQLInputType) -> Coerce:
        match kind:
            case GraphQLList():
                return _list(self.of(kind.of_type))
            case GraphQLInputObjectType():
                return self.object(kind).coerce
            case GraphQLEnumType():
                return _enum(kind)
            case GraphQLScalarType():
                return _scalar(kind)
        raise NotCompilable


def built(value: Any) -> Build:
    """Builds the value anew for each call, because a resolver may change what it is given."""
    if isinstance(value, list):
        items = [built(one) for one in value]
        return lambda: [build() for build in items]
    if isinstance(value, strawberry.Some):
        held = built(value.value)
        return lambda: strawberry.Some(held())
    if isinstance(value, dict):
        return _built_by_name(dict, value.items())
    if has_object_definition(value):
        return _built_by_name(type(value), vars(value).items())
    return lambda: value


def _built_by_name(make: Callable[..., Any], values: Iterable[tuple[str, Any]]) -> Build:
    builds = [(name, built(value)) for name, value in values]
    return lambda: make(**{name: build() for name, build in builds})


def _plain(kind: GraphQLInputType) -> type | None:
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    return _PLAIN.get(kind.name) if isinstance(kind, GraphQLScalarType) else None


def _nullable(coerce: Coerce, plain: type | None) -> Coerce:
    def nullable(value: Any) -> Any:
        return value if value is None or type(value) is plain else coerce(value)

    return nullable


def _some(coerce: Coerce, plain: type | None) -> Coerce:
    some = strawberry.Some

    def maybe(value: Any) -> Any:
        return some(value) if type(value) is plain else some(coerce(value))

    return maybe


def _list(coerce: Coerce) -> Coerce:
    def coerce_list(value: Any) -> list[Any]:
        if type(value) is not list:
            raise NotCoercible
        return [coerce(one) for one in value]

    return coerce_list


def _enum(kind: GraphQLEnumType) -> Coerce:
    members = {name: kind.coerce_input_value(name) for name in kind.values}
    return members.__getitem__


def _scalar(kind: GraphQLScalarType) -> Coerce:
    if kind.coerce_input_value is as_it_came:
        return as_it_came
    plain = _PLAIN.get(kind.name)

    def coerce(value: Any) -> Any:
        if type(value) is plain:
            return value
        coerced = kind.coerce_input_value(value)
        if coerced is Undefined:
            raise NotCoercible
        return coerced

    return coerce
