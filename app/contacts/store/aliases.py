"""Aliases: the identifiers of contacts that were merged away, which lead to the ones that stay.

An identifier is held by one contact at most, as its own or as an alias. A contact may own a key
that is an alias of it as well: the alias goes when the contact lets go of the key.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, union_all, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.contacts.keys import ContactKey, MatchedBy
from app.tables import ContactAlias
from app.workspaces.keys import Caller


async def leads(
    session: AsyncSession, caller: Caller, keys: Collection[ContactKey]
) -> dict[ContactKey, UUID]:
    """The contacts that those keys lead to which are aliases."""
    if not keys:
        return {}
    columns = select(ContactAlias.kind, ContactAlias.value, ContactAlias.contact_id)
    # Each kind by the primary key: for an OR of them SQLite would rather walk all aliases.
    statement: Any = union_all(*(columns.where(of_workspace(caller), *one) for one in _kinds(keys)))
    return {
        _key(kind, value): contact_id for kind, value, contact_id in await session.exec(statement)
    }


async def are_others(
    session: AsyncSession, caller: Caller, holders: Mapping[ContactKey, UUID]
) -> bool:
    """Whether one of the keys is an alias of another contact than the one that holds it."""
    found = await leads(session, caller, holders.keys())
    return any(contact_id != holders[key] for key, contact_id in found.items())


async def release(session: AsyncSession, caller: Caller, keys: Collection[ContactKey]) -> None:
    """The keys are aliases no more."""
    for one in _kinds(keys):
        await session.exec(delete(ContactAlias).where(of_workspace(caller), *one))


async def move(session: AsyncSession, caller: Caller, old_id: UUID, new_id: UUID) -> None:
    """What led to the one contact leads to the other."""
    statement = update(ContactAlias).where(
        of_workspace(caller), col(ContactAlias.contact_id) == old_id
    )
    await session.exec(statement.values(contact_id=new_id))


async def add(
    session: AsyncSession, caller: Caller, keys: Collection[ContactKey], contact_id: UUID
) -> None:
    """The keys, which nobody owns now, lead to the contact."""
    await release(session, caller, keys)
    rows: list[dict[str, Any]] = [
        {
            "workspace_id": caller.workspace_id,
            "kind": key.kind.value,
            "value": str(key.value),
            "contact_id": contact_id,
        }
        for key in keys
    ]
    await session.exec(insert(ContactAlias), params=rows)


def of_workspace(caller: Caller) -> ColumnElement[bool]:
    """The first condition of every statement on aliases."""
    return col(ContactAlias.workspace_id) == caller.workspace_id


def _kinds(keys: Iterable[ContactKey]) -> Iterator[tuple[ColumnElement[bool], ...]]:
    """The keys as conditions, a pair for each kind."""
    values: dict[MatchedBy, list[str]] = {}
    for key in keys:
        values.setdefault(key.kind, []).append(str(key.value))
    for kind, wanted in values.items():
        yield col(ContactAlias.kind) == kind.value, col(ContactAlias.value).in_(wanted)


def _key(kind: str, value: str) -> ContactKey:
    by = MatchedBy(kind)
    return ContactKey(by, UUID(value) if by is MatchedBy.ID else value)
