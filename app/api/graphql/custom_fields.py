"""Definitions of custom fields as clients see them and as they send them."""

from collections.abc import Mapping
from typing import Annotated

import strawberry

from app import tables
from app.api.graphql.context import Info
from app.api.graphql.enums import CustomFieldType
from app.api.graphql.field import root_field
from app.contacts.custom_fields import DEFINITIONS_LIMIT, TEXT_LIMITS, define, definitions, remove
from app.workspaces.keys import Scope

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


@strawberry.type
class CustomFieldQuery:
    @root_field(Scope.CONTACTS_READ, "The custom fields that are defined, by their keys.")
    async def custom_field_definitions(self, info: Info) -> list[CustomFieldDefinition]:
        async with info.context.database.read() as session:
            records = await definitions(session, info.context.caller.workspace_id)
        return [CustomFieldDefinition.of(record) for record in records]


@strawberry.type
class CustomFieldMutation:
    @root_field(
        Scope.ADMIN,
        f"Defines a custom field, up to {DEFINITIONS_LIMIT} in a workspace; from then on every "
        "value that is given for it must have its type. Defining it again changes its label and "
        "description; for another type, remove it first.",
    )
    async def define_custom_field(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            CustomFieldInput, strawberry.argument(description="The custom field.")
        ],
    ) -> CustomFieldDefinition:
        context = info.context
        record = await define(context.database, context.caller, input.type, input.texts())
        return CustomFieldDefinition.of(record)

    @root_field(
        Scope.ADMIN,
        "Removes the definition of a custom field and answers with it, or with null where there "
        "was none. The values on contacts stay, and new ones are taken as they are.",
    )
    async def remove_custom_field(
        self, info: Info, key: Annotated[str, strawberry.argument(description="Its key.")]
    ) -> CustomFieldDefinition | None:
        record = await remove(info.context.database, info.context.caller, key)
        return None if record is None else CustomFieldDefinition.of(record)
