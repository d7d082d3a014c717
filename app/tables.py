"""All tables, the same on SQLite and on PostgreSQL.

`workspace` and `api_key` are the directory, which is used before the workspace of a request is
known. All other tables have the data of workspaces; their keys and indexes start with the
workspace.

The row of a contact has all its data. `contact_identifier` and `contact_term` repeat a part of it
for look-ups; `app.contacts.store.save` writes the three together. Text indexes and statistics,
which differ between the databases, are in `app.database`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Table, text
from sqlmodel import Field, SQLModel
from uuid_utils.compat import uuid7

from app.fields.contact import DOCUMENT, TEXT, ContactFields


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): unique, and ordered by creation."""
    return uuid7()


def now() -> datetime:
    return datetime.now(UTC)


_set = object.__setattr__  # without pydantic's checks


class Workspace(SQLModel, table=True):
    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(sa_type=TEXT, unique=True)
    created_at: datetime = Field(default_factory=now)

    @property
    def workspace_id(self) -> UUID:
        return self.id


class ApiKey(SQLModel, table=True):
    """An API key: its SHA-256, and the prefix that distinguishes it from other keys."""

    __tablename__ = "api_key"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE", index=True)
    name: str = Field(sa_type=TEXT)
    prefix: str = Field(sa_type=TEXT)
    digest: bytes = Field(unique=True)
    scopes: list[str] = Field(sa_type=DOCUMENT)
    source: str = Field(sa_type=TEXT)
    created_at: datetime = Field(default_factory=now)
    # The key that created it over the API; null if the command line did.
    created_by: UUID | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


class OfWorkspace(SQLModel):
    """The data of a workspace. Sessions add the condition on the workspace to statements."""

    workspace_id: UUID = Field(primary_key=True)


class KeyQuota(OfWorkspace, table=True):
    """The token bucket of an API key, and the points that the last lease was given."""

    __tablename__ = "key_quota"
    __table_args__ = (ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),)

    key_id: UUID = Field(primary_key=True)
    points: float
    granted: float
    filled_at: datetime


class CustomField(OfWorkspace, table=True):
    """A custom field that a workspace has defined."""

    __tablename__ = "custom_field"
    __table_args__ = (ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),)

    key: str = Field(sa_type=TEXT, primary_key=True)
    type: str = Field(sa_type=TEXT)
    label: str | None = Field(default=None, sa_type=TEXT)
    description: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(default_factory=now)


class Contact(ContactFields):
    """A contact: the fields that clients send, and those that the server sets."""

    id: UUID = Field(description="The contact's own id: a UUIDv7 (RFC 9562), as text.")
    email_key: str = Field(sa_type=TEXT)
    external_ids: dict[str, str] = Field(
        default_factory=dict,
        sa_type=DOCUMENT,
        description="The external ids of all sources, at most one of each.",
    )
    aliases: list[list[str]] = Field(
        default_factory=list,
        sa_type=DOCUMENT,
        description="The identifiers of contacts that were merged into this one.",
    )
    assignments: list[dict[str, str]] = Field(
        default_factory=list,
        sa_type=DOCUMENT,
        description="Whom or what the contact is assigned to, oldest first. No upsert changes it.",
    )
    phone_e164: str | None = Field(
        default=None,
        sa_type=TEXT,
        description="The phone number in E.164; null if it is not a valid number.",
    )
    is_unsubscribed: bool = Field(
        default=False, description="Whether the contact asked to receive no messages."
    )
    unsubscribed_at: datetime | None = Field(
        default=None, description="When the contact unsubscribed."
    )
    version: int = Field(
        default=1, description="1 when created, and one more with every call that changed it."
    )

    @staticmethod
    def of(values: dict[str, Any]) -> "Contact":
        """Keeps the values, which are valid: pydantic's own ways take twenty times as long."""
        contact = object.__new__(Contact)
        _set(contact, "__dict__", values)
        _set(contact, "__pydantic_extra__", None)
        _set(contact, "__pydantic_private__", None)
        return contact

    def with_values(self, values: Mapping[str, Any]) -> "Contact":
        return Contact.of({**self.__dict__, **values})

    @property
    def display_name(self) -> str:
        whole = " ".join(part for part in (self.first_name, self.last_name) if part)
        return self.name or whole or self.email


def _index(name: str, *columns: str, where: str | None = None) -> Index:
    """An index of the rows with a value in the first column, or of those that meet `where`."""
    condition = text(where or f"{columns[0]} IS NOT NULL")
    return Index(
        f"contact_{name}",
        "workspace_id",
        *columns,
        sqlite_where=condition,
        postgresql_where=condition,
    )


class ContactTable(Contact, OfWorkspace, table=True):
    """The contact, and the columns that only serve to find and order it."""

    __tablename__ = "contact"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        Index("contact_created_at", "workspace_id", "created_at", "id"),
        Index("contact_updated_at", "workspace_id", "updated_at", "id"),
        Index("contact_email", "workspace_id", "email_key", "id"),
        Index("contact_name", "workspace_id", "name_key", "id"),
        Index("contact_lifetime_value", "workspace_id", "lifetime_value", "id"),
        Index("contact_last_order_at", "workspace_id", "last_order_at", "id"),
        _index("company", "company"),
        _index("country", "country"),
        _index("inactive", "id", where="NOT is_active"),
        _index("unsubscribed", "id", where="is_unsubscribed"),
        _index("same_phone", "phone_e164", "id"),
        _index("same_name_and_company", "name_company_key", "id"),
        _index("similar_email", "similar_email_key", "id"),
    )

    id: UUID = Field(primary_key=True)
    name_key: str | None = Field(default=None, sa_type=TEXT)
    search_text: str = Field(sa_type=TEXT)
    # Custom values that are timestamps, in seconds since 1970.
    custom_datetimes: dict[str, float] = Field(sa_type=DOCUMENT)
    name_company_key: str | None = Field(default=None, sa_type=TEXT)
    similar_email_key: str | None = Field(default=None, sa_type=TEXT)


class IdentifierTable(OfWorkspace, table=True):
    """Every identifier, unique in its workspace, and the contact that it finds.

    `kind` is `external_id`, `email`, or `id` for the id of a contact that was merged away. Only an
    external id has a `source`. Any identifier may be an alias.
    """

    __tablename__ = "contact_identifier"
    __table_args__ = {"sqlite_with_rowid": False}

    kind: str = Field(sa_type=TEXT, primary_key=True)
    source: str = Field(sa_type=TEXT, primary_key=True)
    value: str = Field(sa_type=TEXT, primary_key=True)
    contact_id: UUID


class TermTable(OfWorkspace, table=True):
    """A tag, a custom value or an assignment, and a contact that has it.

    `kind` is a `TermKind`. `key` is the custom field's key or the kind of assignee, and empty for
    tags. The value is in `text` or in `number`; the other one is empty or 0.
    """

    __tablename__ = "contact_term"
    __table_args__ = {"sqlite_with_rowid": False}

    kind: str = Field(sa_type=TEXT, primary_key=True)
    key: str = Field(sa_type=TEXT, primary_key=True)
    text: str = Field(sa_type=TEXT, primary_key=True)
    number: float = Field(primary_key=True)
    contact_id: UUID = Field(primary_key=True)


CONTACT: Table = ContactTable.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
IDENTIFIER: Table = IdentifierTable.__table__  # type: ignore[attr-defined]  # nor here
TERM: Table = TermTable.__table__  # type: ignore[attr-defined]  # nor here
