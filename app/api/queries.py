"""The root fields that read."""

from typing import Annotated
from uuid import UUID

import strawberry

from app.api.connection import ContactConnection, ContactOrder
from app.api.contact import Contact, ContactKeyInput, Node, keys_of
from app.api.context import Info
from app.api.custom_fields import CustomFieldDefinition
from app.api.duplicates import DuplicateQuery
from app.api.field import root_field
from app.api.filters import ContactFilter
from app.api.tags import TagCount
from app.api.viewer import Viewer
from app.auth import Scope
from app.contacts.custom_fields import definitions
from app.contacts.filters import All, search_for
from app.contacts.find import find
from app.contacts.known import ContactKey
from app.contacts.outcome import MatchedBy
from app.contacts.page import PAGE_DEFAULT, PAGE_LIMIT, Order, window
from app.contacts.tags import tag_counts
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields import plain_text

KEYS_LIMIT = 100
TAGS_LIMIT = 1000


@strawberry.type(description="What can be read.")
class Query(DuplicateQuery):
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
        f"`first` or `last` asks for up to {PAGE_LIMIT}.",
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

    @root_field(Scope.CONTACTS_READ, "The custom fields that are defined, by their keys.")
    async def custom_field_definitions(self, info: Info) -> list[CustomFieldDefinition]:
        async with info.context.database.read() as session:
            records = await definitions(session, info.context.caller.workspace_id)
        return [CustomFieldDefinition.of(record) for record in records]

    @root_field(
        Scope.CONTACTS_READ,
        "The tags that contacts have, letter by letter, with how many have each; the time that "
        "takes grows with the contacts that have them.",
    )
    async def tags(
        self,
        info: Info,
        first: Annotated[
            int, strawberry.argument(description=f"How many, from 0 to {TAGS_LIMIT}.")
        ] = TAGS_LIMIT,
        after: Annotated[
            str, strawberry.argument(description="The last tag of the page before.")
        ] = "",
    ) -> list[TagCount]:
        if not 0 <= first <= TAGS_LIMIT:
            message = f"must be from 0 to {TAGS_LIMIT}"
            raise InvalidInput([FieldError(FieldErrorCode.OUT_OF_RANGE, "first", message)])
        text = plain_text(after, "after")
        async with info.context.database.read() as session:
            counts = await tag_counts(session, info.context.caller, after=text, limit=first)
        return [TagCount(tag=tag, count=count) for tag, count in counts]

    @root_field(None, "Who is calling: workspace, key and scopes.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.of(info.context.caller)


async def _contact(info: Info, key: ContactKey) -> Contact | None:
    async with info.context.database.read() as session:
        known = await find(session, info.context.caller, [key])
    record = known.get(key)
    return None if record is None else Contact.of(record)
