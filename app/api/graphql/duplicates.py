"""Likely duplicates as clients see them."""

from typing import Annotated

import strawberry

from app.api.graphql.connection import PageInfo
from app.api.graphql.contact import Contact
from app.api.graphql.context import Info
from app.api.graphql.enums import DuplicateReason
from app.api.graphql.field import computed_field, root_field
from app.contacts.duplicates import WALK_LIMIT, Pair, cursor, duplicates, page_size, position_at
from app.contacts.listing.order import PAGE_DEFAULT, PAGE_LIMIT
from app.workspaces.keys import Scope


@strawberry.type(description="Two contacts that are likely one person.")
class DuplicatePair:
    contact: Contact = strawberry.field(
        description="The one with the least id: what `mergeContacts` takes as `into`."
    )
    duplicate: Contact = strawberry.field(description="The other: what it takes as `from`.")
    reasons: list[DuplicateReason] = strawberry.field(description="All that the two share.")

    @classmethod
    def of(cls, pair: Pair) -> "DuplicatePair":
        return cls(
            contact=Contact.of(pair.contact),
            duplicate=Contact.of(pair.duplicate),
            reasons=list(pair.reasons),
        )


@strawberry.type(description="A pair and its place in the list.")
class DuplicateEdge:
    cursor: str = strawberry.field(
        description="Where this pair stands: an opaque text for `after`, good in this workspace."
    )
    node: DuplicatePair = strawberry.field(description="The pair.")


@strawberry.type(description="A page of likely duplicates.")
class DuplicateConnection:
    edges: list[DuplicateEdge] = strawberry.field(description="The pairs with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")

    @computed_field("The pairs alone.")
    async def nodes(self) -> list[DuplicatePair]:
        return [edge.node for edge in self.edges]


@strawberry.type
class DuplicateQuery:
    @root_field(
        Scope.CONTACTS_READ,
        "Likely duplicates: contacts with the same phone number, the same name and company, or "
        "emails that differ in dots and plus-tags alone. Of n contacts that share a value each "
        "but the first makes a pair with the first. Two contacts that share several make one "
        f"pair. {PAGE_DEFAULT} pairs unless `first` asks for up to {PAGE_LIMIT}. A page looks at "
        f"{WALK_LIMIT:,} contacts for each reason at most, and so may hold fewer pairs, or none, "
        "while `hasNextPage` is true: go on after `endCursor`.",
    )
    async def duplicate_contacts(
        self,
        info: Info,
        first: Annotated[
            int | None, strawberry.argument(description="How many pairs at most.")
        ] = strawberry.UNSET,
        after: Annotated[
            str | None, strawberry.argument(description="The cursor to start behind.")
        ] = strawberry.UNSET,
    ) -> DuplicateConnection:
        caller = info.context.caller
        size = page_size(first)
        start = None if after is None else position_at(caller, after)
        async with info.context.database.read() as session:
            found = await duplicates(session, caller, size, start)
        edges = [
            DuplicateEdge(cursor=cursor(caller, pair.position), node=DuplicatePair.of(pair))
            for pair in found.pairs
        ]
        last = edges[-1].cursor if edges else None
        page_info = PageInfo.forward(
            has_next_page=found.end is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=cursor(caller, found.end) if found.end else last,
        )
        return DuplicateConnection(edges=edges, page_info=page_info)
