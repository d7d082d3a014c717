"""Reading contacts."""

from typing import Annotated
from uuid import UUID

import strawberry

from app.api.graphql.connection import ContactConnection, ContactOrder
from app.api.graphql.contact import Contact, ContactKeyInput, Node, keys_of
from app.api.graphql.context import Info
from app.api.graphql.field import root_field
from app.api.graphql.filters import ContactFilter
from app.contacts.keys import ContactKey, MatchedBy
from app.contacts.listing.conditions import All, search_for
from app.contacts.listing.order import PAGE_DEFAULT, PAGE_LIMIT, Order, window
from app.contacts.listing.page import WALK_LIMIT
from app.contacts.store.find import find
from app.workspaces.keys import Scope

KEYS_LIMIT = 100


@strawberry.type
class ContactQuery:
    @root_field(Scope.CONTACTS_READ, "The object with this id, or null.")
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Any object's id.")],  # noqa: A002
    ) -> Node | None:
        try:
            key = ContactKey(MatchedBy.ID, UUID(id))
        except ValueError:
            return None
        return await _contact(info, key)

    @root_field(Scope.CONTACTS_READ, "One contact by one of its keys, or null.")
    async def contact(
        self,
        info: Info,
        by: Annotated[ContactKeyInput, strawberry.argument(description="The key.")],
    ) -> Contact | None:
        return await _contact(info, by.key("by"))

    @root_field(
        Scope.CONTACTS_READ,
        f"Many contacts at once, in the order asked, null where none is found. Up to {KEYS_LIMIT} "
        "keys.",
    )
    async def contacts_by_key(
        self,
        info: Info,
        keys: Annotated[list[ContactKeyInput], strawberry.argument(description="The keys.")],
    ) -> list[Contact | None]:
        wanted = keys_of(keys, "keys", KEYS_LIMIT)
        async with info.context.database.read() as session:
            known = await find(session, info.context.caller, wanted)
        records = [known.get(key) for key in wanted]
        return [None if record is None else Contact.of(record) for record in records]

    @root_field(
        Scope.CONTACTS_READ,
        f"A page of contacts, newest first unless ordered otherwise: {PAGE_DEFAULT} unless "
        f"`first` or `last` asks for up to {PAGE_LIMIT}. Where no index leads to what meets "
        f"the filter, a page looks at {WALK_LIMIT:,} contacts at most, and so may hold fewer than "
        "asked for, or none, while `hasNextPage` is true: go on after `endCursor`. With `last` "
        "that is `hasPreviousPage` and before `startCursor`.",
    )
    async def contacts(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002
            ContactFilter | None, strawberry.argument(description="Which contacts.")
        ] = strawberry.UNSET,
        search: Annotated[
            str | None,
            strawberry.argument(
                description="A text of three letters or more that has to stand in the external "
                "id, email, name, first and last name, company or phone, without regard to case "
                "and accents. `%` and `_` are letters like any other."
            ),
        ] = strawberry.UNSET,
        order_by: Annotated[
            ContactOrder | None, strawberry.argument(description="The order.")
        ] = strawberry.UNSET,
        first: Annotated[
            int | None,
            strawberry.argument(description="How many from the start, or after `after`."),
        ] = strawberry.UNSET,
        after: Annotated[
            str | None, strawberry.argument(description="The cursor to start behind.")
        ] = strawberry.UNSET,
        last: Annotated[
            int | None,
            strawberry.argument(description="How many from the end, or before `before`."),
        ] = strawberry.UNSET,
        before: Annotated[
            str | None, strawberry.argument(description="The cursor to end before.")
        ] = strawberry.UNSET,
    ) -> ContactConnection:
        order = order_by.order() if order_by else Order()
        chosen = window(
            info.context.caller, order, first=first, after=after, last=last, before=before
        )
        wanted = [
            *([filter.condition()] if filter else []),
            *([search_for(search, "search")] if search is not None else []),
        ]
        return await ContactConnection.of(info, order, chosen, All(wanted))


async def _contact(info: Info, key: ContactKey) -> Contact | None:
    async with info.context.database.read() as session:
        known = await find(session, info.context.caller, [key])
    record = known.get(key)
    return None if record is None else Contact.of(record)
