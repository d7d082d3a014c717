"""Random operations of the schema, with their variables: mostly right, some of them broken."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLCompositeType,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_object_type,
    is_required_argument,
)
from hypothesis import strategies as st

Draw = st.DrawFn

TEXTS = st.sampled_from(["", "ada", "ada@example.com", "Ä", "é", '"', "\\", "line\nbreak", "$x"])
INTEGERS = st.sampled_from([0, 1, -1, 50, 2**31 - 1, -(2**31), 2**31, 2**53 + 1])
FLOATS = st.sampled_from([0.0, 1.5, -2.25, 5.0, 1e300])
JSON_VALUES = st.sampled_from([None, 1, "x", [1, [2]], {"a": {"b": None}}, [], {}])
WRONG = st.sampled_from([None, True, 7, 1.5, "nobody", [], [None], {}, {"nobody": 1}, [[1]]])

Scalars = Mapping[str, st.SearchStrategy[Any]]

SCALARS: Scalars = {
    "String": TEXTS,
    "ID": st.one_of(TEXTS, INTEGERS),
    "Int": INTEGERS,
    "Float": st.one_of(FLOATS, INTEGERS),
    "Boolean": st.booleans(),
    "DateTime": st.sampled_from(["2026-01-31T08:00:00Z", "yesterday"]),
    "JSON": JSON_VALUES,
}


@dataclass
class Operation:
    document: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    name: str | None = None


@dataclass
class Writer:
    """What has been written so far."""

    draw: Draw
    schema: GraphQLSchema
    scalars: Scalars
    declared: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) >= 100 - percent

    def one(self, of: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(of))

    def declare(self, kind: GraphQLInputType | str, value: Any, default: str = "") -> str:
        name = f"v{len(self.declared)}"
        self.declared[name] = f"${name}: {kind}{default}"
        if not self.chance(5):
            self.values[name] = value
        return f"${name}"

    def selection(self, kind: GraphQLCompositeType, depth: int = 0) -> str:
        parts = [self._selected(kind, depth) for _ in range(self.draw(st.integers(1, 4)))]
        return "{ " + " ".join(parts) + " }"

    def _selected(self, kind: GraphQLCompositeType, depth: int) -> str:
        if depth < 6 and self.chance(20):
            return self._fragment(kind, depth)
        if isinstance(kind, GraphQLObjectType) and not self.chance(5):
            names = [
                name
                for name, one in kind.fields.items()
                if depth < 6 or not is_composite_type(get_named_type(one.type))
            ]
            if names:
                name = self.one(names)
                return self._field(name, kind.fields[name], depth)
        if not is_object_type(kind) and not self.chance(20):
            return self._fragment(kind, depth)
        return f"__typename {self._directive()}"

    def _field(self, name: str, of: GraphQLField, depth: int) -> str:
        alias = f"{self.one('ab')}_{name}: " if self.chance(20) else ""
        return f"{alias}{name} {self._directive()} {self._below(of.type, depth)}"

    def _below(self, kind: GraphQLOutputType, depth: int) -> str:
        named = get_named_type(kind)
        return self.selection(named, depth + 1) if is_composite_type(named) else ""

    def _fragment(self, kind: GraphQLCompositeType, depth: int) -> str:
        on: GraphQLObjectType = (
            kind
            if isinstance(kind, GraphQLObjectType)
            else self.one(self.schema.get_possible_types(kind))
        )
        selection = self.selection(on, depth + 1)
        if self.chance(40):
            return f"... on {on.name} {self._directive()} {selection}"
        if on is kind and self.chance(30):
            return f"... {self._directive()} {selection}"
        name = f"F{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {on.name} {selection}")
        return f"...{name} {self._directive()}"

    def _directive(self) -> str:
        if not self.chance(6):
            return ""
        wanted = self.one(["true", "false"])
        if self.chance(15):
            wanted = self.declare("Boolean!", wanted == "true")
        return f"@{self.one(['include', 'skip'])}(if: {wanted})"

    def root_field(self, key: str, name: str, of: GraphQLField) -> str:
        arguments = [
            f"{argument}: {self._literal(one.type, 0)}"
            for argument, one in of.args.items()
            if is_required_argument(one) or self.chance(40)
        ]
        given = f"({', '.join(arguments)})" if arguments else ""
        return f"{key}: {name}{given} {self._directive()} {self._below(of.type, 0)}"

    def _literal(self, kind: GraphQLInputType, depth: int) -> str:
        if self.chance(35):
            return self._variable(kind, depth)
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if inner is kind and self.chance(8):
            return "null"
        if isinstance(inner, GraphQLList):
            items = [self._literal(inner.of_type, depth + 1) for _ in range(self._size())]
            return f"[{', '.join(items)}]"
        if isinstance(inner, GraphQLInputObjectType):
            members = [
                f"{name}: {self._literal(kind, depth + 1)}"
                for name, kind in self._members(inner, depth).items()
            ]
            return f"{{{', '.join(members)}}}"
        return written(self._value(GraphQLNonNull(inner), depth), inner)

    def _variable(self, kind: GraphQLInputType, depth: int) -> str:
        value = self.draw(WRONG) if self.chance(10) else self._value(kind, depth)
        named = get_named_type(kind)
        default = ""
        if self.chance(15) and not isinstance(named, GraphQLInputObjectType):
            default = f" = {written(self._value(kind, depth), kind)}"
        if isinstance(kind, GraphQLNonNull) and default and self.chance(50):
            kind = kind.of_type  # a variable with a default may be nullable here
        return self.declare(kind, value, default)

    def _size(self) -> int:
        size: int = self.one([0, 1, 1, 2, 3])
        return size

    def _members(self, kind: GraphQLInputObjectType, depth: int) -> Mapping[str, GraphQLInputType]:
        names = list(kind.fields)
        if kind.extensions["strawberry-definition"].is_one_of and not self.chance(5):
            name = self.one(names)
            member = kind.fields[name].type
            return {name: member if self.chance(5) else GraphQLNonNull(member)}
        chosen = self.draw(st.lists(st.sampled_from(names), max_size=4 if depth < 4 else 1))
        required = [
            name
            for name, one in kind.fields.items()
            if isinstance(one.type, GraphQLNonNull) and not self.chance(2)
        ]
        return {name: kind.fields[name].type for name in dict.fromkeys([*required, *chosen])}

    def _value(self, kind: GraphQLInputType, depth: int) -> Any:
        """As JSON."""
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        elif self.chance(8):
            return None
        if self.chance(1):
            return self.draw(WRONG)
        if isinstance(kind, GraphQLList):
            return [self._value(kind.of_type, depth + 1) for _ in range(self._size())]
        if isinstance(kind, GraphQLInputObjectType):
            members = self._members(kind, depth)
            return {name: self._value(one, depth + 1) for name, one in members.items()}
        if isinstance(kind, GraphQLEnumType):
            return self.one(list(kind.values))
        return self.draw(self.scalars[get_named_type(kind).name])


@st.composite
def operations(
    draw: Draw, schema: GraphQLSchema, scalars: Scalars = SCALARS, first: str = ""
) -> Operation:
    """Of up to three root fields, of which the first may be given."""
    writer = Writer(draw, schema, scalars)
    kind = writer.one(["query", "query", "mutation"])
    roots = {"query": schema.query_type, "mutation": schema.mutation_type}
    if first:
        [kind] = [name for name, root in roots.items() if root and first in root.fields]
    root = roots[kind]
    assert root is not None
    names = draw(
        st.lists(st.sampled_from(list(root.fields)), min_size=0 if first else 1, max_size=3)
    )
    names = [first, *names[:2]] if first else names
    fields = [
        writer.root_field(f"r{index}", name, root.fields[name]) for index, name in enumerate(names)
    ]
    if writer.chance(3):
        fields.append(writer.one(["__typename", '__type(name: "Contact") { name }']))
    declared = f"({', '.join(writer.declared.values())})" if writer.declared else ""
    name = "Op" if writer.chance(30) else ""
    parts = [f"{kind} {name}{declared} {{ {' '.join(fields)} }}", *writer.fragments]
    if name and writer.chance(50):
        parts.append("query Other { viewer { scopes } }")
    return Operation("\n".join(parts), writer.values, name or None)


def written(value: Any, kind: GraphQLInputType) -> str:
    """The JSON value as a literal of GraphQL."""
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str() if isinstance(kind, GraphQLEnumType):
            return value
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            inner = kind.of_type if isinstance(kind, GraphQLList) else kind
            return f"[{', '.join(written(one, inner) for one in value)}]"
        case dict():
            members = kind.fields if isinstance(kind, GraphQLInputObjectType) else {}
            written_members = (
                f"{name}: {written(one, members[name].type if name in members else kind)}"
                for name, one in value.items()
            )
            return f"{{{', '.join(written_members)}}}"
    return repr(value)
