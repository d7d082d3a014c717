"""The attributes of contact records that an answer reads: a store need read no others, and a caller
without the scope `contacts:read` may ask for none but the id."""

from collections.abc import Iterator

from graphql import GraphQLField, GraphQLOutputType, get_named_type, is_composite_type

from app.api.graphql.execution.selections import Nodes, Selections

CONTACT = "Contact"
READS = "reads"  # in the metadata of a field: the attributes that it is computed from


def contact_attributes(
    selections: Selections, returns: GraphQLOutputType, nodes: Nodes
) -> frozenset[str]:
    """Of all contacts anywhere below the field of these nodes, which returns this type."""
    return frozenset(_attributes(selections, returns, nodes, set()))


def _attributes(
    selections: Selections,
    returns: GraphQLOutputType,
    nodes: Nodes,
    seen: set[tuple[str, tuple[int, ...]]],
) -> Iterator[str]:
    named = get_named_type(returns)
    if not is_composite_type(named):
        return
    for kind in selections.objects(named):
        place = (kind.name, tuple(map(id, nodes)))
        if place in seen:
            continue
        seen.add(place)
        for below in selections.below(kind, nodes).values():
            field = kind.fields.get(below[0].name.value)
            if field is None:
                continue  # __typename
            yield from _read_by(field, is_own=kind.name == CONTACT)
            if kind.name != CONTACT:
                yield from _attributes(selections, field.type, below, seen)


def _read_by(field: GraphQLField, *, is_own: bool) -> frozenset[str]:
    """A field of a contact reads the attribute of its name, unless it says otherwise."""
    definition = field.extensions["strawberry-definition"]
    default = frozenset({definition.python_name} if is_own else ())
    reads: frozenset[str] = definition.metadata.get(READS, default)
    return reads
