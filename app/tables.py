"""The SQLModel tables.

`workspace` and `api_key` are the directory: small, and read before the workspace of a request is
known. All else is a workspace's own data, and starts every key and index with the workspace.
"""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field, SQLModel
from uuid_utils.compat import uuid7

from app.fields import DOCUMENT, TEXT, ContactFields


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): unique, and in the order of creation."""
    return uuid7()


def now() -> datetime:
    return datetime.now(UTC)


class Workspace(SQLModel, table=True):
    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(sa_type=TEXT, unique=True)
    created_at: datetime = Field(default_factory=now)


class ApiKey(SQLModel, table=True):
    """A key as it is kept: its SHA-256, and the prefix by which people tell it from others."""

    __tablename__ = "api_key"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE", index=True)
    name: str = Field(sa_type=TEXT)
    prefix: str = Field(sa_type=TEXT)
    digest: bytes = Field(unique=True)
    scopes: list[str] = Field(sa_type=DOCUMENT)
    created_at: datetime = Field(default_factory=now)
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class Contact(ContactFields):
    """A contact as it is stored: what clients send, and what the server keeps beside it."""

    id: UUID = Field(description="The contact's own id: a UUIDv7 (RFC 9562), as text.")
    email_key: str = Field(sa_type=TEXT)
    phone_e164: str | None = Field(
        default=None,
        sa_type=TEXT,
        description="The phone number in E.164; null where it is no valid number.",
    )
    is_unsubscribed: bool = Field(
        default=False, description="Whether the contact asked not to be written to."
    )
    unsubscribed_at: datetime | None = Field(
        default=None, description="When the contact unsubscribed."
    )
    version: int = Field(
        default=1, description="1 when created, and one more with every call that changed it."
    )

    @property
    def display_name(self) -> str:
        whole = " ".join(part for part in (self.first_name, self.last_name) if part)
        return self.name or whole or self.email


class ContactTable(Contact, table=True):
    __tablename__ = "contact"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        Index("contact_external_id", "workspace_id", "external_id", unique=True),
        Index("contact_email", "workspace_id", "email_key", unique=True),
        Index("contact_created_at", "workspace_id", "created_at", "id"),
        Index("contact_updated_at", "workspace_id", "updated_at", "id"),
    )

    workspace_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
