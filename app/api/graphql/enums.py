"""The enums of the inner floors, as the schema shows them.

The modules of the api import them from here, so that each is described before it is used.
"""

from enum import Enum
from typing import Any

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from app.contacts.custom_fields import CustomFieldType
from app.contacts.decision.outcome import ConflictCode, WarningCode
from app.contacts.decision.policy import (
    EmailOnMatch,
    ExternalIdOnMatch,
    MatchFallback,
    ObjectMode,
    OnMatch,
    OnMiss,
    RequirableField,
    TagsMode,
)
from app.contacts.keys import ContactIdentifier, MatchedBy
from app.contacts.listing.order import Direction, OrderField
from app.contacts.merge import MergePreference
from app.contacts.store.duplicate_keys import DuplicateReason
from app.errors import FieldErrorCode
from app.fields.contact import API_NAMES
from app.workspaces.keys import Scope

__all__ = [
    "ConflictCode",
    "ContactIdentifier",
    "CustomFieldType",
    "Direction",
    "DuplicateReason",
    "EmailOnMatch",
    "ExternalIdOnMatch",
    "FieldErrorCode",
    "MatchFallback",
    "MatchedBy",
    "MergePreference",
    "ObjectMode",
    "OnMatch",
    "OnMiss",
    "OrderField",
    "RequirableField",
    "Scope",
    "TagsMode",
    "WarningCode",
]


def expose(enum: type[Enum], description: str, *, name: str | None = None, **values: str) -> None:
    """`values` describes each member by its name."""
    exposed: Any = strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = exposed.__strawberry_definition__
    for value in definition.values:
        value.description = values[value.name]


expose(
    ContactIdentifier,
    "What finds a contact: in a workspace at most one has each value.",
    EXTERNAL_ID="The caller's own identifier, case-sensitive.",
    EMAIL="The email, without regard to case.",
)
expose(
    MatchFallback,
    "When to go on to the next identifier.",
    UNMATCHED="Where the one before was not given or found nobody.",
    ABSENT="Only where the one before was not given.",
)
expose(
    OnMatch,
    "What to do with the contact that was found.",
    UPDATE="Update it.",
    CONFLICT="Answer a Conflict: create only.",
)
expose(
    OnMiss,
    "What to do where no contact was found.",
    CREATE="Create it.",
    CONFLICT="Answer a Conflict: update only.",
)
expose(
    EmailOnMatch,
    "What a given email does to a contact that has another.",
    REPLACE="Takes its place, unless another contact holds it.",
    KEEP="Is left, with a warning.",
)
expose(
    ExternalIdOnMatch,
    "What a given external id does to a contact that has none, or another.",
    FILL="Is set where there is none; a Conflict where there is another.",
    REPLACE="Takes its place, unless another contact holds it.",
    KEEP="Is set where there is none; else it is left, with a warning.",
)
expose(
    TagsMode,
    "What given tags do to those that are there.",
    REPLACE="Take their place.",
    ADD="Join them, at the end.",
    REMOVE="Leave them.",
)
expose(
    ObjectMode,
    "What a given object does to the one that is there.",
    MERGE="JSON Merge Patch (RFC 7396): members join, a null member removes its key.",
    REPLACE="Takes its place.",
)
expose(
    RequirableField,
    "A field that creating a contact can be made to need.",
    **{field.name: f"`{API_NAMES[field.value]}`." for field in RequirableField},
)
expose(
    MatchedBy,
    "What led to the contact: an identifier of its own, or one of a contact merged into it.",
    ID="Its own id.",
    EXTERNAL_ID="Its external id.",
    EMAIL="Its email.",
)
expose(
    DuplicateReason,
    "What two likely duplicates share.",
    SAME_PHONE="The phone number in E.164.",
    SAME_NAME_AND_COMPANY="Name and company, without regard to case, accents and white space; "
    "first and last name where there is no name.",
    SIMILAR_EMAIL="The email, without regard to dots and a plus-tag in its local part.",
)
expose(
    MergePreference,
    "Whose value stands where both contacts have one.",
    INTO="That of the contact that stays.",
    FROM="That of the contact that goes.",
)
expose(
    WarningCode,
    "Why something that was given was not applied.",
    EMAIL_KEPT="The email that is there is kept: by the policy, or as the given one is an alias.",
    EXTERNAL_ID_KEPT="The external id that is there is kept: by the policy, or as the given one is "
    "an alias.",
    CREATED_AT_KEPT="`createdAt` is taken only when a contact is created.",
    UPDATED_AT_KEPT="`updatedAt` is taken only when a contact is created.",
    RESERVED_METADATA="The key is stamped by the server.",
)
expose(
    ConflictCode,
    "What kind of clash stood in the way.",
    ALREADY_EXISTS="Create only, and a contact holds a given identifier.",
    NOT_FOUND="Update only, and no contact was found.",
    IDENTIFIER_TAKEN="Another contact holds a given identifier.",
    EXTERNAL_ID_MISMATCH="The contact found has another external id than the one given.",
    VERSION_MISMATCH="The contact is not at the version that `ifVersion` names.",
)
expose(
    OrderField,
    "What contacts are ordered by.",
    name="ContactOrderField",
    CREATED_AT="When the contact was created.",
    UPDATED_AT="When the contact last changed.",
    EMAIL="The email, without regard to case.",
    NAME="The name, without regard to case and accents; contacts without one last.",
    LIFETIME_VALUE="The lifetime value; contacts without one last.",
    LAST_ORDER_AT="When the contact last placed an order; contacts that never did last.",
)
expose(
    Direction,
    "Which way.",
    name="OrderDirection",
    ASC="Least or oldest first.",
    DESC="Greatest or newest first.",
)
expose(
    CustomFieldType,
    "What the values of a custom field must be.",
    STRING="Text.",
    NUMBER="A finite number.",
    BOOLEAN="True or false.",
    DATETIME="RFC 3339 text with an offset, kept to the letter.",
    JSON="An object or an array.",
)
expose(
    Scope,
    "What a key may do.",
    CONTACTS_READ="`contacts:read`: read contacts.",
    CONTACTS_WRITE="`contacts:write`: create, change and delete contacts.",
    ADMIN="`admin`: look after the workspace.",
)
expose(
    FieldErrorCode,
    "Which rule was broken.",
    REQUIRED="The field is missing.",
    INVALID_FORMAT="The value has not the form it needs.",
    TOO_LONG="The text or object is too long.",
    TOO_MANY="There are too many members or levels.",
    OUT_OF_RANGE="The number or moment is out of range.",
)
