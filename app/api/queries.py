"""What can be read, theme by theme."""

import strawberry

from app.api.custom_fields import CustomFieldQuery
from app.api.duplicates import DuplicateQuery
from app.api.read import ContactQuery
from app.api.tags import TagQuery
from app.api.viewer import ViewerQuery


@strawberry.type(description="What can be read.")
class Query(ContactQuery, TagQuery, CustomFieldQuery, DuplicateQuery, ViewerQuery):
    pass
