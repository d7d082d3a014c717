"""The mutations, composed by topic."""

import strawberry

from app.api.graphql.aliases import AliasMutation
from app.api.graphql.api_keys import KeyMutation
from app.api.graphql.assign import AssignmentMutation
from app.api.graphql.custom_fields import CustomFieldMutation
from app.api.graphql.delete import DeleteMutation
from app.api.graphql.merge import MergeMutation
from app.api.graphql.unsubscribe import SubscriptionMutation
from app.api.graphql.update import UpdateMutation
from app.api.graphql.upsert import UpsertMutation


@strawberry.type(description="The operations that write.")
class Mutation(
    UpsertMutation,
    UpdateMutation,
    DeleteMutation,
    SubscriptionMutation,
    AssignmentMutation,
    CustomFieldMutation,
    MergeMutation,
    AliasMutation,
    KeyMutation,
):
    pass
