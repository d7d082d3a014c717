"""The queries, composed by topic."""

import strawberry

from app.api.graphql.api_keys import KeyQuery
from app.api.graphql.custom_fields import CustomFieldQuery
from app.api.graphql.duplicates import DuplicateQuery
from app.api.graphql.read import ContactQuery
from app.api.graphql.tags import TagQuery
from app.api.graphql.viewer import ViewerQuery


@strawberry.type(description="The operations that read.")
class Query(ContactQuery, TagQuery, CustomFieldQuery, DuplicateQuery, KeyQuery, ViewerQuery):
    pass
