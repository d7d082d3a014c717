"""The GraphQL types and root fields of custom field definitions."""

from collections.abc import Mapping
from typing import Annotated

import strawberry

from app import tables
from app.api.graphql.context import Info
from app.api.graphql.enums import CustomFieldType
from app.api.graphql.execution.cost.prices import Price, Rows
from app.api.graphql.field import root_field
from app.contacts.custom_fields import TEXT_LIMITS, define, definitions, remove
from app.contacts.limits import CUSTOM_FIELDS_LIMIT
from app.workspaces.keys import Scope

_KEY = "The key among a contact's `customFields`, case-sensitive."


@strawberry.type(
    description="A custom field that the workspace has defined, with the type of its values. A "
    "workspace has one for each `key`."
)
class CustomFieldDefinition:
    key: str = strawberry.field(description=_KEY)
    type: CustomFieldType = strawberry.field(description="The type of its values.")
    label: str | None = strawberry.field(description="The human-readable name of the field.")
    description: str | None = strawberry.field(description="The purpose of the field.")

    @classmethod
    def of(cls, record: tables.CustomField) -> "CustomFieldDefinition":
        return cls(
            key=record.key,
            type=CustomFieldType(record.type),
            label=record.label,
            description=record.description,
        )


@strawberry.input(description="The definition of a custom field. Texts are trimmed.")
class CustomFieldInput:
    key: str = strawberry.field(description=f"{_KEY} 1 to {TEXT_LIMITS['key']} characters.")
    type: CustomFieldType = strawberry.field(description="The type of its values.")
    label: strawberry.Maybe[str | None] = strawberry.field(
        description="The human-readable name of the field, up to "
        f"{TEXT_LIMITS['label']} characters. An omitted text is left unchanged, a null clears it."
    )
    description: strawberry.Maybe[str | None] = strawberry.field(
        description=f"The purpose of the field, up to {TEXT_LIMITS['description']:,} characters. "
        "An omitted text is left unchanged, a null clears it."
    )

    def texts(self) -> Mapping[str, str | None]:
        """The texts that were sent, including null."""
        given = {"label": self.label, "description": self.description}
        return {"key": self.key} | {
            name: some.value for name, some in given.items() if some is not None
        }


@strawberry.type
class CustomFieldQuery:
    @root_field(
        list[CustomFieldDefinition],
        Scope.CONTACTS_READ,
        "The definitions of custom fields, ordered by key.",
        Price(rows=Rows((), CUSTOM_FIELDS_LIMIT, CUSTOM_FIELDS_LIMIT)),
    )
    async def custom_field_definitions(self, info: Info) -> list[CustomFieldDefinition]:
        async with info.context.database.read(info.context.caller) as session:
            records = await definitions(session)
        return [CustomFieldDefinition.of(record) for record in records]


@strawberry.type
class CustomFieldMutation:
    @root_field(
        CustomFieldDefinition,
        Scope.ADMIN,
        f"Defines a custom field, up to {CUSTOM_FIELDS_LIMIT} in a workspace. From then on, every "
        "value given for it must have its type. Defining it again changes its label and "
        "description; to change its type, remove it first.",
    )
    async def define_custom_field(
        self,
        info: Info,
        input: Annotated[  # noqa: A002  # the name in the schema
            CustomFieldInput, strawberry.argument(description="The definition.")
        ],
    ) -> CustomFieldDefinition:
        context = info.context
        record = await define(context.database, context.caller, input.type, input.texts())
        return CustomFieldDefinition.of(record)

    @root_field(
        CustomFieldDefinition,
        Scope.ADMIN,
        "Removes the definition of a custom field and returns it, or null if there is none. Values "
        "of contacts are kept, and new values may have any type.",
    )
    async def remove_custom_field(
        self,
        info: Info,
        key: Annotated[str, strawberry.argument(description="The key of the custom field.")],
    ) -> CustomFieldDefinition | None:
        record = await remove(info.context.database, info.context.caller, key)
        return None if record is None else CustomFieldDefinition.of(record)
