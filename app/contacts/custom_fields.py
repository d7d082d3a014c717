"""The custom fields that a workspace has defined: their keys, types, labels and descriptions.

A contact's custom fields of other keys are taken as they are.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database.sessions import Database, try_again
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.contact import plain_text
from app.tables import CustomField, Workspace
from app.workspaces.keys import Caller

DEFINITIONS_LIMIT = 500
TEXT_LIMITS = {"key": 100, "label": 255, "description": 10_000}


class CustomFieldType(Enum):
    STRING = "STRING"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    DATETIME = "DATETIME"
    JSON = "JSON"


class CustomFieldSet(Enum):
    """A ready set of definitions, named after the system whose slots it holds."""

    NOTIFUSE = "notifuse"


SETS: dict[CustomFieldSet, dict[str, CustomFieldType]] = {
    CustomFieldSet.NOTIFUSE: {
        f"custom_{kind.value.lower()}_{slot}": kind
        for kind in CustomFieldType
        if kind is not CustomFieldType.BOOLEAN
        for slot in range(1, 6)
    }
}


async def definitions(session: AsyncSession, workspace_id: UUID) -> Sequence[CustomField]:
    statement = select(CustomField).where(col(CustomField.workspace_id) == workspace_id)
    return (await session.exec(statement.order_by(col(CustomField.key)))).all()


async def defined_types(session: AsyncSession, workspace_id: UUID) -> dict[str, CustomFieldType]:
    """The types by their keys, in one statement."""
    columns = select(col(CustomField.key), col(CustomField.type))
    rows = await session.exec(columns.where(col(CustomField.workspace_id) == workspace_id))
    return {key: CustomFieldType(kind) for key, kind in rows}


@try_again
async def define(
    database: Database, caller: Caller, kind: CustomFieldType, texts: Mapping[str, Any]
) -> CustomField:
    """Defines a key, or gives a defined one what `texts` holds: `key`, `label`, `description`.

    A text that is absent stays as it is. Raises InvalidInput with every broken rule.
    """
    texts = _normalised(texts)
    async with database.write(caller.workspace_id) as session:
        await _lock(session, caller.workspace_id)
        return await _define(session, caller.workspace_id, kind, texts)


@try_again
async def remove(database: Database, caller: Caller, key: str) -> CustomField | None:
    """The definition that was removed. The values on contacts stay."""
    statement = (
        delete(CustomField)
        .where(
            col(CustomField.workspace_id) == caller.workspace_id,
            col(CustomField.key) == plain_text(key, "key"),
        )
        .returning(CustomField)
    )
    async with database.write(caller.workspace_id) as session:
        return (await session.exec(statement)).scalar_one_or_none()


async def load(session: AsyncSession, workspace_id: UUID, chosen: CustomFieldSet) -> int:
    """Defines a ready set and returns its size. Labels and descriptions that are there stay."""
    await _lock(session, workspace_id)
    for key, kind in SETS[chosen].items():
        await _define(session, workspace_id, kind, {"key": key})
    return len(SETS[chosen])


async def _lock(session: AsyncSession, workspace_id: UUID) -> None:
    """Definitions of a workspace are made one after the other, which its limit needs.

    The lock is one that writers of contacts, who refer to the workspace, need not wait for.
    """
    statement = select(Workspace.id).where(col(Workspace.id) == workspace_id)
    await session.exec(statement.with_for_update(key_share=True))


async def _define(
    session: AsyncSession,
    workspace_id: UUID,
    kind: CustomFieldType,
    texts: Mapping[str, Any],
) -> CustomField:
    key = texts["key"]
    definition = await session.get(CustomField, (workspace_id, key))
    if definition is None:
        if await _count(session, workspace_id) >= DEFINITIONS_LIMIT:
            message = f"a workspace can define at most {DEFINITIONS_LIMIT} custom fields"
            raise InvalidInput([FieldError(FieldErrorCode.TOO_MANY, "key", message)])
        definition = CustomField(workspace_id=workspace_id, type=kind.value, **texts)
        session.add(definition)
    elif definition.type != kind.value:
        message = f"{key} is defined as {definition.type}: remove it first"
        raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, "type", message)])
    else:
        definition.sqlmodel_update(dict(texts))
    await session.flush()
    return definition


async def _count(session: AsyncSession, workspace_id: UUID) -> int:
    statement = select(func.count()).select_from(CustomField)
    return (
        await session.exec(statement.where(col(CustomField.workspace_id) == workspace_id))
    ).one()


def _normalised(texts: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, text in texts.items():
        try:
            values[name] = None if text is None else _text(name, text)
        except InvalidInput as error:
            errors.extend(error.errors)
    if errors:
        raise InvalidInput(errors)
    return values


def _text(name: str, text: str) -> str:
    text = plain_text(text, name)
    if len(text) > TEXT_LIMITS[name]:
        message = f"must have at most {TEXT_LIMITS[name]} characters"
        raise InvalidInput([FieldError(FieldErrorCode.TOO_LONG, name, message)])
    if name == "key" and not text:
        raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, name, "must not be empty")])
    return text
