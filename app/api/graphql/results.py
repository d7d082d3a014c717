"""The answers of mutations, as unions of typed outcomes."""

from typing import Annotated
from uuid import UUID

import strawberry

from app import tables
from app.api.graphql.contact import Contact, own_external_id
from app.api.graphql.context import Info
from app.api.graphql.enums import ConflictCode, ContactIdentifier, MatchedBy, WarningCode
from app.api.graphql.field import computed_field, read_from, stored_field
from app.api.graphql.scalars import Json
from app.contacts.decision import outcome
from app.errors import InvalidInput
from app.workspaces.keys import Scope


@strawberry.type(description="A field that changed. A list has one for each `path`.")
class FieldChange:
    path: str = strawberry.field(
        description="The path of the field: `company`, `customFields.plan` or "
        "`assignments.client.42`. A key that has other characters than letters of a to z in either "
        "case, digits, `_` and `-` is written as a JSON string in brackets: "
        '`customFields["a.b"]`, `assignments.client["4.2"]`.'
    )
    before: Json | None = strawberry.field(
        description="The value before the change; null if there was none."
    )
    after: Json | None = strawberry.field(
        description="The value after the change; null if there is none."
    )


@strawberry.type(
    description="A given value that was not applied. A list has one for each `code` and `field`."
)
class Warning:  # noqa: A001  # the schema's word for it
    code: WarningCode = strawberry.field(description="Why the value was not applied.")
    field: str = strawberry.field(description="The path of the given field.")
    message: str = strawberry.field(description="A human-readable message.")


def _contact_of_reason(
    record: strawberry.Parent[outcome.ConflictReason], info: Info
) -> tables.Contact | None:
    return record.contact if Scope.CONTACTS_READ in info.context.caller.scopes else None


@strawberry.type(
    description="One reason for a conflict. A list has one for each `code` and `message`."
)
class ConflictReason:
    code: ConflictCode = strawberry.field(description="The kind of conflict.")
    message: str = strawberry.field(description="A human-readable message.")
    identifier: ContactIdentifier | None = strawberry.field(
        description="The identifier in conflict; null if the conflict is not about one."
    )
    contact: Contact | None = computed_field(
        _contact_of_reason,
        "The contact that has the value, or that was found, as it is now. Null for a key without "
        "`contacts:read`, and in an atomic bulk that failed if the contact, as it would be shown, "
        "was never written.",
    )


@strawberry.type(description="A contact was created.")
class ContactCreated:
    is_type_of = read_from(outcome.Created)

    contact: Contact = strawberry.field(description="The contact, at version 1.")
    warnings: list[Warning] = strawberry.field(description="Given values that were not applied.")


@strawberry.type(description="The contact existed and now has the given values.")
class ContactUpdated:
    is_type_of = read_from(outcome.Updated)

    contact: Contact = strawberry.field(description="The contact as it is now.")
    matched_by: MatchedBy = strawberry.field(description="The kind of key that found the contact.")
    changes: list[FieldChange] = stored_field(
        "The changed fields. Empty where nothing differed: `version` and `updatedAt` are then "
        "unchanged.",
        "changes",
    )
    warnings: list[Warning] = strawberry.field(description="Given values that were not applied.")


@strawberry.type(description="Nothing was written, for the reasons listed.")
class ContactConflict:
    is_type_of = read_from(outcome.Conflict)

    message: str = strawberry.field(description="All reasons as one human-readable message.")
    reasons: list[ConflictReason] = strawberry.field(
        description="Every reason, not just the first."
    )


def _deleted_id(record: strawberry.Parent[tables.Contact]) -> UUID:
    return record.id


@strawberry.type(description="The contact was deleted.")
class ContactDeleted:
    is_type_of = read_from(tables.Contact)

    deleted_id: strawberry.ID = computed_field(_deleted_id, "The id of the deleted contact.")
    external_id: str | None = computed_field(
        own_external_id, "The external id of the deleted contact.", ["external_ids"]
    )


UpsertContactResult = Annotated[
    ContactCreated | ContactUpdated | ContactConflict,
    strawberry.union("UpsertContactResult", description="The result of an upsert."),
]
CreateContactResult = Annotated[
    ContactCreated | ContactConflict,
    strawberry.union("CreateContactResult", description="The result of creating a contact."),
]
UpdateContactResult = Annotated[
    ContactUpdated | ContactConflict,
    strawberry.union("UpdateContactResult", description="The result of an update."),
]
DeleteContactResult = Annotated[
    ContactDeleted | ContactConflict,
    strawberry.union("DeleteContactResult", description="The result of a deletion."),
]


def valid(decided: outcome.Outcome) -> outcome.Created | outcome.Updated | outcome.Conflict:
    """The outcome, as a record of the field's union. Raises InvalidInput for an invalid one."""
    if isinstance(decided, outcome.Invalid):
        raise InvalidInput(decided.errors)
    return decided
