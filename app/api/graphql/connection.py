"""Relay's connection (GraphQL Cursor Connections) over keyset pages."""

import strawberry

from app.api.graphql.contact import Contact
from app.api.graphql.context import Info
from app.api.graphql.enums import Direction, OrderField
from app.api.graphql.field import computed_field
from app.contacts.listing import page
from app.contacts.listing.conditions import EVERY, Condition
from app.contacts.listing.order import Order, Position, Window, cursor
from app.contacts.listing.page import Page


@strawberry.input(description="An order of contacts; equal values go by id. Newest first if empty.")
class ContactOrder:
    field: OrderField = strawberry.field(
        default=OrderField.CREATED_AT, description="What to order by."
    )
    direction: Direction = strawberry.field(default=Direction.DESC, description="Which way.")

    def order(self) -> Order:
        return Order(self.field, self.direction)


@strawberry.type(description="A contact and its place in the list.")
class ContactEdge:
    cursor: str = strawberry.field(
        description="Where this contact stands: an opaque text for `after` and `before`, good in "
        "the same order and workspace."
    )
    node: Contact = strawberry.field(description="The contact.")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    page: strawberry.Private[Page]
    order: strawberry.Private[Order]
    window: strawberry.Private[Window]
    condition: strawberry.Private[Condition]
    start_cursor: str | None = strawberry.field(description="Where the page starts.")
    end_cursor: str | None = strawberry.field(
        description="Where the page ends: what the next one comes after."
    )

    @classmethod
    def forward(
        cls, *, has_next_page: bool, start_cursor: str | None, end_cursor: str | None
    ) -> "PageInfo":
        """Of a list that is walked forward alone."""
        return cls(
            page=Page((), has_more=has_next_page),
            order=Order(),
            window=Window(size=0),
            condition=EVERY,
            start_cursor=start_cursor,
            end_cursor=end_cursor,
        )

    @computed_field("Whether more follows this page; where it ended early, whether more may.")
    async def has_next_page(self, info: Info) -> bool:
        more = self.page.has_more and not self.window.backward
        return more or await self._reaches_beyond(info, forward=True)

    @computed_field(
        "Whether anything stands before this page, where that can be told; where the look back "
        "ended early, whether something may."
    )
    async def has_previous_page(self, info: Info) -> bool:
        more = self.page.has_more and self.window.backward
        return more or await self._reaches_beyond(info, forward=False)

    async def _reaches_beyond(self, info: Info, *, forward: bool) -> bool:
        context = info.context
        async with context.database.read() as session:
            return await page.reaches_beyond(
                session,
                context.caller,
                self.order,
                self.window,
                self.condition,
                forward=forward,
            )


@strawberry.type(description="A page of contacts.")
class ContactConnection:
    condition: strawberry.Private[Condition]
    edges: list[ContactEdge] = strawberry.field(description="The contacts with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")

    @computed_field("The contacts alone.")
    async def nodes(self) -> list[Contact]:
        return [edge.node for edge in self.edges]

    @computed_field(
        "How many contacts the whole list has. Counted only where it is selected; the "
        "time that takes grows with the list."
    )
    async def total_count(self, info: Info) -> int:
        async with info.context.database.read() as session:
            return await page.count(session, info.context.caller, self.condition)

    @classmethod
    async def of(
        cls, info: Info, order: Order, window: Window, condition: Condition
    ) -> "ContactConnection":
        caller = info.context.caller
        async with info.context.database.read() as session:
            found = await page.page(session, caller, order, window, condition)
        edges = [
            ContactEdge(
                cursor=cursor(caller, order, Position.of(contact, order)), node=Contact.of(contact)
            )
            for contact in found.contacts
        ]
        stopped_at = cursor(caller, order, found.stopped_at) if found.stopped_at else None
        info_of_page = PageInfo(
            page=found,
            order=order,
            window=window,
            condition=condition,
            start_cursor=edges[0].cursor if edges else stopped_at,
            end_cursor=edges[-1].cursor if edges else stopped_at,
        )
        return cls(condition=condition, edges=edges, page_info=info_of_page)
