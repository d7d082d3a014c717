"""The GraphQL types and root field of likely duplicates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import strawberry

from app.api.graphql.connection import PageInfo
from app.api.graphql.contact import Contact
from app.api.graphql.context import Info
from app.api.graphql.enums import DuplicateReason
from app.api.graphql.execution.cost.prices import COUNT_POINTS, Price, Rows
from app.api.graphql.field import root_field
from app.contacts.duplicates import (
    WALK_LIMIT,
    Pair,
    Pairs,
    Position,
    cursor,
    duplicates,
    page_size,
    position_at,
)
from app.contacts.limits import PAGE_DEFAULT, PAGE_LIMIT
from app.workspaces.keys import Caller, Scope


@dataclass(frozen=True, slots=True)
class DuplicatePage:
    """A page as its connection shows it, and as its `pageInfo` does."""

    caller: Caller
    start: Position | None
    found: Pairs

    @property
    def nodes(self) -> Sequence[Pair]:
        return self.found.pairs

    @property
    def rows(self) -> Sequence[Pair]:
        return self.found.pairs

    @property
    def edges(self) -> list["Edge"]:
        return [Edge(pair, self) for pair in self.found.pairs]

    @property
    def page_info(self) -> "DuplicatePage":
        return self

    @property
    def has_next_page(self) -> bool:
        return self.found.end is not None

    @property
    def has_previous_page(self) -> bool:
        return self.start is not None

    @property
    def start_cursor(self) -> str | None:
        pairs = self.found.pairs
        return self.cursor(pairs[0].position) if pairs else None

    @property
    def end_cursor(self) -> str | None:
        pairs, end = self.found.pairs, self.found.end
        if end is not None:
            return self.cursor(end)
        return self.cursor(pairs[-1].position) if pairs else None

    def cursor(self, position: Position) -> str:
        return cursor(self.caller, position)


@dataclass(slots=True)
class Edge:
    node: Pair
    page: DuplicatePage

    @property
    def cursor(self) -> str:
        return self.page.cursor(self.node.position)


@strawberry.type(
    description="Two contacts that are probably the same person. A pair is identified by the ids "
    "of its two contacts."
)
class DuplicatePair:
    contact: Contact = strawberry.field(
        description="The contact with the smaller id, for `into` of `mergeContacts`."
    )
    duplicate: Contact = strawberry.field(
        description="The other contact, for `from` of `mergeContacts`."
    )
    reasons: list[DuplicateReason] = strawberry.field(
        description="Everything that the two contacts share."
    )


@strawberry.type(description="A pair and its cursor.")
class DuplicateEdge:
    cursor: str = strawberry.field(
        description="An opaque cursor for `after`, valid in this workspace."
    )
    node: DuplicatePair = strawberry.field(description="The pair.")


@strawberry.type(description="A page of likely duplicates.")
class DuplicateConnection:
    edges: list[DuplicateEdge] = strawberry.field(description="The pairs with their cursors.")
    page_info: PageInfo = strawberry.field(description="The position of the page in the list.")
    nodes: list[DuplicatePair] = strawberry.field(description="The pairs without their cursors.")


@strawberry.type
class DuplicateQuery:
    @root_field(
        DuplicateConnection,
        Scope.CONTACTS_READ,
        "A page of likely duplicates: contacts with the same phone number, the same name and "
        "company, or emails that differ only in dots and plus-tags. If n contacts share a value, "
        "the first makes a pair with each of the others. Two contacts that share several values "
        f"make one pair. A page examines at most {WALK_LIMIT:,} contacts for each reason, so it "
        "may have fewer pairs than `first`, or none, while `hasNextPage` is true: continue after "
        "`endCursor`.",
        Price(base=COUNT_POINTS, rows=Rows(("first",), PAGE_DEFAULT, PAGE_LIMIT)),
    )
    async def duplicate_contacts(
        self,
        info: Info,
        first: Annotated[
            int | None,
            strawberry.argument(description=f"The page size, from 1 to {PAGE_LIMIT}."),
        ] = PAGE_DEFAULT,
        after: Annotated[
            str | None, strawberry.argument(description="The page starts after this cursor.")
        ] = strawberry.UNSET,
    ) -> DuplicatePage:
        caller = info.context.caller
        size = page_size(first)
        start = None if after is None else position_at(caller, after)
        async with info.context.database.read(caller) as session:
            found = await duplicates(session, size, start)
        return DuplicatePage(caller, start, found)
