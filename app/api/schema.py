"""The schema, assembled."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.api.contact import Contact
from app.api.mutations import Mutation
from app.api.queries import Query
from app.api.scalars import SCALARS

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[Contact],
    config=StrawberryConfig(scalar_map=SCALARS),
)
