"""Fields with resolvers. Every root field declares the scope it needs."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from app.api.graphql.context import Info
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
        self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any
    ) -> Any:
        if self.scope is not None:
            info.context.caller.require(self.scope)
        return await next_(source, info, **kwargs)


def root_field(scope: Scope | None, description: str) -> Callable[[Callable[..., Any]], Any]:
    """A field of Query or Mutation.

    It is always nullable: an error in a field that is not nullable would remove the results of all
    other root fields.
    """
    needs = f"Needs the scope `{scope.value}`." if scope else "Any key may ask."

    def field(resolver: Callable[..., Any]) -> Any:
        resolver.__annotations__["return"] = resolver.__annotations__["return"] | None
        return strawberry.field(
            resolver=resolver,
            description=f"{description} {needs}",
            extensions=[RequireScope(scope)],
        )

    return field


def computed_field(description: str | None) -> Callable[[Callable[..., Any]], Any]:
    """A field of an object that is computed only if it is selected."""

    def field(resolver: Callable[..., Any]) -> Any:
        return strawberry.field(resolver=resolver, description=description)

    return field
