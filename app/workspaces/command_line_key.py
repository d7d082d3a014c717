"""The key that the command line acts with in a workspace, so that its changes have one too.

Nobody has the key itself: it is made up, and only its digest is stored.
"""

from sqlmodel import col, select

from app.database.errors import try_again
from app.database.sessions import Database
from app.tables import ApiKey
from app.workspaces.keys import Caller, Scope
from app.workspaces.workspaces import create_key, find_workspace

NAME = "command line"
SCOPES = (Scope.CONTACTS_READ, Scope.CONTACTS_WRITE)


@try_again
async def command_line_caller(database: Database, workspace_name: str, source: str) -> Caller:
    """Makes the key of the source on first use. Raises CommandFailed for a missing workspace."""
    async with database.write_directory() as session:
        workspace = await find_workspace(session, workspace_name)
        own = (
            col(ApiKey.workspace_id) == workspace.id,
            col(ApiKey.name) == NAME,
            col(ApiKey.source) == source,
            col(ApiKey.created_by).is_(None),
            col(ApiKey.revoked_at).is_(None),
        )
        statement = select(ApiKey).where(*own).order_by(col(ApiKey.id)).limit(1)
        key = (await session.exec(statement)).first()
        if key is None:
            await create_key(session, workspace_name, NAME, SCOPES, source=source)
            await session.flush()
            key = (await session.exec(statement)).one()
    return Caller(
        scopes=frozenset(SCOPES),
        workspace_id=workspace.id,
        workspace_name=workspace.name,
        key_id=key.id,
        key_name=key.name,
        key_prefix=key.prefix,
        key_created_at=key.created_at,
        key_expires_at=key.expires_at,
        source=key.source,
    )
