"""Fields with resolvers. Every root field declares the scope it needs."""

from collections.abc import Callable, Iterable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from app.api.graphql.execution.attributes import READS
from app.workspaces.keys import Scope


class RequireScope(FieldExtension):
    """Refuses a caller without the scope. An omitted argument is None."""

    def __init__(self, scope: Scope | None) -> None:
        self.scope = scope

    def apply(self, field: StrawberryField) -> None:
        self.absent = {
            argument.python_name: None
            for argument in field.arguments
            if argument.default is strawberry.UNSET
        }

    def map_arguments(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return self.absent | kwargs

    async def resolve_async(
        self, next_: Callable[..., Any], source: Any, info: strawberry.Info[Any, Any], **kwargs: Any
    ) -> Any:
        self.check(info)
        return await next_(source, info, **kwargs)

    def check(self, info: strawberry.Info[Any, Any]) -> None:
        if self.scope is not None:
            info.context.caller.require(self.scope)


def root_field(
    returns: Any, scope: Scope | None, description: str
) -> Callable[[Callable[..., Any]], Any]:
    """A field of Query or Mutation.

    `returns` is the type in the schema; the resolver returns a record from which the fields of this
    type are read. The field is always nullable: an error in a field that is not nullable would
    remove the results of all other root fields.
    """
    needs = f"Needs the scope `{scope.value}`." if scope else "Any key may ask."

    def field(resolver: Callable[..., Any]) -> Any:
        resolver.__annotations__["return"] = returns | None
        return strawberry.field(
            resolver=resolver,
            description=f"{description} {needs}",
            extensions=[RequireScope(scope)],
        )

    return field


def computed_field(
    compute: Callable[..., Any], description: str | None, reads: Iterable[str] = ()
) -> Any:
    """A field that is computed from the record of its object, if it is selected.

    `reads` are the attributes of a contact's record from which a field of it is computed.
    """
    metadata = {READS: frozenset(reads)}
    return strawberry.field(resolver=compute, description=description, metadata=metadata)


def read_from(*records: type) -> Callable[[object, object], bool]:
    """The `is_type_of` of a type whose fields are read from records of these classes."""

    def is_type_of(record: object, _: object) -> bool:
        return isinstance(record, records)

    return is_type_of
