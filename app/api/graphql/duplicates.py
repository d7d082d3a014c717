"""The GraphQL types and root field of likely duplicates."""

from typing import Annotated

import strawberry

from app.api.graphql.connection import PageInfo
from app.api.graphql.contact import Contact
from app.api.graphql.context import Info
from app.api.graphql.enums import DuplicateReason
from app.api.graphql.field import computed_field, root_field
from app.contacts.duplicates import WALK_LIMIT, Pair, cursor, duplicates, page_size, position_at
from app.contacts.limits import PAGE_DEFAULT, PAGE_LIMIT
from app.workspaces.keys import Scope


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

    @classmethod
    def of(cls, pair: Pair) -> "DuplicatePair":
        return cls(
            contact=Contact.of(pair.contact),
            duplicate=Contact.of(pair.duplicate),
            reasons=list(pair.reasons),
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

    @computed_field("The pairs without their cursors.")
    async def nodes(self) -> list[DuplicatePair]:
        return [edge.node for edge in self.edges]


@strawberry.type
class DuplicateQuery:
    @root_field(
        Scope.CONTACTS_READ,
        "A page of likely duplicates: contacts with the same phone number, the same name and "
        "company, or emails that differ only in dots and plus-tags. If n contacts share a value, "
        "the first makes a pair with each of the others. Two contacts that share several values "
        f"make one pair. A page examines at most {WALK_LIMIT:,} contacts for each reason, so it "
        "may have fewer pairs than `first`, or none, while `hasNextPage` is true: continue after "
        "`endCursor`.",
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
    ) -> DuplicateConnection:
        caller = info.context.caller
        size = page_size(first)
        start = None if after is None else position_at(caller, after)
        async with info.context.database.read(caller) as session:
            found = await duplicates(session, size, start)
        edges = [
            DuplicateEdge(cursor=cursor(caller, pair.position), node=DuplicatePair.of(pair))
            for pair in found.pairs
        ]
        last = edges[-1].cursor if edges else None
        page_info = PageInfo(
            has_next_page=found.end is not None,
            has_previous_page=after is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=cursor(caller, found.end) if found.end else last,
        )
        return DuplicateConnection(edges=edges, page_info=page_info)
