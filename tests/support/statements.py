"""The statements that this process runs, by SQLAlchemy and past it."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch  # to listen: what is patched still runs

from sqlalchemy import Engine, event

from app.database import sqlite_writes
from app.database.postgresql import PostgreSQL
from app.database.sqlite import SQLite

# What runs statements past SQLAlchemy, beside the writes of SQLite.
_DRIVERS = [
    (PostgreSQL, "execute_each"),
    *((kind, name) for kind in (PostgreSQL, SQLite) for name in ("fetch", "fetch_single")),
]

# What inserts all rows but the first into a table, on Citus.
AFTER_THE_FIRST = re.compile(r"INSERT .* SELECT first\.", re.DOTALL)

# What begins a transaction, and what records that keys were used.
_UNCOUNTED = re.compile(
    r"BEGIN|UPDATE api_key SET last_used_at"
    r"|SELECT workspace.id\s+FROM workspace\s+WHERE workspace.id IN \(SELECT api_key.workspace_id"
)

See = Callable[[str, Any], None]


@contextmanager
def past_sqlalchemy(see: See) -> Iterator[None]:
    """Calls `see` with each statement that a driver is given by this project, and its arguments."""

    def watched(function: Any) -> Any:
        async def run(dialect: Any, connection: Any, statement: str, *arguments: Any) -> Any:
            see(statement.strip(), arguments[0])
            return await function(dialect, connection, statement, *arguments)

        return run

    write_rows = sqlite_writes.write_rows

    def write(driver: Any, statement: Any, *arguments: Any) -> None:
        see(statement.text.strip(), arguments)
        write_rows(driver, statement, *arguments)

    with ExitStack() as patches:
        for kind, name in _DRIVERS:
            patches.enter_context(patch.object(kind, name, watched(getattr(kind, name))))
        patches.enter_context(patch.object(sqlite_writes, "write_rows", write))
        yield


def of_one_run(parameters: Any) -> Any:
    """The parameters of a statement, or those of its first run if it ran several times at once."""
    several = isinstance(parameters, list) and isinstance(parameters[0], tuple)
    return parameters[0] if several else parameters


@contextmanager
def every_statement(see: See) -> Iterator[None]:
    """As `past_sqlalchemy`, and with the statements of SQLAlchemy."""

    def by_sqlalchemy(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        see(statement.strip(), parameters)

    event.listen(Engine, "before_cursor_execute", by_sqlalchemy)
    with past_sqlalchemy(see):
        yield
    event.remove(Engine, "before_cursor_execute", by_sqlalchemy)


@contextmanager
def statements() -> Iterator[list[str]]:
    """A list that grows with each statement but BEGIN, and but those that record, at some time
    after a request, that its key was used."""
    seen: list[str] = []

    def note(statement: str, _: Any) -> None:
        if not _UNCOUNTED.match(statement):
            seen.append(statement)

    with every_statement(note):
        yield seen
