"""Only a unique violation is a lost race; any other integrity error is masked."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.database.errors import ATTEMPTS
from app.database.sessions import Database
from tests.support.client import Client
from tests.support.statements import every_statement

pytestmark = pytest.mark.own_database

UPSERT = "mutation ($input: ContactInput!) { upsertContact(input: $input) { __typename } }"
ADA, BOB = {"email": "ada@example.com", "name": "X"}, {"email": "bob@example.com", "name": "X"}

REFUSE_ALL = {
    "sqlite": """
        CREATE TRIGGER refuse BEFORE INSERT ON contact BEGIN SELECT RAISE(ABORT, 'refused'); END
    """,
    "postgresql": "ALTER TABLE contact ADD CONSTRAINT refused CHECK (email IS NULL)",
}
# The server knows nothing of it, so that the same call fails each time it is tried.
ONE_CONTACT = "CREATE UNIQUE INDEX one_contact ON contact (workspace_id, name)"


@pytest.fixture
def attempts() -> Iterator[list[str]]:
    """The statements that insert a contact."""
    sent: list[str] = []

    def note(statement: str, _: Any) -> None:
        if "INSERT INTO contact " in statement:
            sent.append(statement)

    with every_statement(note):
        yield sent


async def change_tables(database: Database, statement: str) -> None:
    async with database.write_directory() as session:
        await (await session.connection()).execute(text(statement))


def code(answer: dict[str, Any]) -> str:
    [error] = answer["errors"]
    return str(error["extensions"]["code"])


async def test_integrity_error_that_no_other_caller_can_cause_is_masked_and_logged(
    api: Client, database: Database, attempts: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    dialect = database.dialect.writer.dialect.name
    await change_tables(database, REFUSE_ALL[dialect])
    assert code(await api.execute(UPSERT, input=ADA)) == "INTERNAL_SERVER_ERROR"
    assert len(attempts) == 1
    error = {"sqlite": "IntegrityError", "postgresql": "CheckViolationError"}[dialect]
    assert error in caplog.text
    assert "refused" in caplog.text


async def test_race_that_is_lost_each_time_is_unavailable_and_logged(
    api: Client, database: Database, attempts: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    await change_tables(database, ONE_CONTACT)
    assert await api(UPSERT, input=ADA) == {"__typename": "ContactCreated"}
    attempts.clear()
    answer = await api.execute(UPSERT, input=BOB)
    assert code(answer) == "UNAVAILABLE"
    assert "too many callers" in answer["errors"][0]["message"]
    assert len(attempts) == ATTEMPTS
    [record] = [one for one in caplog.records if one.name == "rollcall.database"]
    assert f"lost race {ATTEMPTS} times" in record.getMessage()
    assert "UNIQUE constraint" in record.getMessage() or "one_contact" in record.getMessage()
    assert "(X)" not in record.getMessage()
