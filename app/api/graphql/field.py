"""Fields with resolvers. Every root field declares the scope it needs."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from app import logs
from app.api.graphql.execution.attributes import READS
from app.api.graphql.execution.cost.prices import POINTS, PRICE, READ, WRITE, Price
from app.errors import Forbidden
from app.workspaces.keys import Scope

# The stored data of a contact that a mutation returns to a key without the scope contacts:read.
READABLE_BY_WRITERS = frozenset({"id"})


class RequireScope(FieldExtension):
    """Refuses a caller without the scope, and an answer with data of contacts to a caller who must
    not read them: before the resolver is called, so that nothing is written. An omitted argument
    is None."""

    def __init__(self, scope: Scope | None, *, reads: bool = False) -> None:
        self.scope = scope
        self.reads = reads or scope is Scope.CONTACTS_READ

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
        return counted(await next_(source, info, **kwargs))

    def check(self, info: Any) -> None:
        caller = info.context.caller
        if self.scope is not None:
            caller.require(self.scope)
        if self.scope is not Scope.CONTACTS_READ and Scope.CONTACTS_READ not in caller.scopes:
            self._refuse_reading(info)

    def _refuse_reading(self, info: Any) -> None:
        if self.reads:
            info.context.caller.require(Scope.CONTACTS_READ)
        if info.contact_attributes - READABLE_BY_WRITERS:
            raise Forbidden(
                f"The API key must have the scope {Scope.CONTACTS_READ.value} to select data of "
                "contacts other than their ids."
            )


def counted(outcome: Any) -> Any:
    """Adds the rows in the result of a root field to those of the request's log line."""
    if outcome is not None:
        kind: Any = type(outcome)
        logs.current_request().rows += _counter(kind)(outcome)
    return outcome


@lru_cache
def _counter(kind: Any) -> Callable[[Any], int]:
    if issubclass(kind, list):
        return len
    return (lambda outcome: len(outcome.rows)) if hasattr(kind, "rows") else lambda _: 1


def root_field(
    returns: Any,
    scope: Scope | None,
    description: str,
    price: Price | None = None,
    *,
    reads: bool = False,
) -> Callable[[Callable[..., Any]], Any]:
    """A field of Query or Mutation.

    `returns` is the type in the schema; the resolver returns a record from which the fields of this
    type are read. The field is always nullable: an error in a field that is not nullable would
    remove the results of all other root fields. `reads` says of a mutation that its result depends
    on stored values, so that it needs the scope `contacts:read` too. Without a price, the field has
    that of one contact.
    """
    if price is None:
        price = READ if scope in (None, Scope.CONTACTS_READ) else WRITE
    needs = f"Needs the scope `{scope.value}`." if scope else "Any key may ask."
    if scope and reads:
        needs = f"Needs the scopes `{scope.value}` and `{Scope.CONTACTS_READ.value}`."

    def field(resolver: Callable[..., Any]) -> Any:
        resolver.__annotations__["return"] = returns | None
        return strawberry.field(
            resolver=resolver,
            description=f"{description} {needs}",
            extensions=[RequireScope(scope, reads=reads)],
            metadata={PRICE: price},
        )

    return field


def computed_field(
    compute: Callable[..., Any],
    description: str | None,
    reads: Iterable[str] = (),
    points: int = 1,
) -> Any:
    """A field that is computed from the record of its object, if it is selected.

    `reads` are the attributes of a contact's record from which it is computed, `points` its part
    of the cost of an operation.
    """
    metadata: dict[Any, Any] = {READS: frozenset(reads), POINTS: points}
    return strawberry.field(resolver=compute, description=description, metadata=metadata)


def stored_field(description: str, *reads: str) -> Any:
    """A field of a mutation's result that shows stored data of a contact."""
    return strawberry.field(description=description, metadata={READS: frozenset(reads)})


def read_from(*records: type) -> Callable[[object, object], bool]:
    """The `is_type_of` of a type whose fields are read from records of these classes."""

    def is_type_of(record: object, _: object) -> bool:
        return isinstance(record, records)

    return is_type_of
