"""The statements that this process runs, in sessions and without them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event

from app.database.prepared import Prepared
from app.database.sessions import Database


@contextmanager
def statements() -> Iterator[list[str]]:
    """A list that grows with each statement."""
    seen: list[str] = []

    def in_session(*arguments: Any) -> None:
        seen.append(arguments[2].strip())

    fetch = Database.fetch

    async def without_session(database: Database, statement: Prepared, **parameters: Any) -> Any:
        seen.append(statement.text.strip())
        return await fetch(database, statement, **parameters)

    event.listen(Engine, "before_cursor_execute", in_session)
    with patch.object(Database, "fetch", without_session):
        yield seen
    event.remove(Engine, "before_cursor_execute", in_session)
