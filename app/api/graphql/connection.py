"""Relay's connection (GraphQL Cursor Connections) over keyset pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import strawberry

from app import tables
from app.api.graphql.contact import Contact
from app.api.graphql.context import Info
from app.api.graphql.enums import Direction, OrderField
from app.api.graphql.execution.cost.prices import COUNT_POINTS
from app.api.graphql.field import computed_field
from app.contacts.limits import COUNT_LIMIT
from app.contacts.listing.conditions import Condition
from app.contacts.listing.order import Order, Position, Window, cursor, cursor_of
from app.contacts.listing.page import Count, Page, count
from app.workspaces.keys import Caller


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


@dataclass(frozen=True, slots=True)
class ContactPage:
    """A page as its connection shows it, and as its `pageInfo` does."""

    caller: Caller
    order: Order
    window: Window
    condition: Condition
    found: Page

    @property
    def rows(self) -> Sequence[tables.Contact]:
        return self.found.contacts

    @property
    def nodes(self) -> Sequence[tables.Contact]:
        return self.found.contacts

    @property
    def edges(self) -> list["Edge"]:
        write_cursor = cursor_of(self.caller, self.order)
        return [Edge(contact, write_cursor) for contact in self.found.contacts]

    @property
    def page_info(self) -> "ContactPage":
        return self

    @property
    def has_next_page(self) -> bool:
        window = self.window
        return window.before is not None or (self.found.has_more and not window.backward)

    @property
    def has_previous_page(self) -> bool:
        window = self.window
        return window.after is not None or (self.found.has_more and window.backward)

    @property
    def start_cursor(self) -> str | None:
        return self._end(0, is_stop=self.window.backward)

    @property
    def end_cursor(self) -> str | None:
        return self._end(-1, is_stop=not self.window.backward)

    def _end(self, index: int, *, is_stop: bool) -> str | None:
        """The cursor of the contact at an end of the page. A walk that stopped before the page was
        full ends it where it stopped, and gives both ends of a page without contacts."""
        contacts, stopped_at = self.found.contacts, self.found.stopped_at
        if stopped_at is not None and (is_stop or not contacts):
            return self.cursor(stopped_at)
        return self.cursor(Position.of(contacts[index], self.order)) if contacts else None

    def cursor(self, position: Position) -> str:
        return cursor(self.caller, self.order, position)


@dataclass(slots=True)
class Edge:
    node: tables.Contact
    write_cursor: Callable[[tables.Contact], str]

    @property
    def cursor(self) -> str:
        return self.write_cursor(self.node)


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


async def _total_count(page: strawberry.Parent[ContactPage], info: Info) -> int:
    return (await _count(page, info)).total


async def _total_count_is_exact(page: strawberry.Parent[ContactPage], info: Info) -> bool:
    return (await _count(page, info)).is_exact


async def _count(page: ContactPage, info: Info) -> Count:
    async with info.context.database.read(info.context.caller) as session:
        return await count(session, page.condition)


@strawberry.type(description="A page of contacts.")
class ContactConnection:
    edges: list[ContactEdge] = strawberry.field(description="The contacts with their cursors.")
    page_info: PageInfo = strawberry.field(description="The position of the page in the list.")
    nodes: list[Contact] = strawberry.field(description="The contacts without their cursors.")
    total_count: int = computed_field(
        _total_count,
        "The number of contacts in the whole list if `totalCountIsExact`. It is counted only if "
        f"this field is selected, among at most {COUNT_LIMIT:,} contacts.",
        points=COUNT_POINTS,
    )
    total_count_is_exact: bool = computed_field(
        _total_count_is_exact,
        f"Whether `totalCount` counts all. False in a workspace of more than {COUNT_LIMIT:,} "
        "contacts, unless an index leads to those that meet the filter: more than `totalCount` "
        "may then meet it.",
        points=COUNT_POINTS,
    )
