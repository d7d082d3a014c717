"""What can be written, theme by theme."""

import strawberry

from app.api.assign import AssignmentMutation
from app.api.custom_fields import CustomFieldMutation
from app.api.delete import DeleteMutation
from app.api.merge import MergeMutation
from app.api.subscription import SubscriptionMutation
from app.api.upsert import UpsertMutation


@strawberry.type(description="What can be written.")
class Mutation(
    UpsertMutation,
    DeleteMutation,
    SubscriptionMutation,
    AssignmentMutation,
    CustomFieldMutation,
    MergeMutation,
):
    pass
