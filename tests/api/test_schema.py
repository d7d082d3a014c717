"""The schema that clients read."""

from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)

from app.api.graphql.schema import schema

COMMITTED = Path(__file__).parent.parent.parent / "schema.graphql"


def test_committed_schema_is_the_codes() -> None:
    assert COMMITTED.read_text() == schema.as_str() + "\n", "run scripts/schema"


def described(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Everything in the schema that can have a description, with the one it has."""
    for name, kind in schema.type_map.items():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        yield name, kind.description
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in kind.fields.items():
                yield f"{name}.{field_name}", field.description
                for argument_name, argument in field.args.items():
                    yield f"{name}.{field_name}({argument_name})", argument.description
        if isinstance(kind, GraphQLInputObjectType):
            for field_name, input_field in kind.fields.items():
                yield f"{name}.{field_name}", input_field.description
        if isinstance(kind, GraphQLEnumType):
            for value_name, value in kind.values.items():
                yield f"{name}.{value_name}", value.description
    for directive in schema.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description


def test_everything_in_the_schema_has_a_description() -> None:
    missing = [place for place, text in described(schema._schema) if not (text or "").strip()]
    assert missing == []


def test_descriptions_are_looked_for_everywhere() -> None:
    bare = build_schema(
        """
        type Query implements I { f(a: In): E  u: U }
        interface I { f(a: In): E }
        union U = Query
        input In { x: S }
        enum E { V }
        scalar S
        """
    )
    assert {place for place, _ in described(bare)} == {
        *("Query", "Query.f", "Query.f(a)", "Query.u", "I", "I.f", "I.f(a)"),
        *("U", "In", "In.x", "E", "E.V", "S"),
    }


def test_descriptions_are_sentences() -> None:
    unfinished = [
        place for place, text in described(schema._schema) if text and text.strip()[-1] not in ".!?"
    ]
    assert unfinished == []
