"""`rollcall serve` and `rollcall migrate`, in separate processes: what they make, and only once."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.database.migrate import is_current
from app.database.sessions import Database
from app.workspaces import workspaces
from tests.support.commands import KEY
from tests.support.databases import empty_sqlite, in_database
from tests.support.forking import COUNTED
from tests.support.server import Server


def test_serve_makes_what_it_needs_once_and_keeps_it(tmp_path: Path) -> None:
    url = empty_sqlite(tmp_path)
    server = Server(tmp_path, DATABASE_URL=url, ENVIRONMENT="development", **COUNTED)
    mutation = 'mutation { upsertContact(input: {email: "ada@example.com"}) { __typename } }'
    try:
        server.start()
        assert f"{server.url}/graphiql/" in server.log
        assert set(KEY.findall(server.log)) == {server.key}
        assert "key create --workspace demo --name NAME --scope contacts:read" in server.log
        first = server.post(mutation)
        assert server.signal(signal.SIGTERM) == 0
        shown = len(server.log)
        server.start()
        again = server.post(mutation)
    finally:
        server.stop()
    assert first["data"]["upsertContact"]["__typename"] == "ContactCreated"
    assert again["data"]["upsertContact"]["__typename"] == "ContactUpdated"
    assert "rollcall_" not in server.log[shown:]
    assert workspaces_with_keys(url) == ["demo"]


def test_serve_in_production_makes_no_key(tmp_path: Path) -> None:
    server = Server(tmp_path, DATABASE_URL=empty_sqlite(tmp_path), ENVIRONMENT="production")
    assert server.rollcall("migrate").returncode == 0
    try:
        server.start()
    finally:
        server.stop()
    assert not KEY.search(server.log)
    assert "graphiql" not in server.log
    assert workspaces_with_keys(empty_sqlite(tmp_path)) == []


def workspaces_with_keys(url: str) -> list[str]:
    async def read(database: Database) -> list[str]:
        async with database.read_directory() as session:
            return [workspace.name for _, workspace in await workspaces.list_keys(session)]

    found: list[str] = in_database(url, read)
    return found


def test_several_migrations_at_once_end_in_one_migrated_database(
    empty_url: str, tmp_path: Path
) -> None:
    server = Server(tmp_path, DATABASE_URL=empty_url)
    with ThreadPoolExecutor(3) as callers:
        ended = list(callers.map(server.rollcall, ["migrate"] * 3))
    assert [(done.stdout, done.returncode) for done in ended] == [("", 0)] * 3
    assert in_database(empty_url, is_current)
