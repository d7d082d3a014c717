"""The input of an upsert policy."""

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
    description="How an upsert finds its contact and what it may change. The defaults are the "
    "safest choices.",
)
class UpsertPolicyInput:
    match_by: list[ContactIdentifier] = _member(
        "match_by", "The identifiers that find the contact, in the order in which they are tried."
    )
    fallback: MatchFallback = _member("fallback", "When the next identifier is tried.")
    on_match: OnMatch = _member("on_match", "What to do if a contact is found.")
    on_miss: OnMiss = _member("on_miss", "What to do if no contact is found.")
    email_on_match: EmailOnMatch = _member(
        "email_on_match", "What to do with a given email that is not that of the contact."
    )
    external_id_on_match: ExternalIdOnMatch = _member(
        "external_id_on_match",
        "What to do with a given external id that is not that of the contact.",
    )
    tags: TagsMode = _member("tags", "How given tags are applied to the stored ones.")
    custom_fields: ObjectMode = _member(
        "custom_fields", "How given custom fields are applied to the stored ones."
    )
    metadata: ObjectMode = _member("metadata", "How given metadata is applied to the stored one.")
    require_on_create: list[RequirableField] = _member(
        "require_on_create",
        "The fields required to create a contact, besides the email, which always is.",
    )
    generate_external_id: bool = _member(
        "generate_external_id",
        "Whether a created contact without an external id gets a UUID as its external id. A null "
        "`externalId` then counts as omitted and clears none.",
    )

    def policy(self) -> UpsertPolicy:
        members = vars(self) | {
            name: tuple(dict.fromkeys(getattr(self, name)))  # a list may repeat a member often
            for name in ("match_by", "require_on_create")
        }
        return UpsertPolicy(**members)
