"""A session of a workspace sees and changes that one alone, whatever its statements say."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, exists, func, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from app.database.sessions import Database
from app.tables import ContactTable, CustomField, IdentifierTable, OfWorkspace, TermTable
from app.workspaces.keys import Caller
from tests.support.stored import add, contact_of, new_workspace

TABLES = OfWorkspace.__subclasses__()
Other, Term = aliased(ContactTable), aliased(TermTable)


async def filled(database: Database) -> Caller:
    """A workspace with two contacts, a definition, and what is kept beside them."""
    caller = await new_workspace(database)
    people = [contact_of(n, external_id=f"c{n}", tags=["tag"], company="Acme") for n in (1, 2)]
    await add(database, caller, people)
    async with database.write(caller) as session:
        session.add(CustomField(workspace_id=caller.workspace_id, key="plan", type="STRING"))
    return caller


async def everything(database: Database, caller: Caller) -> dict[str, set[Any]]:
    async with database.read(caller) as session:
        return {
            str(table.__tablename__): {repr(row) for row in await session.exec(select(table))}
            for table in TABLES
        }


READS: dict[str, Callable[[], Any]] = {
    "table": lambda: select(col(ContactTable.workspace_id)),
    "alias": lambda: select(col(Other.workspace_id)),
    "count by workspace": lambda: select(col(TermTable.workspace_id)).group_by(
        col(TermTable.workspace_id)
    ),
    "join": lambda: select(col(TermTable.workspace_id)).join(
        Other, col(Other.id) == col(TermTable.contact_id)
    ),
    "joined table": lambda: (
        select(col(Term.workspace_id))
        .select_from(Other)
        .join(Term, col(Term.contact_id) == col(Other.id))
    ),
    "outer join": lambda: (
        select(col(Term.workspace_id))
        .select_from(CustomField)
        .outerjoin(Term, col(Term.kind) == "tag")
    ),
    "sub-select": lambda: select(
        select(col(IdentifierTable.workspace_id)).subquery("found").c.workspace_id
    ),
    "union": lambda: select(col(ContactTable.workspace_id)).union_all(
        select(col(IdentifierTable.workspace_id))
    ),
    "cte": lambda: select(select(col(Other.workspace_id)).cte("found").c.workspace_id),
}


@pytest.mark.parametrize("statement", READS.values(), ids=READS)
async def test_read_sees_rows_of_its_workspace_alone(
    database: Database, statement: Callable[[], Any]
) -> None:
    ours, _ = await filled(database), await filled(database)
    async with database.read(ours) as session:
        found = [*(await session.exec(statement()))]
    assert found
    assert {getattr(row, "workspace_id", row) for row in found} == {ours.workspace_id}


async def test_condition_of_a_statement_sees_rows_of_its_workspace_alone(
    database: Database,
) -> None:
    ours, theirs = await filled(database), await new_workspace(database)
    async with database.read(theirs) as session:
        session_rows = select(func.count()).select_from(ContactTable)
        assert (await session.exec(session_rows)).one() == 0
        theirs_alone = exists().where(col(TermTable.text) == "tag")
        assert (await session.exec(select(theirs_alone))).one() is False
    await add(database, theirs, [contact_of(1)])
    async with database.read(theirs) as session:
        in_theirs = col(ContactTable.id).in_(select(col(TermTable.contact_id)))
        assert (await session.exec(select(ContactTable).where(in_theirs))).all() == []
        largest = select(func.max(col(Other.company))).scalar_subquery()
        assert (await session.exec(select(largest))).one() is None
    assert len((await everything(database, ours))["contact"]) == 2


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.__tablename__))
async def test_write_changes_rows_of_its_workspace_alone(
    database: Database, table: type[OfWorkspace]
) -> None:
    ours, theirs = await filled(database), await filled(database)
    before = await everything(database, ours)
    column = "label" if table is CustomField else "company"
    async with database.write(theirs) as session:
        if table in (CustomField, ContactTable):
            await session.exec(update(table).values({column: "changed"}))
        await session.exec(delete(table))
    assert await everything(database, ours) == before
    assert (await everything(database, theirs))[str(table.__tablename__)] == set()
