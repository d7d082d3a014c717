"""Relay's connection (GraphQL Cursor Connections) over keyset pages."""

import strawberry

from app.api.graphql.contact import Contact
from app.api.graphql.context import Info
from app.api.graphql.enums import Direction, OrderField
from app.api.graphql.field import computed_field
from app.contacts.limits import COUNT_LIMIT
from app.contacts.listing.conditions import Condition
from app.contacts.listing.order import Order, Position, Window, cursor
from app.contacts.listing.page import Count, count, page


@strawberry.input(description="An order of contacts. Contacts with equal values are ordered by id.")
class ContactOrder:
    field: OrderField = strawberry.field(
        default=OrderField.CREATED_AT, description="The field to order by."
    )
    direction: Direction = strawberry.field(
        default=Direction.DESC, description="The direction of the order."
    )

    def order(self) -> Order:
        return Order(self.field, self.direction)


@strawberry.type(description="A contact and its cursor.")
class ContactEdge:
    cursor: str = strawberry.field(
        description="An opaque cursor for `after` and `before`, valid in the same order and "
        "workspace."
    )
    node: Contact = strawberry.field(description="The contact.")


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="Whether more contacts follow this page, or may follow if the page ended "
        "early; true if `before` was given. With `last`, true only then."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether `after` was given. With `last`, also whether more contacts precede "
        "this page, or may precede it if the page ended early."
    )
    start_cursor: str | None = strawberry.field(
        description="The cursor of the start of the page. With `last`, pass it as `before` to "
        "continue."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the end of the page. Without `last`, pass it as `after` to "
        "continue."
    )


@strawberry.type(description="A page of contacts.")
class ContactConnection:
    condition: strawberry.Private[Condition]
    edges: list[ContactEdge] = strawberry.field(description="The contacts with their cursors.")
    page_info: PageInfo = strawberry.field(description="The position of the page in the list.")

    @computed_field("The contacts without their cursors.")
    async def nodes(self) -> list[Contact]:
        return [edge.node for edge in self.edges]

    @computed_field(
        "The number of contacts in the whole list if `totalCountIsExact`. It is counted only if "
        f"this field is selected, among at most {COUNT_LIMIT:,} contacts."
    )
    async def total_count(self, info: Info) -> int:
        return (await self._count(info)).total

    @computed_field(
        f"Whether `totalCount` counts all. False in a workspace of more than {COUNT_LIMIT:,} "
        "contacts, unless an index leads to those that meet the filter: more than `totalCount` "
        "may then meet it."
    )
    async def total_count_is_exact(self, info: Info) -> bool:
        return (await self._count(info)).is_exact

    async def _count(self, info: Info) -> Count:
        async with info.context.database.read(info.context.caller) as session:
            return await count(session, self.condition)

    @classmethod
    async def of(
        cls, info: Info, order: Order, window: Window, condition: Condition
    ) -> "ContactConnection":
        caller = info.context.caller
        async with info.context.database.read(caller) as session:
            found = await page(session, order, window, condition)
        edges = [
            ContactEdge(
                cursor=cursor(caller, order, Position.of(contact, order)), node=Contact.of(contact)
            )
            for contact in found.contacts
        ]
        stopped_at = cursor(caller, order, found.stopped_at) if found.stopped_at else None
        start, end = (edges[0].cursor, edges[-1].cursor) if edges else (stopped_at, stopped_at)
        page_info = PageInfo(
            has_next_page=window.before is not None or (found.has_more and not window.backward),
            has_previous_page=window.after is not None or (found.has_more and window.backward),
            start_cursor=(window.backward and stopped_at) or start,
            end_cursor=(not window.backward and stopped_at) or end,
        )
        return cls(condition=condition, edges=edges, page_info=page_info)
