"""Definitions of custom fields as clients see them and as they send them."""

from collections.abc import Mapping

import strawberry

from app import tables
from app.api.enums import CustomFieldType
from app.contacts.custom_fields import TEXT_LIMITS

_KEY = "The key among a contact's `customFields`, case-sensitive."


@strawberry.type(description="A custom field that the workspace has defined: its values are typed.")
class CustomFieldDefinition:
    key: str = strawberry.field(description=_KEY)
    type: CustomFieldType = strawberry.field(description="What every value must be.")
    label: str | None = strawberry.field(description="What people call the field.")
    description: str | None = strawberry.field(description="What the field is for.")

    @classmethod
    def of(cls, record: tables.CustomField) -> "CustomFieldDefinition":
        return cls(
            key=record.key,
            type=CustomFieldType(record.type),
            label=record.label,
            description=record.description,
        )


@strawberry.input(description="A custom field to define. Its texts are trimmed.")
class CustomFieldInput:
    key: str = strawberry.field(description=f"{_KEY} From 1 to {TEXT_LIMITS['key']} characters.")
    type: CustomFieldType = strawberry.field(description="What every value must be.")
    label: strawberry.Maybe[str | None] = strawberry.field(
        description=f"What people call the field, up to {TEXT_LIMITS['label']} characters. "
        "Omitted is unchanged, null is cleared."
    )
    description: strawberry.Maybe[str | None] = strawberry.field(
        description=f"What the field is for, up to {TEXT_LIMITS['description']:,} characters. "
        "Omitted is unchanged, null is cleared."
    )

    def texts(self) -> Mapping[str, str | None]:
        """The texts that were sent, null included."""
        given = {"label": self.label, "description": self.description}
        return {"key": self.key} | {
            name: some.value for name, some in given.items() if some is not None
        }
