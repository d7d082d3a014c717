"""The schema that clients read."""

from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    get_nullable_type,
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


def test_field_id_is_the_id_of_its_object() -> None:
    objects = [
        kind for kind in schema._schema.type_map.values() if isinstance(kind, GraphQLObjectType)
    ]
    with_id = {kind.name for kind in objects if "id" in kind.fields}
    assert with_id == {"Contact", "Workspace", "ApiKey"}
    assert {kind.name for kind in objects if kind.interfaces} == {"Contact"}


LIST_ITEMS_BY_THEIR_KEY = {
    "Assignment": "`kind` and `targetId`",
    "ConflictReason": "`code` and `message`",
    "ContactAlias": "`kind`, `source` and `value`",
    "CustomFieldDefinition": "`key`",
    "DeleteRow": "`index`",
    "DuplicatePair": "the ids of its two contacts",
    "ExternalId": "`source`",
    "FieldChange": "`path`",
    "FieldError": "no key but its position",
    "TagCount": "`tag`",
    "UpdateRow": "`index`",
    "UpsertRow": "`index`",
    "Warning": "`code` and `field`",
}


def test_list_items_without_an_id_describe_their_key() -> None:
    descriptions = {
        item.name: item.description or ""
        for kind in schema._schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind)
        for field in kind.fields.values()
        if isinstance(get_nullable_type(field.type), GraphQLList)
        and isinstance(item := get_named_type(field.type), GraphQLObjectType)
        and not {"id", "cursor"} & item.fields.keys()
    }
    assert descriptions.keys() == LIST_ITEMS_BY_THEIR_KEY.keys()
    for name, key in LIST_ITEMS_BY_THEIR_KEY.items():
        assert key in descriptions[name], name


def test_descriptions_are_sentences() -> None:
    unfinished = [
        place for place, text in described(schema._schema) if text and text.strip()[-1] not in ".!?"
    ]
    assert unfinished == []


def test_every_root_field_is_nullable_so_that_its_error_hides_no_other_answer() -> None:
    roots = (schema._schema.query_type, schema._schema.mutation_type)
    fields = {
        name: field for root in roots if root is not None for name, field in root.fields.items()
    }
    assert len(fields) > 20
    assert [name for name, field in fields.items() if isinstance(field.type, GraphQLNonNull)] == []
