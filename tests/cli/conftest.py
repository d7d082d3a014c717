"""Fixtures of the tests of commands."""

import pytest

from tests.support.commands import Result, Rollcall


@pytest.fixture
def on_database(rollcall: Rollcall, empty_url: str) -> Rollcall:
    """As `rollcall`, on SQLite and on PostgreSQL, with a workspace `ours`."""

    def run(*arguments: str) -> Result:
        return rollcall(*arguments, DATABASE_URL=empty_url)

    assert run("migrate").code == 0
    assert run("workspace", "create", "ours").code == 0
    return run
