"""Arguments that several root fields share."""

from typing import Annotated

import strawberry

from app.api.graphql.contact import ContactInput, ContactKeyInput
from app.api.graphql.policy import UpsertPolicyInput

InputArgument = Annotated[
    ContactInput, strawberry.argument(description="What is known of the contact.")
]
KeyArgument = Annotated[ContactKeyInput, strawberry.argument(description="A key of the contact.")]
PolicyArgument = Annotated[
    UpsertPolicyInput | None,
    strawberry.argument(description="How to find the contact and what may be done to it."),
]
DryRunArgument = Annotated[
    bool, strawberry.argument(description="Answer alike, and write nothing.")
]
IfVersionArgument = Annotated[
    int | None,
    strawberry.argument(
        description="Only if the contact is at this version; else VERSION_MISMATCH, with the "
        "contact as it is."
    ),
]
