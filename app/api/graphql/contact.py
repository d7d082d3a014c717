"""The GraphQL type and inputs of a contact: names and types.

Descriptions and limits are in `app.fields`; `described` adds them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from app import tables
from app.api.graphql.assignments import Assignment
from app.api.graphql.context import Info
from app.api.graphql.enums import MatchedBy
from app.api.graphql.field import computed_field, read_from
from app.api.graphql.scalars import Json
from app.contacts.decision.working_set import aliases
from app.contacts.keys import ContactKey
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import API_NAMES, RULES
from app.fields.normalise import normalise, plain_text
from app.fields.rules import FAULTS_LIMIT
from app.fields.sources import SOURCE, SOURCE_RULE
from app.turns import in_turns
from app.workspaces.keys import Caller

T = TypeVar("T", bound=type)

# The form of a UUID that needs no parsing.
_AS_STORED = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def described(cls: T) -> T:
    """Adds to each field without a definition its description and API name from `app.fields`."""
    for name in cls.__annotations__:
        rule = RULES.get(name) or tables.Contact.model_fields.get(name)
        if rule is not None and name not in vars(cls):
            field = strawberry.field(name=API_NAMES.get(name), description=rule.description)
            setattr(cls, name, field)
    return cls


@strawberry.interface(
    description="An object that `node` and `nodes` can fetch by its id. Contacts are the only ones."
)
class Node:
    id: strawberry.ID = strawberry.field(description="A globally unique id: a UUID as text.")


@strawberry.type(description="An external id. A contact has at most one for each `source`.")
class ExternalId:
    source: str = strawberry.field(description="The system that the id comes from.")
    value: str = strawberry.field(description="The id in that system, case-sensitive.")

    @classmethod
    def of(cls, source: str, value: str) -> "ExternalId":
        return cls(source=source, value=value)


@strawberry.type(
    description="An identifier of a contact that was merged away. A list has one for each `kind`, "
    "`source` and `value`."
)
class ContactAlias:
    kind: MatchedBy = strawberry.field(description="The kind of identifier.")
    source: str | None = strawberry.field(
        description="The source of an external id; otherwise null."
    )
    value: str = strawberry.field(description="The identifier.")

    @classmethod
    def of(cls, key: ContactKey) -> "ContactAlias":
        return cls(kind=key.kind, source=key.source or None, value=key.value)


def _display_name(record: strawberry.Parent[tables.Contact]) -> str:
    return record.display_name


def own_external_id(record: strawberry.Parent[tables.Contact], info: Info) -> str | None:
    return record.external_ids.get(info.context.caller.source)


def _external_ids(record: strawberry.Parent[tables.Contact]) -> list[ExternalId]:
    return [ExternalId.of(*one) for one in sorted(record.external_ids.items())]


def _assignments(record: strawberry.Parent[tables.Contact]) -> list[Assignment]:
    return [Assignment.of(one) for one in record.assignments]


def _aliases(record: strawberry.Parent[tables.Contact]) -> list[ContactAlias]:
    return [ContactAlias.of(key) for key in aliases(record)]


@strawberry.type(description="A person whom a workspace is in contact with.")
@described
class Contact(Node):
    is_type_of = read_from(tables.Contact)

    id: strawberry.ID
    email: str
    name: str | None
    display_name: str = computed_field(
        _display_name,
        "The name to show: `name`, else first and last name, else the email.",
        ["name", "first_name", "last_name", "email"],
    )
    prefix: str | None
    first_name: str | None
    last_name: str | None
    suffix: str | None
    phone: str | None
    phone_e164: str | None
    company: str | None
    job_title: str | None
    notes: str | None
    address_line1: str | None
    address_line2: str | None
    city: str | None
    state: str | None
    postcode: str | None
    country: str | None
    timezone: str | None
    language: str | None
    tags: list[str]
    is_active: bool
    is_unsubscribed: bool
    unsubscribed_at: datetime | None
    lifetime_value: float | None
    orders_count: int | None
    last_order_at: datetime | None
    professional_id: strawberry.ID | None
    custom_fields: Json
    meta: Json
    created_at: datetime
    updated_at: datetime
    version: int
    external_id: str | None = computed_field(
        own_external_id, RULES["external_id"].description, ["external_ids"]
    )
    external_ids: list[ExternalId] = computed_field(
        _external_ids, "The external ids of all sources, at most one of each.", ["external_ids"]
    )
    assignments: list[Assignment] = computed_field(
        _assignments,
        "What the contact is assigned to, oldest first. No upsert changes it.",
        ["assignments"],
    )
    aliases: list[ContactAlias] = computed_field(
        _aliases,
        "Identifiers of contacts that were merged into this one: look-ups and upserts by them "
        "find this contact.",
        ["aliases"],
    )


@strawberry.input
@described
class _Identifiers:
    external_id: strawberry.Maybe[str | None]
    email: strawberry.Maybe[str | None]


@strawberry.input(
    description="The fields of a contact that several contacts can have in common. Every field is "
    "optional: an omitted field is left unchanged, a null clears it."
)
@described
class ContactPatch:
    name: strawberry.Maybe[str | None]
    prefix: strawberry.Maybe[str | None]
    first_name: strawberry.Maybe[str | None]
    last_name: strawberry.Maybe[str | None]
    suffix: strawberry.Maybe[str | None]
    phone: strawberry.Maybe[str | None]
    company: strawberry.Maybe[str | None]
    job_title: strawberry.Maybe[str | None]
    notes: strawberry.Maybe[str | None]
    address_line1: strawberry.Maybe[str | None]
    address_line2: strawberry.Maybe[str | None]
    city: strawberry.Maybe[str | None]
    state: strawberry.Maybe[str | None]
    postcode: strawberry.Maybe[str | None]
    country: strawberry.Maybe[str | None]
    timezone: strawberry.Maybe[str | None]
    language: strawberry.Maybe[str | None]
    tags: strawberry.Maybe[list[str] | None]
    is_active: strawberry.Maybe[bool | None]
    lifetime_value: strawberry.Maybe[float | None]
    orders_count: strawberry.Maybe[int | None]
    last_order_at: strawberry.Maybe[datetime | None]
    professional_id: strawberry.Maybe[strawberry.ID | None]
    custom_fields: strawberry.Maybe[Json | None]
    meta: strawberry.Maybe[Json | None]

    def given(self) -> dict[str, Any]:
        """The fields that were sent, including null."""
        return {name: some.value for name, some in vars(self).items() if some is not None}


@strawberry.input(
    description="The fields of a contact. Every field is optional: an omitted field is left "
    "unchanged, a null clears it. Broken rules cause an error with the code BAD_USER_INPUT whose "
    "`extensions.errors` name the field, code and limit of each."
)
@described
class ContactInput(_Identifiers, ContactPatch):
    created_at: strawberry.Maybe[datetime | None]
    updated_at: strawberry.Maybe[datetime | None]


@strawberry.input(description="An external id of any source.")
class ExternalIdInput:
    source: str = strawberry.field(description="The system that the id comes from.")
    value: str = strawberry.field(description="The id in that system, case-sensitive.")


@strawberry.input(
    name="ContactKey",
    one_of=True,
    description="A key of a contact, or of a contact that was merged into it: exactly one member. "
    "In queries and mutations, a malformed key, such as an id that is not a UUID or an email "
    "without an @, is an error with the code BAD_USER_INPUT. A well-formed key that belongs to no "
    "contact is not an error: a query answers null, a mutation a Conflict.",
)
class ContactKeyInput:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="The contact's own id.")
    external_id: strawberry.Maybe[str] = strawberry.field(
        description="The external id in the source of the API key, case-sensitive."
    )
    external_id_of: strawberry.Maybe[ExternalIdInput] = strawberry.field(
        description="The external id in any source."
    )
    email: strawberry.Maybe[str] = strawberry.field(description="The email, case-insensitive.")

    def key(self, caller: Caller, path: str) -> ContactKey:
        """Raises InvalidInput at `path` for a malformed key."""
        if self.id is not None:
            return id_key(self.id.value, f"{path}.id")
        if self.email is not None:
            return ContactKey.of_email(_identifier("email", self.email.value, f"{path}.email"))
        if self.external_id is not None:
            path = f"{path}.externalId"
            value = _identifier("external_id", self.external_id.value, path)
            return ContactKey.of_external_id(caller.source, value)
        assert self.external_id_of is not None  # noqa: S101  # the schema wants one of the four
        other, path = self.external_id_of.value, f"{path}.externalIdOf"
        if not SOURCE.fullmatch(other.source):
            broken = FieldError(FieldErrorCode.INVALID_FORMAT, f"{path}.source", SOURCE_RULE)
            raise InvalidInput([broken])
        value = _identifier("external_id", other.value, f"{path}.value")
        return ContactKey.of_external_id(other.source, value)


def id_key(text: str, path: str) -> ContactKey:
    """Raises InvalidInput at `path` for text that is not a UUID."""
    if _AS_STORED.fullmatch(text):
        return ContactKey(MatchedBy.ID, text)
    return ContactKey.of_id(uuid_at(text, path))


def uuid_at(text: str, path: str) -> UUID:
    """Raises InvalidInput at `path` for text that is not a UUID."""
    try:
        return UUID(plain_text(text, path))
    except ValueError as error:
        message = "must be a UUID"
        raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, path, message)]) from error


def _identifier(name: str, text: str, path: str) -> str:
    """The identifier, validated by the rules of its field."""
    given, errors = normalise({name: text})
    if errors:
        raise InvalidInput([replace(error, field=path) for error in errors])
    if not given[name]:
        raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, path, "must not be empty")])
    return str(given[name])


async def keys_of(
    inputs: Sequence[ContactKeyInput | strawberry.ID], caller: Caller, path: str, limit: int
) -> list[ContactKey]:
    """Raises InvalidInput for more keys than the limit, and for malformed keys."""
    if len(inputs) > limit:
        message = f"must have at most {limit} keys, has {len(inputs)}"
        raise InvalidInput([FieldError(FieldErrorCode.TOO_MANY, path, message)])
    return await keys_at(caller, {f"{path}.{index}": one for index, one in enumerate(inputs)})


async def keys_at(
    caller: Caller, inputs: Mapping[str, ContactKeyInput | strawberry.ID]
) -> list[ContactKey]:
    """The keys of the inputs by path. Raises InvalidInput with the first malformed keys."""
    keys: list[ContactKey] = []
    errors: list[FieldError] = []
    async for path, one in in_turns(inputs.items()):
        try:
            if isinstance(one, ContactKeyInput):
                keys.append(one.key(caller, path))
            else:
                keys.append(id_key(one, path))
        except InvalidInput as error:
            errors += error.errors
            if len(errors) >= FAULTS_LIMIT:
                break
    if errors:
        raise InvalidInput(errors)
    return keys
