"""How an upsert finds its contact and what it may change. The defaults are the safest choices."""

from dataclasses import dataclass
from enum import Enum

from app.contacts.keys import ContactIdentifier


class MatchFallback(Enum):
    UNMATCHED = "UNMATCHED"
    ABSENT = "ABSENT"


class OnMatch(Enum):
    UPDATE = "UPDATE"
    CONFLICT = "CONFLICT"


class OnMiss(Enum):
    CREATE = "CREATE"
    CONFLICT = "CONFLICT"


class EmailOnMatch(Enum):
    REPLACE = "REPLACE"
    KEEP = "KEEP"


class ExternalIdOnMatch(Enum):
    FILL = "FILL"
    REPLACE = "REPLACE"
    KEEP = "KEEP"


class TagsMode(Enum):
    REPLACE = "REPLACE"
    ADD = "ADD"
    REMOVE = "REMOVE"


class ObjectMode(Enum):
    MERGE = "MERGE"
    REPLACE_KEYS = "REPLACE_KEYS"
    REPLACE = "REPLACE"


class RequirableField(Enum):
    EXTERNAL_ID = "external_id"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    PHONE = "phone"
    COMPANY = "company"
    JOB_TITLE = "job_title"
    COUNTRY = "country"
    LANGUAGE = "language"
    TIMEZONE = "timezone"


@dataclass(frozen=True, kw_only=True)
class UpsertPolicy:
    match_by: tuple[ContactIdentifier, ...] = (
        ContactIdentifier.EXTERNAL_ID,
        ContactIdentifier.EMAIL,
    )
    fallback: MatchFallback = MatchFallback.UNMATCHED
    on_match: OnMatch = OnMatch.UPDATE
    on_miss: OnMiss = OnMiss.CREATE
    email_on_match: EmailOnMatch = EmailOnMatch.REPLACE
    external_id_on_match: ExternalIdOnMatch = ExternalIdOnMatch.FILL
    tags: TagsMode = TagsMode.REPLACE
    custom_fields: ObjectMode = ObjectMode.MERGE
    metadata: ObjectMode = ObjectMode.MERGE
    require_on_create: tuple[RequirableField, ...] = ()
    generate_external_id: bool = False


DEFAULT_POLICY = UpsertPolicy()
