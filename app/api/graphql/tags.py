"""Tags as a workspace uses them."""

from typing import Annotated

import strawberry

from app.api.graphql.context import Info
from app.api.graphql.field import root_field
from app.contacts.listing.tags import tag_counts
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import plain_text
from app.workspaces.keys import Scope

TAGS_LIMIT = 1000


@strawberry.type(description="A tag and how many contacts have it.")
class TagCount:
    tag: str = strawberry.field(description="The tag.")
    count: int = strawberry.field(description="How many contacts have it.")


@strawberry.type
class TagQuery:
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
