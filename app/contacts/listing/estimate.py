"""What PostgreSQL expects of a statement, by its statistics."""

from typing import Any

from sqlalchemy import ClauseElement, Executable, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel.ext.asyncio.session import AsyncSession


class _Explained(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, statement: ClauseElement) -> None:
        self.statement = statement


@compiles(_Explained)
def _explain(element: _Explained, compiler: SQLCompiler, **options: Any) -> str:
    return f"EXPLAIN (FORMAT JSON) {compiler.process(element.statement, **options)}"


async def worst_cost(session: AsyncSession, limited: Any) -> float:
    """What a SELECT with a limit costs in PostgreSQL's units if too few are found to reach it."""
    connection = await session.connection()
    explained = _Explained(limited.with_only_columns(literal_column("1")))
    plan = (await connection.execute(explained)).scalar_one()[0]["Plan"]
    without_limit = plan.get("Plans", [plan])[0]
    return float(without_limit["Total Cost"])
