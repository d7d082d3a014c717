"""Selections of everything that a root field can answer."""

from collections.abc import Iterable, Iterator, Mapping
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
    operation, root = _call(document, field, dry_run=dry_run)
    return _printed(operation, [replace(root, selection_set=_operation(selected).selection_set)])


def reselected_often(
    document: str, field: GraphQLField, selected: Mapping[str, str], *, dry_run: bool
) -> str:
    """As `reselected`, with the root field several times: the selections by their aliases."""
    operation, root = _call(document, field, dry_run=dry_run)
    roots = [
        replace(root, alias=NameNode(value=alias), selection_set=_operation(one).selection_set)
        for alias, one in selected.items()
    ]
    return _printed(operation, roots)


def _call(
    document: str, field: GraphQLField, *, dry_run: bool
) -> tuple[OperationDefinitionNode, FieldNode]:
    operation = _operation(document)
    [root] = operation.selection_set.selections
    assert isinstance(root, FieldNode)
    if "dryRun" not in field.args:
        return operation, root
    value = ArgumentNode(name=NameNode(value="dryRun"), value=BooleanValueNode(value=dry_run))
    arguments = [one for one in root.arguments or () if one.name.value != "dryRun"]
    variables = [
        one for one in operation.variable_definitions or () if one.variable.name.value != "dryRun"
    ]
    return (
        replace(operation, variable_definitions=tuple(variables)),
        replace(root, arguments=(*arguments, value)),
    )


def _printed(operation: OperationDefinitionNode, roots: Iterable[FieldNode]) -> str:
    selections = SelectionSetNode(selections=tuple(roots))
    return print_ast(replace(operation, selection_set=selections))


@cache
def _operation(document: str) -> OperationDefinitionNode:
    [operation] = parse(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation
