"""The input that selects many contacts."""

import strawberry

from app.api.graphql.contact import ContactKeyInput, keys_of
from app.api.graphql.context import Context
from app.api.graphql.execution.cost.prices import Price, Rows
from app.api.graphql.filters import ContactFilter
from app.contacts.keys import ContactKey
from app.contacts.limits import SELECTION_LIMIT
from app.contacts.listing.conditions import All, Condition, search_for
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.workspaces.keys import Scope

# The price of writing what the argument `selection` selects.
SELECTION_PRICE = Price(
    base=10,
    each=10,
    rows=Rows(("selection.keys",), SELECTION_LIMIT, SELECTION_LIMIT),
    conditions=("selection.filter", "selection.search"),
)


@strawberry.input(
    description="A selection of contacts: either by `keys`, or by `filter`, `search` or both, as "
    "`contacts` lists them. A null counts as omitted."
)
class ContactSelection:
    keys: strawberry.Maybe[list[ContactKeyInput] | None] = strawberry.field(
        description=f"Up to {SELECTION_LIMIT} keys."
    )
    filter: strawberry.Maybe[ContactFilter | None] = strawberry.field(
        description="A filter with at least one condition, unless `search` is given. An empty "
        "group, list or text part does not count as a condition, nor does an `or` that contains "
        "one of them."
    )
    search: strawberry.Maybe[str | None] = strawberry.field(
        description="A text that the contacts contain, as in `contacts`."
    )

    async def selected(self, context: Context) -> list[ContactKey] | Condition:
        """The keys, or the condition that the contacts meet."""
        keys = self.keys.value if self.keys else None
        filter_ = self.filter.value if self.filter else None
        search = self.search.value if self.search else None
        if (keys is None) == (filter_ is None and search is None):
            message = "must have either keys, or a filter, a search or both"
            raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, "selection", message)])
        if keys is not None:
            return await keys_of(keys, context.caller, "selection.keys", SELECTION_LIMIT)
        return _condition(context, filter_, search)


def _condition(context: Context, filter_: ContactFilter | None, search: str | None) -> Condition:
    """Needs the scope `contacts:read`, because it tells what is stored."""
    context.caller.require(Scope.CONTACTS_READ)
    conditions: list[Condition] = []
    if filter_ is not None:
        conditions.append(filter_.condition(context, "selection.filter"))
    if search is not None:
        conditions.append(search_for(search, "selection.search"))
    return All(conditions)
