"""Random outcomes of root fields: records as resolvers return them, some with values that the
schema does not allow, and exceptions."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from app.api.graphql.api_keys import ApiKey, CreateKeyPayload
from app.api.graphql.bulk import BulkOutcome, Row, Withheld
from app.api.graphql.connection import ContactPage
from app.api.graphql.delete import Deletions
from app.api.graphql.delete import Row as DeletionRow
from app.api.graphql.duplicates import DuplicatePage
from app.api.graphql.tags import TagCount
from app.api.graphql.update import Updates
from app.api.graphql.viewer import Viewer
from app.contacts.custom_fields import CustomFieldType
from app.contacts.decision.outcome import (
    Conflict,
    ConflictCode,
    ConflictReason,
    Created,
    FieldChange,
    FieldWarning,
    Invalid,
    Updated,
    WarningCode,
)
from app.contacts.duplicates import Pair, Pairs, Position
from app.contacts.keys import ContactIdentifier, MatchedBy
from app.contacts.listing.conditions import EVERY
from app.contacts.listing.order import Order, Window
from app.contacts.listing.page import Page
from app.contacts.merge import Merged
from app.contacts.store.duplicate_keys import DuplicateReason
from app.errors import FieldError, FieldErrorCode, Forbidden, InvalidInput, Unavailable
from app.settings import RateLimit
from app.tables import Contact
from app.workspaces.keys import Caller, Scope
from app.workspaces.quota import Allowance

AT = datetime(2026, 1, 31, 8, tzinfo=UTC)
ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
CALLER = Caller(
    workspace_id=ID,
    workspace_name="ours",
    key_id=ID,
    key_name="test",
    key_prefix="rollcall_",
    key_created_at=AT,
    key_expires_at=None,
    scopes=frozenset(Scope),
    source="default",
)

WHOLE: dict[str, Any] = {
    "id": ID,
    "email": "ada@example.com",
    "email_key": "ada@example.com",
    "first_name": "Ada",
    "created_at": AT,
    "updated_at": AT,
    "tags": ["a", "b"],
    "lifetime_value": 1.5,
    "orders_count": 3,
    "professional_id": ID,
    "custom_fields": {"plan": "x", "nested": [None, {"a": 1}]},
    "meta": {},
    "external_ids": {"default": "crm-7", "shop": "8"},
    "aliases": [["email", "", "old@example.com"], ["id", "", str(ID)]],
    "assignments": [{"kind": "client", "target_id": "4", "assigned_at": "2026-01-31T08:00:00Z"}],
}
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, 2**31, 1.5, float("inf"), "x", [], ["a", None], {}, b"x", ID]
)


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    values = {name: one.get_default(call_default_factory=True) for name, one in FIELDS}
    odd = draw(st.dictionaries(st.sampled_from(list(Contact.model_fields)), ODD, max_size=2))
    some = odd if draw(st.integers(0, 3)) == 0 else {}
    return Contact.model_construct(**values | WHOLE | some)


FIELDS = list(Contact.model_fields.items())

texts = st.sampled_from(["x", "", "é"])
warnings = st.lists(
    st.builds(FieldWarning, st.sampled_from(WarningCode), texts, texts), max_size=2
).map(tuple)
changes = st.lists(st.builds(FieldChange, texts, ODD, ODD), max_size=2).map(tuple)
reasons = st.builds(
    ConflictReason,
    st.sampled_from(ConflictCode),
    texts,
    st.none() | st.sampled_from(ContactIdentifier),
    st.none() | contacts(),
)
created = st.builds(Created, contacts(), warnings)
updated = st.builds(Updated, contacts(), st.sampled_from(MatchedBy), changes, warnings)
conflicts = st.lists(reasons, max_size=2).map(tuple).map(Conflict)
field_errors = st.builds(FieldError, st.sampled_from(FieldErrorCode), texts, texts)
invalid = st.lists(field_errors, max_size=2).map(tuple).map(Invalid)
merged = st.builds(Merged, contacts(), st.just(ID), changes)
of_no_type = st.sampled_from([7, "x", SimpleNamespace()])
upserts = created | updated | conflicts | of_no_type
found = st.none() | contacts()
pages = st.builds(Page, st.lists(contacts(), max_size=3), st.booleans())
pairs = st.builds(
    Pair,
    contacts(),
    contacts(),
    st.lists(st.sampled_from(DuplicateReason), max_size=3),
    st.builds(Position, st.sampled_from(DuplicateReason), texts, st.just(ID)),
)
bulks = st.builds(
    BulkOutcome,
    st.lists(
        st.builds(
            Row,
            st.integers(-1, 2**31),
            created | updated | conflicts | invalid | st.just(Withheld(3)) | of_no_type,
        ),
        max_size=3,
    ),
    *[st.integers(0, 5)] * 6,
)
updates = st.builds(
    Updates,
    st.lists(
        st.builds(Row, st.just(0), updated | conflicts | invalid | of_no_type), max_size=3
    ).map(tuple),
    *[st.integers(0, 5)] * 4,
    ODD,
    st.none() | texts,
)
deletions = st.builds(
    Deletions,
    st.lists(st.builds(DeletionRow, st.just(0), contacts() | conflicts), max_size=3).map(tuple),
    st.just(1),
    st.just(1),
    ODD,
)
definition = SimpleNamespace(key="plan", type=CustomFieldType.JSON, label=None, description="x")
exceptions: st.SearchStrategy[Exception] = st.sampled_from(
    [
        InvalidInput([FieldError(FieldErrorCode.TOO_LONG, "email", "must be short")]),
        Forbidden("The API key must have the scope admin."),
        Unavailable("The database cannot be reached."),
        ValueError("unexpected"),
    ]
)
BY_ROOT_FIELD: dict[str, st.SearchStrategy[Any]] = {
    "node": found | of_no_type,
    "nodes": st.lists(found | of_no_type, max_size=3),
    "contact": found,
    "contactsByKey": st.lists(found, max_size=3) | st.just("abc") | st.just((None,)),
    "contacts": st.builds(
        ContactPage, st.just(CALLER), st.just(Order()), st.just(Window(3)), st.just(EVERY), pages
    ),
    "tags": st.lists(st.builds(TagCount, tag=texts, count=ODD), max_size=2),
    "customFieldDefinitions": st.just([definition]) | st.just([None]),
    "duplicateContacts": st.builds(
        DuplicatePage, st.just(CALLER), st.none(), st.builds(Pairs, st.lists(pairs), st.none())
    ),
    "keys": st.just([ApiKey.of_caller(CALLER)]) | st.just([None]),
    "createKey": st.just(CreateKeyPayload(key="x", api_key=ApiKey.of_caller(CALLER))),
    "revokeKey": st.just(ApiKey.of_caller(CALLER)) | st.none(),
    "viewer": st.builds(
        Viewer.of, st.just(CALLER), st.none() | st.just(Allowance(RateLimit(50_000, 500_000)))
    ),
    "upsertContact": upserts,
    "upsertContacts": bulks,
    "createContact": upserts,
    "updateContact": upserts,
    "deleteContact": contacts() | conflicts | of_no_type,
    "updateContacts": updates,
    "deleteContacts": deletions,
    "mergeContacts": merged | conflicts,
    "defineCustomField": st.just(definition),
    "removeCustomField": st.just(definition) | st.none(),
}


def outcomes(root_field: str) -> st.SearchStrategy[Any]:
    return st.one_of(*[BY_ROOT_FIELD.get(root_field, upserts)] * 5, exceptions)
