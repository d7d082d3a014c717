"""Selections of everything that a root field can answer."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    FieldNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    parse,
    print_ast,
)

# From the root field down: the type of the object and the name of its field.
Path = tuple[tuple[str, str], ...]


def leaves(schema: GraphQLSchema, returns: GraphQLOutputType, above: Path = ()) -> Iterator[Path]:
    """The path of each scalar and enum below a field that returns this type."""
    kind = get_named_type(returns)
    if isinstance(kind, GraphQLAbstractType):
        kinds = schema.get_possible_types(kind)
    else:
        assert isinstance(kind, GraphQLObjectType)
        kinds = [kind]
    for one in kinds:
        for name, field in one.fields.items():
            path = (*above, (one.name, name))
            if is_leaf_type(get_named_type(field.type)):
                yield path
            else:
                yield from leaves(schema, field.type, path)


def selection(paths: Iterable[Path]) -> str:
    """The selection of all these paths."""
    by_kind: dict[str, dict[str, list[Path]]] = {}
    for (kind, name), *below in paths:
        by_kind.setdefault(kind, {}).setdefault(name, []).append(tuple(below))
    members = [
        f"... on {kind} {{ {' '.join(_selected(*one) for one in fields.items())} }}"
        for kind, fields in by_kind.items()
    ]
    return f"{{ __typename {' '.join(members)} }}"


def _selected(name: str, below: list[Path]) -> str:
    return f"{name} {selection(below)}" if any(below) else name


def reselected(document: str, field: GraphQLField, selected: str, *, dry_run: bool) -> str:
    """The document with another selection of its root field, as a dry run if it can be one."""
    operation, chosen = _operation(document), _operation(selected)
    [root] = operation.selection_set.selections
    assert isinstance(root, FieldNode)
    variables = operation.variable_definitions or ()
    arguments = root.arguments or ()
    if "dryRun" in field.args:
        value = ArgumentNode(name=NameNode(value="dryRun"), value=BooleanValueNode(value=dry_run))
        arguments = (*(one for one in arguments if one.name.value != "dryRun"), value)
        variables = tuple(one for one in variables if one.variable.name.value != "dryRun")
    root = replace(root, arguments=arguments, selection_set=chosen.selection_set)
    return print_ast(
        replace(
            operation,
            variable_definitions=variables,
            selection_set=SelectionSetNode(selections=(root,)),
        )
    )


@cache
def _operation(document: str) -> OperationDefinitionNode:
    [operation] = parse(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation
