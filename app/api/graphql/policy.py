"""The policy of an upsert as clients send it."""

from typing import Any

import strawberry

from app.api.graphql.enums import (
    ContactIdentifier,
    EmailOnMatch,
    ExternalIdOnMatch,
    MatchFallback,
    ObjectMode,
    OnMatch,
    OnMiss,
    RequirableField,
    TagsMode,
)
from app.contacts.decision.policy import DEFAULT_POLICY, UpsertPolicy


def _member(name: str, description: str) -> Any:
    default = getattr(DEFAULT_POLICY, name)
    if isinstance(default, tuple):
        return strawberry.field(default_factory=lambda: list(default), description=description)
    return strawberry.field(default=default, description=description)


@strawberry.input(
    name="UpsertPolicy",
    description="How an upsert finds its contact and what it may do. Every default is the safe "
    "one.",
)
class UpsertPolicyInput:
    match_by: list[ContactIdentifier] = _member(
        "match_by", "The identifiers that find the contact, tried in this order."
    )
    fallback: MatchFallback = _member("fallback", "When to try the next identifier.")
    on_match: OnMatch = _member("on_match", "What to do with a contact that was found.")
    on_miss: OnMiss = _member("on_miss", "What to do where none was found.")
    email_on_match: EmailOnMatch = _member(
        "email_on_match", "What a given email does to a contact that has another."
    )
    external_id_on_match: ExternalIdOnMatch = _member(
        "external_id_on_match", "What a given external id does to a contact that has another."
    )
    tags: TagsMode = _member("tags", "What given tags do.")
    custom_fields: ObjectMode = _member("custom_fields", "What given custom fields do.")
    metadata: ObjectMode = _member("metadata", "What given metadata does.")
    require_on_create: list[RequirableField] = _member(
        "require_on_create", "What creating needs beside the email, which it always needs."
    )
    generate_external_id: bool = _member(
        "generate_external_id",
        "Gives a created contact without an external id a UUID as one. A null externalId then "
        "counts as omitted: it clears none.",
    )

    def policy(self) -> UpsertPolicy:
        return UpsertPolicy(**vars(self))
