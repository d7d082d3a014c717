"""The SQLModel tables.

`workspace` and `api_key` are the directory: small, and read before the workspace of a request is
known. All else is a workspace's own data, and starts every key and index with the workspace.
"""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel
from uuid_utils.compat import uuid7

from app.fields.contact import DOCUMENT, TEXT, ContactFields


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


class CustomField(SQLModel, table=True):
    """A custom field that a workspace has defined."""

    __tablename__ = "custom_field"

    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE", primary_key=True)
    key: str = Field(sa_type=TEXT, primary_key=True)
    type: str = Field(sa_type=TEXT)
    label: str | None = Field(default=None, sa_type=TEXT)
    description: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(default_factory=now)


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


# Fields that a filter finds by an index of their own. `notes` may be too long for one.
FILTERED = (
    "prefix",
    "first_name",
    "last_name",
    "suffix",
    "phone",
    "phone_e164",
    "company",
    "job_title",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postcode",
    "country",
    "timezone",
    "language",
    "orders_count",
    "professional_id",
)

# Values that likely duplicates share, walked in the order of value and id.
ALIKE = ("phone_e164", "name_company_key", "email_alike")


def _indexed(name: str) -> Index:
    present = text(f"{name} IS NOT NULL")
    return Index(
        f"contact_{name}",
        "workspace_id",
        name,
        *(["id"] if name in ALIKE else []),
        sqlite_where=present,
        postgresql_where=present,
    )


class ContactTable(Contact, table=True):
    """Beside the contact, the columns that only serve to find and order it."""

    __tablename__ = "contact"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id"], ["workspace.id"], ondelete="CASCADE"),
        Index("contact_external_id", "workspace_id", "external_id", unique=True),
        Index("contact_email", "workspace_id", "email_key", unique=True),
        Index("contact_created_at", "workspace_id", "created_at", "id"),
        Index("contact_updated_at", "workspace_id", "updated_at", "id"),
        Index("contact_name", "workspace_id", "name_key", "id"),
        Index("contact_lifetime_value", "workspace_id", "lifetime_value", "id"),
        Index("contact_last_order_at", "workspace_id", "last_order_at", "id"),
        Index(
            "contact_inactive",
            "workspace_id",
            "id",
            sqlite_where=text("is_active = 0"),
            postgresql_where=text("NOT is_active"),
        ),
        Index(
            "contact_unsubscribed",
            "workspace_id",
            "id",
            sqlite_where=text("is_unsubscribed = 1"),
            postgresql_where=text("is_unsubscribed"),
        ),
        *map(_indexed, dict.fromkeys(FILTERED + ALIKE)),
    )

    workspace_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    name_key: str | None = Field(default=None, sa_type=TEXT)
    search_text: str = Field(sa_type=TEXT)
    name_company_key: str | None = Field(default=None, sa_type=TEXT)
    email_alike: str | None = Field(default=None, sa_type=TEXT)


class Assignment(SQLModel, table=True):
    """Whom or what a contact is assigned to, in the client's own words. Goes with its contact."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "contact_id"],
            ["contact.workspace_id", "contact.id"],
            ondelete="CASCADE",
        ),
        Index("assignment_target", "workspace_id", "kind", "target_id", "contact_id"),
    )

    workspace_id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=TEXT, primary_key=True)
    target_id: str = Field(sa_type=TEXT, primary_key=True)
    assigned_at: datetime


class ContactAlias(SQLModel, table=True):
    """An identifier of a contact that was merged away, and the contact that it leads to now.

    Written only by who holds the lock of the contact that it leads to.
    """

    __tablename__ = "contact_alias"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "contact_id"],
            ["contact.workspace_id", "contact.id"],
            ondelete="CASCADE",
        ),
        Index("contact_alias_contact", "workspace_id", "contact_id"),
    )

    workspace_id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=TEXT, primary_key=True)
    value: str = Field(sa_type=TEXT, primary_key=True)
    contact_id: UUID
