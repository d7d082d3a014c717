"""The custom fields that a workspace has defined: their keys, types, labels and descriptions.

Custom fields with other keys accept any value.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, func
from sqlmodel import col, select

from app.contacts.limits import CUSTOM_FIELDS_LIMIT
from app.database.dialect import Dialect
from app.database.errors import try_again
from app.database.prepared import Prepared
from app.database.sessions import Database, InWorkspace, WorkspaceSession, prepared
from app.errors import FieldError, FieldErrorCode, InvalidInput
from app.fields.normalise import plain_text
from app.tables import CustomField
from app.workspaces.keys import Caller
from app.workspaces.locks import lock_workspace

TEXT_LIMITS = {"key": 100, "label": 255, "description": 10_000}


class CustomFieldType(Enum):
    STRING = "STRING"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    DATETIME = "DATETIME"
    JSON = "JSON"


class CustomFieldSet(Enum):
    """A predefined set of definitions, named after the system that it serves."""

    NOTIFUSE = "notifuse"


SETS: dict[CustomFieldSet, dict[str, CustomFieldType]] = {
    CustomFieldSet.NOTIFUSE: {
        f"custom_{kind.value.lower()}_{slot}": kind
        for kind in CustomFieldType
        if kind is not CustomFieldType.BOOLEAN
        for slot in range(1, 6)
    }
}


async def definitions(session: WorkspaceSession) -> Sequence[CustomField]:
    return (await session.exec(select(CustomField).order_by(col(CustomField.key)))).all()


async def defined_types(session: WorkspaceSession) -> dict[str, CustomFieldType]:
    """The type of each defined key, in one statement."""
    rows = await session.fetch(_types(session.dialect))
    return {row["key"]: CustomFieldType(row["type"]) for row in rows}


async def read_types(database: Database, tenant: InWorkspace) -> dict[str, CustomFieldType]:
    """As `defined_types`, without a session."""
    rows = await database.fetch(_types(database.dialect), workspace_id=tenant.workspace_id)
    return {row["key"]: CustomFieldType(row["type"]) for row in rows}


@lru_cache(maxsize=8)
def _types(dialect: Dialect) -> Prepared:
    return prepared(dialect, select(CustomField.key, CustomField.type))


@try_again
async def define(
    database: Database, caller: Caller, kind: CustomFieldType, texts: Mapping[str, Any]
) -> CustomField:
    """Defines a key, or updates the texts of a defined one.

    `texts` has `key`, `label` and `description`; an absent text is left unchanged. Raises
    InvalidInput with every broken rule.
    """
    texts = _normalised(texts)
    async with database.write(caller) as session:
        await lock_workspace(session, session.workspace_id)
        return await _define(session, kind, texts)


@try_again
async def remove(database: Database, caller: Caller, key: str) -> CustomField | None:
    """Returns the removed definition. The values of contacts are unchanged."""
    statement = (
        delete(CustomField)
        .where(col(CustomField.key) == plain_text(key, "key"))
        .returning(CustomField)
    )
    async with database.write(caller) as session:
        return (await session.exec(statement)).scalar_one_or_none()


async def load(session: WorkspaceSession, chosen: CustomFieldSet) -> int:
    """Defines a predefined set and returns its size. Existing texts are left unchanged."""
    await lock_workspace(session, session.workspace_id)
    for key, kind in SETS[chosen].items():
        await _define(session, kind, {"key": key})
    return len(SETS[chosen])


async def _define(
    session: WorkspaceSession, kind: CustomFieldType, texts: Mapping[str, Any]
) -> CustomField:
    key = texts["key"]
    definition = await session.get(CustomField, (session.workspace_id, key))
    if definition is None:
        if await _count(session) >= CUSTOM_FIELDS_LIMIT:
            message = f"must be one of at most {CUSTOM_FIELDS_LIMIT} custom fields in the workspace"
            raise InvalidInput([FieldError(FieldErrorCode.TOO_MANY, "key", message)])
        definition = CustomField(workspace_id=session.workspace_id, type=kind.value, **texts)
        session.add(definition)
    elif definition.type != kind.value:
        message = f"must be {definition.type}, the type of {key}, until the definition is removed"
        raise InvalidInput([FieldError(FieldErrorCode.INVALID_FORMAT, "type", message)])
    else:
        definition.sqlmodel_update(dict(texts))
    await session.flush()
    return definition


async def _count(session: WorkspaceSession) -> int:
    return (await session.exec(select(func.count(col(CustomField.key))))).one()


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
