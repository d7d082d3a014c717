"""The schema, assembled."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.api.graphql.contact import Contact
from app.api.graphql.context import Info
from app.api.graphql.mutations import Mutation
from app.api.graphql.queries import Query
from app.api.graphql.scalars import SCALARS

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[Contact],
    config=StrawberryConfig(scalar_map=SCALARS, info_class=Info),
)
