"""Whether a statement on a workspace's data names the workspace."""

import re
from collections import Counter
from functools import cache
from typing import Any

from sqlalchemy import TextClause
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

_NAMED = re.compile(r"(?:FROM|JOIN|UPDATE|INTO|,)\s+(\w+)(?![\w.(])(?:\s+AS\s+(\w+))?")


@cache
def unscoped(statement: str) -> list[str]:
    """The tables that the statement reads or writes without naming the workspace of each.

    An INSERT names it among its columns; all else compares the table's own `workspace_id`, with
    one value or with that of another table, once for each time that it names the table.
    """
    named = _NAMED.findall(statement)
    found = []
    if statement.lstrip().upper().startswith("INSERT"):
        into, *_ = named.pop(0)
        columns = statement.partition("(")[2].partition(")")[0]
        found = [into] if into in TENANT_TABLES and "workspace_id" not in columns else []
    # What stands behind SET up to WHERE gives values, and compares nothing.
    compared = re.sub(r"\bSET\b.*?(?=\bFROM\b|\bWHERE\b|$)", "", statement, flags=re.DOTALL)
    times = Counter(alias or table for table, alias in named if table in TENANT_TABLES)
    for name, number in times.items():
        own = rf"(?:\b{name}\.|(?<![.\w]))workspace_id"
        held = re.findall(rf"{own}(?=\s*(?:=|IN\b))|=\s*{own}\b", compared)
        if len(held) < number:
            found.append(name)
    return found


class Watch:
    """Listens to every statement but those that are written out, as migrations are; a test that
    means to see all workspaces says so by the execution option `any_workspace`."""

    def __init__(self) -> None:
        self.unscoped: list[str] = []

    def before_cursor_execute(
        self, _: Any, __: Any, statement: str, ___: Any, context: Any, ____: Any
    ) -> None:
        if context is None or context.execution_options.get("any_workspace"):
            return
        if context.compiled and isinstance(context.compiled.statement, TextClause):
            return
        words = statement.removeprefix("EXPLAIN (FORMAT JSON) ").lstrip().upper()
        is_data = words.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))
        if is_data and unscoped(statement):
            self.unscoped.append(statement)
