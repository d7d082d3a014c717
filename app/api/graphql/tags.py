"""The tags of a workspace."""

from typing import Annotated

import strawberry

from app.api.graphql.context import Info
from app.api.graphql.execution.cost.prices import COUNT_POINTS, Price, Rows
from app.api.graphql.field import root_field
from app.contacts.listing.tags import tag_counts
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.normalise import plain_text
from app.workspaces.keys import Scope

TAGS_LIMIT = 1000


@strawberry.type(
    description="The number of contacts that have a tag. A list has one for each `tag`."
)
class TagCount:
    tag: str = strawberry.field(description="The tag.")
    count: int = strawberry.field(description="The number of contacts that have the tag.")


@strawberry.type
class TagQuery:
    @root_field(
        list[TagCount],
        Scope.CONTACTS_READ,
        "The tags in use, ordered by code point, each with the number of contacts that have it. "
        "The time grows with the number of tagged contacts.",
        Price(base=COUNT_POINTS, rows=Rows(("first",), TAGS_LIMIT, TAGS_LIMIT)),
    )
    async def tags(
        self,
        info: Info,
        first: Annotated[
            int, strawberry.argument(description=f"The page size, from 0 to {TAGS_LIMIT}.")
        ] = TAGS_LIMIT,
        after: Annotated[
            str, strawberry.argument(description="The last tag of the previous page.")
        ] = "",
    ) -> list[TagCount]:
        if not 0 <= first <= TAGS_LIMIT:
            message = f"must be from 0 to {TAGS_LIMIT}"
            raise InvalidInput([FieldError(FieldErrorCode.OUT_OF_RANGE, "first", message)])
        text = plain_text(after, "after")
        async with info.context.database.read(info.context.caller) as session:
            counts = await tag_counts(session, after=text, limit=first)
        return [TagCount(tag=tag, count=count) for tag, count in counts]
