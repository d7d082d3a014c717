"""Reading contacts."""

from typing import Annotated

import strawberry

from app import tables
from app.api.graphql.connection import ContactConnection, ContactOrder, ContactPage
from app.api.graphql.contact import Contact, ContactKeyInput, Node, id_key, keys_of
from app.api.graphql.context import Info
from app.api.graphql.execution.cost.prices import Price, Rows
from app.api.graphql.field import root_field
from app.api.graphql.filters import ContactFilter
from app.contacts.keys import ContactKey
from app.contacts.limits import (
    KEYS_LIMIT,
    PAGE_DEFAULT,
    PAGE_LIMIT,
    PATTERN_LENGTH,
    SEARCH_LENGTH,
)
from app.contacts.listing.conditions import All, Condition, search_for
from app.contacts.listing.order import Order, window
from app.contacts.listing.page import WALK, read_page
from app.contacts.store.find import find_each
from app.workspaces.keys import Scope


@strawberry.type
class ContactQuery:
    @root_field(
        Node,
        Scope.CONTACTS_READ,
        "The contact with this id, or null if there is none. An id that is not a UUID is an error.",
    )
    async def node(
        self,
        info: Info,
        id: Annotated[  # noqa: A002
            strawberry.ID, strawberry.argument(description="The id of a contact.")
        ],
    ) -> tables.Contact | None:
        [contact] = await _contacts(info, [id_key(id, "id")])
        return contact

    @root_field(
        list[Node | None],
        Scope.CONTACTS_READ,
        "The contacts with these ids, in the order of `ids`, null if there is none. An id that "
        "is not a UUID is an error.",
        Price(rows=Rows(("ids",), KEYS_LIMIT, KEYS_LIMIT)),
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"The ids of up to {KEYS_LIMIT} contacts."),
        ],
    ) -> list[tables.Contact | None]:
        return await _contacts(info, await keys_of(ids, info.context.caller, "ids", KEYS_LIMIT))

    @root_field(
        Contact, Scope.CONTACTS_READ, "The contact with this key, or null if there is none."
    )
    async def contact(
        self,
        info: Info,
        by: Annotated[ContactKeyInput, strawberry.argument(description="A key of the contact.")],
    ) -> tables.Contact | None:
        [contact] = await _contacts(info, [by.key(info.context.caller, "by")])
        return contact

    @root_field(
        list[Contact | None],
        Scope.CONTACTS_READ,
        "The contacts with these keys, in the order of `keys`, null if there is none.",
        Price(rows=Rows(("keys",), KEYS_LIMIT, KEYS_LIMIT)),
    )
    async def contacts_by_key(
        self,
        info: Info,
        keys: Annotated[
            list[ContactKeyInput],
            strawberry.argument(description=f"Up to {KEYS_LIMIT} keys."),
        ],
    ) -> list[tables.Contact | None]:
        wanted = await keys_of(keys, info.context.caller, "keys", KEYS_LIMIT)
        return await _contacts(info, wanted)

    @root_field(
        ContactConnection,
        Scope.CONTACTS_READ,
        "A page of contacts, by default the newest first. If no index serves the filter, a page "
        f"examines at most {WALK:,} contacts, so it may have fewer contacts than `first`, or "
        "none, while `hasNextPage` is true: continue after `endCursor`. With `last`, the same "
        "holds for `hasPreviousPage` and `startCursor`.",
        Price(
            rows=Rows(("first", "last"), PAGE_DEFAULT, PAGE_LIMIT), conditions=("filter", "search")
        ),
    )
    async def contacts(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002
            ContactFilter | None,
            strawberry.argument(description="The conditions that the contacts meet."),
        ] = strawberry.UNSET,
        search: Annotated[
            str | None,
            strawberry.argument(
                description=f"A text of {SEARCH_LENGTH} to {PATTERN_LENGTH} characters that an "
                "external id, the email, name, first and last name, company or phone number must "
                "contain, without regard to case and accents. `%` and `_` match only themselves."
            ),
        ] = strawberry.UNSET,
        order_by: Annotated[
            ContactOrder | None, strawberry.argument(description="The order of the contacts.")
        ] = strawberry.UNSET,
        first: Annotated[
            int | None,
            strawberry.argument(
                description=f"The page size from the start, or after `after`: 0 to {PAGE_LIMIT}. "
                f"It must not be given together with `last`. Without either, it is {PAGE_DEFAULT}."
            ),
        ] = strawberry.UNSET,
        after: Annotated[
            str | None, strawberry.argument(description="The page starts after this cursor.")
        ] = strawberry.UNSET,
        last: Annotated[
            int | None,
            strawberry.argument(
                description=f"The page size from the end, or before `before`: 0 to {PAGE_LIMIT}."
            ),
        ] = strawberry.UNSET,
        before: Annotated[
            str | None, strawberry.argument(description="The page ends before this cursor.")
        ] = strawberry.UNSET,
    ) -> ContactPage:
        order = order_by.order() if order_by else Order()
        chosen = window(
            info.context.caller, order, first=first, after=after, last=last, before=before
        )
        wanted: list[Condition] = []
        if filter:
            wanted.append(filter.condition(info.context, "filter"))
        if search is not None:
            wanted.append(search_for(search, "search"))
        condition = All(wanted)
        database, caller = info.context.database, info.context.caller
        found = await read_page(database, caller, order, chosen, condition, info.contact_attributes)
        return ContactPage(caller, order, chosen, condition, found)


async def _contacts(info: Info, keys: list[ContactKey]) -> list[tables.Contact | None]:
    names = info.contact_attributes
    return await find_each(info.context.database, info.context.caller, keys, names)
