"""Arguments that several root fields share."""

from typing import Annotated

import strawberry

from app.api.graphql.contact import ContactInput, ContactKeyInput
from app.api.graphql.enums import ObjectMode, TagsMode
from app.api.graphql.policy import UpsertPolicyInput

InputArgument = Annotated[
    ContactInput, strawberry.argument(description="The fields of the contact.")
]
KeyArgument = Annotated[ContactKeyInput, strawberry.argument(description="A key of the contact.")]
PolicyArgument = Annotated[
    UpsertPolicyInput | None,
    strawberry.argument(
        description="How the contact is found and changed. The defaults apply if omitted."
    ),
]
TagsArgument = Annotated[
    TagsMode, strawberry.argument(description="How given tags are applied to the stored ones.")
]
CustomFieldsArgument = Annotated[
    ObjectMode,
    strawberry.argument(description="How given custom fields are applied to the stored ones."),
]
MetadataArgument = Annotated[
    ObjectMode, strawberry.argument(description="How given metadata is applied to the stored one.")
]
DryRunArgument = Annotated[
    bool, strawberry.argument(description="Return the result of the call without writing anything.")
]
IfVersionArgument = Annotated[
    int | None,
    strawberry.argument(
        description="Apply the call only if the contact has this version; otherwise answer a "
        "Conflict VERSION_MISMATCH with the contact as it is now."
    ),
]
