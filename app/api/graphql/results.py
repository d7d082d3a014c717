"""The answers of mutations, as unions of typed outcomes."""

from typing import Annotated, Any

import strawberry

from app.api.graphql.contact import Contact
from app.api.graphql.enums import ConflictCode, ContactIdentifier, MatchedBy, WarningCode
from app.api.graphql.scalars import Json
from app.contacts.decision import outcome
from app.errors import InvalidInput


@strawberry.type(description="A field that changed.")
class FieldChange:
    path: str = strawberry.field(
        description="The field: `company`, `customFields.plan`, or `assignments.client.42`."
    )
    before: Json | None = strawberry.field(description="The value before; null where none was.")
    after: Json | None = strawberry.field(description="The value now; null where none is.")

    @classmethod
    def of(cls, change: outcome.FieldChange) -> "FieldChange":
        return cls(path=change.path, before=change.before, after=change.after)


@strawberry.type(description="Something that was given and not applied.")
class Warning:  # noqa: A001  # the schema's word for it
    code: WarningCode = strawberry.field(description="Why it was not applied.")
    field: str = strawberry.field(description="The field that was given.")
    message: str = strawberry.field(description="The same for a person.")


@strawberry.type(description="One thing that stood in the way.")
class ConflictReason:
    code: ConflictCode = strawberry.field(description="What kind of clash this is.")
    message: str = strawberry.field(description="The same for a person.")
    identifier: ContactIdentifier | None = strawberry.field(
        description="The identifier whose value clashed, where it was one."
    )
    contact: Contact | None = strawberry.field(
        description="The contact that holds the value, or that was found, as it is now."
    )

    @classmethod
    def of(cls, reason: outcome.ConflictReason) -> "ConflictReason":
        contact = None if reason.contact is None else Contact.of(reason.contact)
        return cls(
            code=reason.code,
            message=reason.message,
            identifier=reason.identifier,
            contact=contact,
        )


@strawberry.type(description="A new contact stands.")
class ContactCreated:
    contact: Contact = strawberry.field(description="The contact, at version 1.")
    warnings: list[Warning] = strawberry.field(description="What was given and not applied.")


@strawberry.type(description="The contact stood already, and is now as was asked.")
class ContactUpdated:
    contact: Contact = strawberry.field(description="The contact as it is now.")
    matched_by: MatchedBy = strawberry.field(description="What led to the contact.")
    changes: list[FieldChange] = strawberry.field(
        description="What changed. Empty where the call changed nothing: version and updatedAt "
        "stand then."
    )
    warnings: list[Warning] = strawberry.field(description="What was given and not applied.")


@strawberry.type(description="Nothing was written, for every reason listed.")
class ContactConflict:
    message: str = strawberry.field(description="The reasons for a person.")
    reasons: list[ConflictReason] = strawberry.field(description="All of them, not the first.")

    @classmethod
    def of(cls, conflict: outcome.Conflict) -> "ContactConflict":
        reasons = [ConflictReason.of(reason) for reason in conflict.reasons]
        return cls(message=conflict.message, reasons=reasons)


@strawberry.type(description="The contact is gone.")
class ContactDeleted:
    id: strawberry.ID = strawberry.field(description="The id it had.")
    external_id: str | None = strawberry.field(description="The external id it had.")


UpsertContactResult = Annotated[
    ContactCreated | ContactUpdated | ContactConflict,
    strawberry.union("UpsertContactResult", description="What an upsert came to."),
]
CreateContactResult = Annotated[
    ContactCreated | ContactConflict,
    strawberry.union("CreateContactResult", description="What creating came to."),
]
UpdateContactResult = Annotated[
    ContactUpdated | ContactConflict,
    strawberry.union("UpdateContactResult", description="What an update came to."),
]
DeleteContactResult = Annotated[
    ContactDeleted | ContactConflict,
    strawberry.union("DeleteContactResult", description="What deleting came to."),
]


def result(decided: outcome.Outcome) -> Any:
    """The member of the field's union. Raises InvalidInput where a rule was found broken."""
    match decided:
        case outcome.Created(contact, warnings):
            return ContactCreated(contact=Contact.of(contact), warnings=_warnings(warnings))
        case outcome.Updated(contact, matched_by, changes, warnings):
            return ContactUpdated(
                contact=Contact.of(contact),
                matched_by=matched_by,
                changes=[FieldChange.of(change) for change in changes],
                warnings=_warnings(warnings),
            )
        case outcome.Conflict():
            return ContactConflict.of(decided)
        case outcome.Invalid(errors):
            raise InvalidInput(errors)


def _warnings(warnings: tuple[outcome.Warned, ...]) -> list[Warning]:
    return [
        Warning(code=warned.code, field=warned.field, message=warned.message) for warned in warnings
    ]
