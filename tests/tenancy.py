"""Whether a statement on a workspace's data names the workspace."""

import re
from functools import cache
from typing import Any

from sqlmodel import SQLModel

DIRECTORY = {"workspace", "api_key"}
TENANT_TABLES = (set(SQLModel.metadata.tables) - DIRECTORY) | {
    "contact_tag",
    "contact_text_id",
    "contact_custom_value",
    "contact_custom_moment",
    "contact_custom_range",
    "contact_notes_id",
}

_NAMED = re.compile(r"(?:FROM|JOIN|UPDATE|INTO|,)\s+(\w+)(?:\s+AS\s+(\w+))?")


@cache
def unscoped(statement: str) -> list[str]:
    """The tables that the statement reads or writes without naming the workspace of each.

    An INSERT names it among its columns; all else compares the table's own `workspace_id`, with
    one value or with that of another table.
    """
    named = _NAMED.findall(statement)
    if statement.lstrip().upper().startswith("INSERT"):
        into = named[0][0]
        return [into] if into in TENANT_TABLES and "workspace_id" not in statement else []
    found = []
    for table, alias in named:
        if table in TENANT_TABLES:
            column = rf"\b{alias or table}\.workspace_id\b"
            bare = r"(?<![.\w])workspace_id\b"
            if not re.search(column, statement) and not re.search(bare, statement):
                found.append(alias or table)
    return found


class Watch:
    """Listens to every statement; a test that means to see all workspaces says so by the
    execution option `any_workspace`."""

    def __init__(self) -> None:
        self.unscoped: list[str] = []

    def before_cursor_execute(
        self, _: Any, __: Any, statement: str, ___: Any, context: Any, ____: Any
    ) -> None:
        if context is None or context.execution_options.get("any_workspace"):
            return
        words = statement.removeprefix("EXPLAIN (FORMAT JSON) ").lstrip().upper()
        is_data = words.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))
        if is_data and unscoped(statement):
            self.unscoped.append(statement)
