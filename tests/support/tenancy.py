"""Checks that a statement on the data of workspaces names the workspace."""

import re
from collections import Counter
from functools import cache
from typing import Any

from sqlalchemy import TextClause

from app.tables import OfWorkspace

DIRECTORY = {"workspace", "api_key"}
TENANT_TABLES = {str(table.__tablename__) for table in OfWorkspace.__subclasses__()}

# What a statement may name beside them: the text index of SQLite, whose rows are joined to their
# contacts, and what migrations keep.
_OTHERS = {"contact_text", "alembic_version", "sqlite_master", "sqlite_temp_master"}

_NAMED = re.compile(r"(?:FROM|JOIN|UPDATE|INTO|,)\s+(\w+)(?![\w.(])(?:\s+AS\s+(\w+))?")

_TABLE = re.compile(
    r"\b(?:(?<!DISTINCT )FROM|JOIN|(?<!FOR )(?<!DO )UPDATE|INTO)\s+(?!LATERAL\b)(\w+)(?![\w.(])"
)
_ALIAS = re.compile(r"\bAS\s+(\w+)|\b(\w+)\s+AS\s+(?:MATERIALIZED\s+)?\(")


@cache
def unscoped(statement: str) -> list[str]:
    """The tables that the statement reads or writes without naming the workspace of each, and those
    that are not known.

    An INSERT names it among its columns; all else compares the table's own `workspace_id`, with
    one value or with that of another table, once for each time that it names the table.
    """
    return [table for part in _parts(statement) for table in _unscoped(part)]


def _parts(statement: str) -> list[str]:
    """The statement, or the several ones that are written together in a WITH."""
    if not statement.startswith("WITH written_"):
        return [statement]
    found, depth, start = [], 0, 0
    for place, character in enumerate(statement):
        if character == "(":
            depth += 1
            start = place + 1 if depth == 1 else start
        elif character == ")":
            depth -= 1
            if depth == 0 and re.search(r"written_\d+ AS\s*$", statement[: start - 1]):
                found.append(statement[start:place])
                end = place + 1
    return [*found, statement[end:]]


def _unscoped(statement: str) -> list[str]:
    named = _NAMED.findall(statement)
    found = []
    if statement.lstrip().upper().startswith("INSERT"):
        into, *_ = named.pop(0)
        columns = statement.partition("(")[2].partition(")")[0]
        found = [into] if into in TENANT_TABLES and "workspace_id" not in columns else []
    # What stands behind SET up to WHERE gives values, and compares nothing.
    compared = re.sub(r"\bSET\b.*?(?=\bFROM\b|\bWHERE\b|$)", "", statement, flags=re.DOTALL)
    times = Counter(alias or table for table, alias in named if table in TENANT_TABLES)
    aliases = {name for names in _ALIAS.findall(statement) for name in names}
    found += sorted(set(_TABLE.findall(statement)) - TENANT_TABLES - DIRECTORY - _OTHERS - aliases)
    for name, number in times.items():
        own = rf"(?:\b{name}\.|(?<![.\w]))workspace_id"
        held = re.findall(rf"{own}(?=\s*(?:=|IN\b))|=\s*{own}\b", compared)
        if len(held) < number:
            found.append(name)
    return found


class Watch:
    """Listens to every statement but those of migrations and tests, which are written out; a test
    that means to see all workspaces says so by the execution option `any_workspace`."""

    def __init__(self) -> None:
        self.unscoped: list[str] = []

    def before_cursor_execute(
        self, _: Any, __: Any, statement: str, ___: Any, context: Any, ____: Any
    ) -> None:
        if context is None or context.execution_options.get("any_workspace"):
            return
        if context.compiled and isinstance(context.compiled.statement, TextClause):
            return
        self.see(statement)

    def see(self, statement: str) -> None:
        words = statement.removeprefix("EXPLAIN (FORMAT JSON) ").lstrip().upper()
        is_data = words.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH WRITTEN_1"))
        if is_data and unscoped(statement):
            self.unscoped.append(statement)
