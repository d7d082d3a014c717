"""Tags as a workspace uses them."""

import strawberry


@strawberry.type(description="A tag and how many contacts have it.")
class TagCount:
    tag: str = strawberry.field(description="The tag.")
    count: int = strawberry.field(description="How many contacts have it.")
