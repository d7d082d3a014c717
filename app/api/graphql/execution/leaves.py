"""Code for the values of scalars and enums, exactly as graphql-core serializes them.

A plain value is recognized by a check in the generated code and is its own answer. Any other value
is left to the type's own function, which is slower and may raise.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from graphql import GraphQLEnumType, GraphQLID, GraphQLLeafType, Undefined

from app.api.graphql.scalars import as_it_came

# The check by the name of the type. `{first}` is the expression of the value, and `{value}` the
# name that it has afterwards.
_PLAIN = {
    "String": "type({first}) is str",
    "ID": "type({first}) is str",
    "Boolean": "type({first}) is bool",
    "Int": "type({first}) is int and -2147483648 <= {value} <= 2147483647",
    "Float": "type({first}) is float and isfinite({value})",
}


class NotPlain(Exception):
    """The value is completed by graphql-core, which knows the error."""


def plain_check(kind: GraphQLLeafType, first: str, value: str) -> str | None:
    """The condition under which a value is its own answer; None if no value is."""
    if getattr(kind, "coerce_output_value", None) is as_it_came:
        return f"{first} is not None"
    check = _PLAIN.get(kind.name)
    return None if check is None else check.format(first=first, value=value)


def serializer(kind: GraphQLLeafType) -> Callable[[Any], Any]:
    """Serializes any value but None, which it refuses."""
    names = _names(kind) if isinstance(kind, GraphQLEnumType) else None

    def serialize(value: Any) -> Any:
        if value is None or isinstance(value, Exception):
            raise NotPlain
        answer = kind.coerce_output_value(value) if names is None else names[value]
        if answer is None or answer is Undefined:
            raise NotPlain
        return answer

    if kind is GraphQLID:
        return lambda value: str(value) if isinstance(value, UUID) else serialize(value)
    return serialize


def _names(kind: GraphQLEnumType) -> dict[Any, str]:
    """The name in the schema of each member of the Python enum."""
    members = kind.extensions["strawberry-definition"].wrapped_cls
    return {member: kind.coerce_output_value(member) for member in members}
