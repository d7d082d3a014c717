"""The contact as clients see it and as they send it: names and types.

Descriptions and limits stand in the rulebook; `described` brings them here.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from app import tables
from app.api.graphql.assignments import Assignment
from app.api.graphql.context import Info
from app.api.graphql.field import computed_field
from app.api.graphql.scalars import Json
from app.contacts.keys import ContactKey, MatchedBy
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import API_NAMES, plain_text

T = TypeVar("T", bound=type)


def described(cls: T) -> T:
    """Gives each field the description and the API's name that the rulebook has for it."""
    for name in cls.__annotations__:
        rule = tables.Contact.model_fields.get(name)
        if rule is not None:
            field = strawberry.field(name=API_NAMES.get(name), description=rule.description)
            setattr(cls, name, field)
    return cls


@strawberry.interface(description="An object that `node` can fetch again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(description="Unique among all objects; a UUID as text.")


@strawberry.type(description="A person that a workspace keeps in touch with.")
@described
class Contact(Node):
    id: strawberry.ID
    external_id: str | None
    email: str
    name: str | None
    display_name: str = strawberry.field(
        description="What to call the contact: its name, else first and last name, else its email."
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

    @computed_field("Whom or what the contact is assigned to, oldest first. No upsert changes it.")
    async def assignments(self, info: Info) -> list[Assignment]:
        records = await info.context.assignments.load(UUID(self.id))
        return [Assignment.of(record) for record in records]

    @classmethod
    def of(cls, record: tables.Contact) -> "Contact":
        values = {field.name: getattr(record, field.name) for field in fields(cls) if field.init}
        values["id"] = str(record.id)
        if record.professional_id is not None:
            values["professional_id"] = str(record.professional_id)
        return cls(**values)


@strawberry.input(
    description="What is known of a contact. Every field may be left out: omitted is unchanged, "
    "null is cleared. A broken rule is answered by an error with the code BAD_USER_INPUT whose "
    "`extensions.errors` name each field, code and limit."
)
@described
class ContactInput:
    external_id: strawberry.Maybe[str | None]
    email: strawberry.Maybe[str | None]
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
    created_at: strawberry.Maybe[datetime | None]
    updated_at: strawberry.Maybe[datetime | None]

    def given(self) -> dict[str, Any]:
        """The fields that were sent, null included."""
        return {name: some.value for name, some in vars(self).items() if some is not None}


@strawberry.input(
    name="ContactKey",
    one_of=True,
    description="Names a contact by one of its keys, or of those merged into it.",
)
class ContactKeyInput:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="The contact's own id.")
    external_id: strawberry.Maybe[str] = strawberry.field(
        description="The caller's own identifier, case-sensitive."
    )
    email: strawberry.Maybe[str] = strawberry.field(description="The email, in any case.")

    def key(self, path: str) -> ContactKey:
        """Raises InvalidInput, naming `path`, for what can be nobody's key."""
        kind, text = next(
            (MatchedBy(name), some.value) for name, some in vars(self).items() if some is not None
        )
        path = f"{path}.{API_NAMES.get(kind.value, kind.value)}"
        value = plain_text(text, path)
        return ContactKey.of(kind, _uuid(value, path) if kind is MatchedBy.ID else value)


def _uuid(text: str, path: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        message = "is not the id of a contact, which is a UUID"
        raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, path, message)]) from error


def keys_of(inputs: list[ContactKeyInput], path: str, limit: int) -> list[ContactKey]:
    """Raises InvalidInput for more keys than the limit, and for a key that can be nobody's."""
    if len(inputs) > limit:
        message = f"must have at most {limit} keys, has {len(inputs)}"
        raise InvalidInput([FieldError(FieldErrorCode.TOO_MANY, path, message)])
    return keys_at({f"{path}.{index}": one for index, one in enumerate(inputs)})


def keys_at(inputs: Mapping[str, ContactKeyInput]) -> list[ContactKey]:
    """The keys by their paths. Raises InvalidInput for all that can be nobody's."""
    keys: list[ContactKey] = []
    errors: list[FieldError] = []
    for path, one in inputs.items():
        try:
            keys.append(one.key(path))
        except InvalidInput as error:
            errors += error.errors
    if errors:
        raise InvalidInput(errors)
    return keys
