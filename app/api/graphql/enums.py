"""The enums of the inner layers with their descriptions in the schema.

Other modules of the API import them from here, so that each is described before its first use.
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
    "An identifier of a contact. In a workspace, at most one contact has each value.",
    EXTERNAL_ID="The client's own identifier, case-sensitive.",
    EMAIL="The email, case-insensitive.",
)
expose(
    MatchFallback,
    "When an upsert tries the next identifier.",
    UNMATCHED="If the previous one was not given, or found no contact.",
    ABSENT="Only if the previous one was not given.",
)
expose(
    OnMatch,
    "What an upsert does if it finds a contact.",
    UPDATE="Updates the contact.",
    CONFLICT="Answers a Conflict: create only.",
)
expose(
    OnMiss,
    "What an upsert does if it finds no contact.",
    CREATE="Creates a contact.",
    CONFLICT="Answers a Conflict: update only.",
)
expose(
    EmailOnMatch,
    "What happens to the email of a contact that has another one than the given.",
    REPLACE="It is replaced; a Conflict if another contact has the given one.",
    KEEP="It is kept, with a warning.",
)
expose(
    ExternalIdOnMatch,
    "What happens to the external id of a contact that has none, or another one than the given.",
    FILL="The given one is set if there is none; a Conflict if there is another.",
    REPLACE="It is replaced; a Conflict if another contact has the given one.",
    KEEP="The given one is set if there is none; another is kept, with a warning.",
)
expose(
    TagsMode,
    "How given tags are applied to the stored ones.",
    REPLACE="Replaces all stored tags with the given ones.",
    ADD="Appends the given tags that are not stored yet.",
    REMOVE="Removes the given tags.",
)
expose(
    ObjectMode,
    "How a given object is applied to the stored one.",
    MERGE="JSON Merge Patch (RFC 7396): objects are merged at every level, and a null removes its "
    "key. All other keys stay.",
    REPLACE_KEYS="Replaces the value of each given key as a whole; a null removes its key. All "
    "other keys stay.",
    REPLACE="Replaces the whole object. A null is stored as a value.",
)
expose(
    RequirableField,
    "A field that can be required to create a contact.",
    **{field.name: f"`{API_NAMES[field.value]}`." for field in RequirableField},
)
expose(
    MatchedBy,
    "The kind of key that found the contact. The key is its own or that of a contact merged into "
    "it.",
    ID="The id.",
    EXTERNAL_ID="The external id.",
    EMAIL="The email.",
)
expose(
    DuplicateReason,
    "What two probable duplicates have in common.",
    SAME_PHONE="The phone number in E.164.",
    SAME_NAME_AND_COMPANY="The name and company, ignoring case, accents and white space; first and "
    "last name if there is no name.",
    SIMILAR_EMAIL="The email, ignoring dots and a plus-tag in its local part.",
)
expose(
    MergePreference,
    "Which contact's value is kept if both have one.",
    INTO="The value of the contact that is kept.",
    FROM="The value of the contact that is merged away.",
)
expose(
    WarningCode,
    "Why a given value was not applied.",
    EMAIL_KEPT="The contact keeps its email: the policy says so, or the given one is an alias of "
    "it.",
    EXTERNAL_ID_KEPT="The contact keeps its external id: the policy says so, or the given one is "
    "an alias of it.",
    CREATED_AT_KEPT="`createdAt` is applied only when a contact is created.",
    UPDATED_AT_KEPT="`updatedAt` is applied only when a contact is created.",
    RESERVED_METADATA="The key is set by the server only.",
)
expose(
    ConflictCode,
    "The kind of conflict.",
    ALREADY_EXISTS="Create only, and a contact has a given identifier.",
    NOT_FOUND="Update only, and no contact was found.",
    IDENTIFIER_TAKEN="Another contact has a given identifier.",
    EXTERNAL_ID_MISMATCH="The contact has another external id than the given one.",
    VERSION_MISMATCH="The contact is not at the version that `ifVersion` names.",
)
expose(
    OrderField,
    "The field by which contacts are ordered.",
    name="ContactOrderField",
    CREATED_AT="When the contact was created.",
    UPDATED_AT="When the contact last changed.",
    EMAIL="The email, ignoring case.",
    NAME="The name, ignoring case and accents; contacts without one come last.",
    LIFETIME_VALUE="The lifetime value; contacts without one come last.",
    LAST_ORDER_AT="When the contact last placed an order; contacts without an order come last.",
)
expose(
    Direction,
    "The direction of an order.",
    name="OrderDirection",
    ASC="Ascending: the smallest or oldest first.",
    DESC="Descending: the greatest or newest first.",
)
expose(
    CustomFieldType,
    "The type of the values of a custom field.",
    STRING="Text.",
    NUMBER="A finite number.",
    BOOLEAN="True or false.",
    DATETIME="An RFC 3339 timestamp with an offset, stored as written.",
    JSON="An object or an array.",
)
expose(
    Scope,
    "What an API key is allowed to do.",
    CONTACTS_READ="`contacts:read`: read contacts.",
    CONTACTS_WRITE="`contacts:write`: create, change and delete contacts.",
    ADMIN="`admin`: define custom fields, and manage keys.",
)
expose(
    FieldErrorCode,
    "The kind of rule that was broken.",
    REQUIRED="The field is missing.",
    INVALID_FORMAT="The value does not have the required format.",
    TOO_LONG="The text or object is too long.",
    TOO_MANY="There are too many members or levels.",
    OUT_OF_RANGE="The number or timestamp is out of range.",
)
