"""When the database is slow, busy or away: which error, and that all is well again afterwards."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no types
import httpx
import pytest
from graphql import ExecutionResult, GraphQLError
from sqlalchemy import Connection, func, text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from app.api.graphql.execution.answers import is_unavailable
from app.contacts.decision.decide import Request
from app.contacts.decision.outcome import Created, Updated
from app.contacts.upsert import upsert
from app.database.engine import pooled
from app.database.errors import LostRace, translated_errors
from app.database.migrate import migrate
from app.database.sessions import Database
from app.errors import InvalidInput, RollcallError, TimedOut, Unavailable
from app.server.asgi import create_app
from app.settings import DatabaseSettings, Settings
from app.tables import Workspace
from app.workspaces import keys, workspaces
from app.workspaces.keys import Caller, Scope, authenticate
from tests.conftest import client_of
from tests.support.blocked import until_blocked
from tests.support.client import Client, InProcess
from tests.support.postgres import Cluster
from tests.support.stored import new_workspace
from tests.support.waiting import until_awaited

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
BACK_SECONDS = 20
CONNECTIONS = 10

FIND = '{ contact(by: {email: "ada@example.com"}) { id } }'
PARTLY = '{ __typename contact(by: {email: "ada@example.com"}) { id } }'
UPSERT = 'mutation { upsertContact(input: {email: "ada@example.com"}) { __typename } }'

COUNT = "query ($filter: ContactFilter!) { contacts(filter: $filter) { totalCount } }"
DELETE = """
mutation ($selection: ContactSelection!) { deleteContacts(selection: $selection) { deleted } }
"""

ENDLESS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n
"""

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture(scope="module")
def moody() -> Iterator[Cluster]:
    """A cluster that the tests may stop and start, with few connections to be had."""
    cluster = Cluster("-F", "-c", f"max_connections={CONNECTIONS}")
    cluster.start()
    asyncio.run(_migrate(cluster.url("postgres")))
    yield cluster
    cluster.stop()
    cluster.remove()


async def _migrate(url: str) -> None:
    database = Database(url)
    await migrate(database)
    async with database.write_directory() as session:
        await workspaces.create_workspace(session, "ours")
    await database.close()


@asynccontextmanager
async def connected(url: str, **settings: Any) -> AsyncIterator[Database]:
    database = Database(url, DatabaseSettings(**settings))
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def serving(url: str, **settings: Any) -> AsyncIterator[Client]:
    app = create_app(Settings(_env_file=None, database_url=url, **settings))
    async with (
        connected(url) as database,
        app.router.lifespan_context(app),
        InProcess(app) as client,
    ):
        yield await client_of(client, database, "ours", is_new=False)


async def ask(database: Database, statement: str = "SELECT 1") -> Any:
    async with database.read_directory() as session:
        return await (await session.connection()).scalar(text(statement))


async def post(api: Client, document: str, accept: str = JSON) -> httpx.Response:
    headers = {"x-api-key": api.key, "accept": accept}
    return await api.http.post("/graphql", json={"query": document}, headers=headers)


def code(response: httpx.Response) -> str:
    [error] = response.json()["errors"]
    return str(error["extensions"]["code"])


def assert_unavailable(response: httpx.Response, expected: str = "UNAVAILABLE") -> None:
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert code(response) == expected
    assert "data" not in response.json()


def connect(cluster: Cluster, database: str = "postgres") -> Any:
    return asyncpg.connect(user="postgres", host=str(cluster.folder), database=database)


# --- Settings ---


@on_postgresql
async def test_timeouts_hold_in_every_transaction_and_nowhere_else(database_url: str) -> None:
    settings = {"statement": 7.0, "lock": 3.5}
    given = {f"database_{name}_timeout_seconds": value for name, value in settings.items()}
    shown = (
        "SELECT current_setting('statement_timeout') || ' ' || current_setting('lock_timeout')"
        " || ' ' || current_setting('idle_in_transaction_session_timeout')"
    )
    async with connected(database_url, database_pool_size=1, **given) as database:
        for _ in range(2):
            assert await ask(database, shown) == "7s 3500ms 7s"
        async with database.dialect.reader.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            assert await driver.fetchval(shown) == "0 0 0"


async def test_what_one_transaction_reads_is_one_state_of_the_database(database: Database) -> None:
    async with database.read_directory() as session:
        before = (await session.exec(select(func.count()).select_from(Workspace))).one()
        async with database.write_directory() as other:
            await workspaces.create_workspace(other, "meanwhile")
        assert (await session.exec(select(func.count()).select_from(Workspace))).one() == before
    async with database.read_directory() as session:
        assert (await session.exec(select(func.count()).select_from(Workspace))).one() == before + 1


async def test_migrations_may_take_longer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second or so, of a time limit of a tenth; statements have it again afterwards."""

    def upgrade(connection: Connection) -> None:
        connection.execute(text(ENDLESS.replace("FROM n)", "FROM n WHERE i < 2000000)")))

    monkeypatch.setattr("app.database.migrate._upgrade", upgrade)
    sizes = {"database_pool_size": 1, "database_pool_overflow": 0}
    async with connected(database_url, database_statement_timeout_seconds=0.1, **sizes) as database:
        await migrate(database)
        with pytest.raises(TimedOut):
            async with database.write_directory() as session:
                await (await session.connection()).execute(text(ENDLESS))


async def test_pool_is_as_large_as_set(database_url: str) -> None:
    sizes = {"database_pool_size": 2, "database_pool_overflow": 1}
    async with (
        connected(database_url, database_pool_timeout_seconds=1, **sizes) as database,
        AsyncExitStack() as held,
    ):
        for _ in range(3):
            session = await held.enter_async_context(database.read_directory())
            await session.connection()
        with pytest.raises(Unavailable, match="too busy"):
            await ask(database)
        await held.aclose()
        assert await ask(database) == 1


# --- Too slow ---


async def test_statement_that_takes_too_long_is_timed_out(database_url: str) -> None:
    async with connected(database_url, database_statement_timeout_seconds=0.1) as database:
        with pytest.raises(TimedOut, match="DATABASE_STATEMENT_TIMEOUT_SECONDS"):
            await ask(database, ENDLESS)
        assert await ask(database) == 1


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
async def test_request_that_takes_too_long_is_timed_out(moody: Cluster, accept: str) -> None:
    async with serving(moody.url("postgres"), database_statement_timeout_seconds=0.5) as api:
        holder = await connect(moody)
        async with holder.transaction():
            await holder.execute("LOCK TABLE contact")
            assert_unavailable(await post(api, FIND, accept), "TIMEOUT")
            answer = await post(api, PARTLY, accept)
        await holder.close()
        assert (await post(api, FIND, accept)).json()["data"] == {"contact": None}
    assert answer.status_code == 200
    assert answer.json()["data"] == {"__typename": "Query", "contact": None}
    assert code(answer) == "TIMEOUT"


@on_postgresql
async def test_lock_that_is_held_too_long_is_unavailable(
    database_url: str, database: Database
) -> None:
    async with database.write_directory() as session:
        await workspaces.create_workspace(session, "ours")
        key = await workspaces.create_key(session, "ours", "test", list(Scope))
    async with connected(database_url, database_lock_timeout_seconds=0.02) as database:
        caller = await authenticate(database, key)
        request = [Request({"email": "ada@example.com"})]
        await upsert(database, caller, request)
        async with database.write_directory() as session:
            locked = "SELECT id FROM contact WHERE workspace_id = :workspace FOR UPDATE"
            workspace = {"workspace": caller.workspace_id}
            await (await session.connection()).execute(text(locked), workspace)
            with pytest.raises(LostRace, match="Try again"):
                await upsert(database, caller, request)
        assert len(await upsert(database, caller, request)) == 1


@on_postgresql
async def test_driver_reads_no_catalog_for_the_types_of_parameters(
    database_url: str, database: Database, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []
    introspect = asyncpg.Connection._introspect_types

    async def noted(connection: Any, kinds: Any, *arguments: Any) -> Any:
        read.append(kinds)
        return await introspect(connection, kinds, *arguments)

    monkeypatch.setattr(asyncpg.Connection, "_introspect_types", noted)
    await api(UPSERT)
    async with serving(database_url) as client:
        for kind, value in ("number", 0.1), ("string", "Acme"):
            await client(COUNT, filter={"customFields": [{"key": "k", kind: {"in": [value]}}]})
        ada = {"email": {"eq": "ada@example.com"}}
        deleted = await client(DELETE, selection={"filter": ada})
    assert deleted == {"deleted": 1}
    assert read == []


def test_connection_that_was_ended_and_is_not_closed_yet_is_unavailable() -> None:
    internal: Any = AsyncAdapt_asyncpg_dbapi.InternalClientError
    ended = internal('cannot switch to state 11; protocol is in the "failed" state')
    for error in (ended, DBAPIError("SELECT 1", None, ended)):
        with pytest.raises(Unavailable, match="cannot be reached"), translated_errors():
            raise error


@on_postgresql
async def test_writers_that_wait_in_one_workspace_leave_connections_to_another(
    database_url: str, database: Database
) -> None:
    ours, theirs = await new_workspace(database), await new_workspace(database)
    request = [Request({"email": "ada@example.com"})]
    await upsert(database, ours, request)
    settings = {
        "database_pool_size": 2,
        "database_pool_overflow": 0,
        "database_pool_timeout_seconds": 5,
        "database_lock_timeout_seconds": 60,
        "database_statement_timeout_seconds": 60,
    }
    async with connected(database_url, **settings) as busy, database.write_directory() as session:
        locked = "SELECT id FROM contact WHERE workspace_id = :workspace FOR UPDATE"
        connection = await session.connection()
        await connection.execute(text(locked), {"workspace": ours.workspace_id})
        changed = [Request({"email": "ada@example.com", "company": "Acme"})]
        waiting = [asyncio.create_task(upsert(busy, ours, changed)) for _ in range(5)]
        await until_blocked(database)
        [created] = await upsert(busy, theirs, request)
        assert isinstance(created, Created)
        assert not any(task.done() for task in waiting)
        await session.rollback()
        [updated, *_], *others = await asyncio.gather(*waiting)
        assert isinstance(updated, Updated)
        assert len(others) == 4


@on_postgresql
async def test_writers_that_wait_too_long_for_their_turn_are_unavailable(
    database_url: str, database: Database
) -> None:
    settings = {"database_pool_size": 2, "database_pool_overflow": 0}
    async with connected(database_url, database_pool_timeout_seconds=1, **settings) as busy:
        ours = await new_workspace(database)
        async with busy.write(ours):
            with pytest.raises(Unavailable, match="too busy"):
                await upsert(busy, ours, [Request({"email": "ada@example.com"})])
        await upsert(busy, ours, [Request({"email": "ada@example.com"})])


async def test_cancelled_statement_leaves_its_connection_free(database_url: str) -> None:
    async def write(database: Database, statement: str) -> Any:
        async with database.write_directory() as session:
            return await (await session.connection()).scalar(text(statement))

    sizes = {"database_pool_size": 1, "database_pool_overflow": 0}
    limits = {"database_statement_timeout_seconds": 3600}
    async with connected(database_url, **sizes, **limits) as database:
        await write(database, "SELECT 1")
        for _ in range(3):
            running = asyncio.create_task(write(database, ENDLESS))
            await asyncio.sleep(0.05)
            running.cancel()
            await asyncio.wait([running])
            assert await write(database, "SELECT 1") == 1
        if "postgresql" in database_url:
            others = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE "
            others += (
                "'%WITH RECURSIVE n%' AND pid <> pg_backend_pid() AND datname = current_database()"
            )

            async def is_stopped() -> bool:
                return bool(await ask(database, others) == 0)

            await until_awaited(is_stopped, BACK_SECONDS)


# --- Away ---


async def test_connection_closed_by_the_server_is_not_used_again(moody: Cluster) -> None:
    async with connected(moody.url("postgres"), database_pool_size=1) as database:
        async with pooled(database.dialect.single) as connection:
            held: Any = connection.driver_connection
        other = await connect(moody)
        await other.execute("SELECT pg_terminate_backend($1)", held.get_server_pid())
        await other.close()

        async def is_closed() -> bool:
            return bool(held.is_closed())

        await until_awaited(is_closed, BACK_SECONDS)
        assert await ask(database) == 1


async def test_connection_lost_during_a_statement_is_unavailable(moody: Cluster) -> None:
    async with connected(moody.url("postgres")) as database:
        running = asyncio.create_task(ask(database, "SELECT pg_sleep(60)"))
        other = await connect(moody)

        async def is_killed() -> bool:
            found = "FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
            return bool(await other.fetch(f"SELECT pg_terminate_backend(pid) {found}"))

        await until_awaited(is_killed, BACK_SECONDS)
        await other.close()
        with pytest.raises(Unavailable, match="cannot be reached"):
            await running
        assert await ask(database) == 1


ENDS_WITH_COMMIT = """
    CREATE TABLE ending (id int);
    CREATE FUNCTION end_connection() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER ending AFTER INSERT ON ending DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION end_connection()
"""


async def test_commit_that_is_not_answered_has_an_unknown_outcome(moody: Cluster) -> None:
    other = await connect(moody)
    await other.execute(ENDS_WITH_COMMIT)
    await other.close()
    async with connected(moody.url("postgres")) as database:
        with pytest.raises(Unavailable, match="The outcome is unknown"):
            async with database.write_directory() as session:
                await (await session.connection()).execute(text("INSERT INTO ending VALUES (1)"))


async def test_transaction_that_idles_too_long_is_unavailable(moody: Cluster) -> None:
    settings = {"database_statement_timeout_seconds": 0.1}
    async with connected(moody.url("postgres"), **settings) as database:

        async def idle() -> None:
            async with database.write_directory() as session:
                await (await session.connection()).execute(text("SELECT 1"))
                await asyncio.sleep(0.5)

        with pytest.raises(Unavailable, match="cannot be reached"):
            await idle()
        assert await ask(database) == 1


async def test_too_many_connections_are_unavailable(moody: Cluster) -> None:
    async with connected(moody.url("postgres")) as database, AsyncExitStack() as held:

        async def take_all() -> None:
            for _ in range(CONNECTIONS + 1):
                held.push_async_callback((await connect(moody)).close)

        with pytest.raises(asyncpg.TooManyConnectionsError):
            await take_all()
        with pytest.raises(Unavailable, match="cannot be reached"):
            await ask(database)
        await held.aclose()

        async def is_free() -> bool:
            try:
                return bool(await ask(database))
            except Unavailable:
                return False

        await until_awaited(is_free, BACK_SECONDS)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
        "postgresql+asyncpg://nobody@/nothing?host=/nowhere",
        "postgresql+asyncpg://nobody@nowhere.invalid/nothing",
        "sqlite+aiosqlite:////nowhere/rollcall.db",
    ],
)
async def test_database_that_is_nowhere_is_unavailable(url: str) -> None:
    before = set(threading.enumerate())
    async with connected(url) as database:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await ask(database)
    # aiosqlite's thread for a file that cannot be opened tells this event loop of its end.
    for thread in set(threading.enumerate()) - before:
        if thread.name.endswith("(_connection_worker_thread)"):
            await asyncio.to_thread(thread.join)


async def test_database_that_its_server_does_not_have_is_unavailable(moody: Cluster) -> None:
    async with connected(moody.url("nothing")) as database:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await ask(database)


async def test_database_that_does_not_answer_is_unavailable() -> None:
    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await said.wait()
        writer.close()

    said = asyncio.Event()
    silent = await asyncio.start_server(say_nothing, "127.0.0.1")
    port = silent.sockets[0].getsockname()[1]
    url = f"postgresql+asyncpg://nobody@127.0.0.1:{port}/nothing?ssl=disable"
    async with connected(url, database_pool_timeout_seconds=0.1) as database:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await ask(database)
    said.set()
    silent.close()
    await silent.wait_closed()


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
async def test_database_that_goes_away_and_comes_back(moody: Cluster, accept: str) -> None:
    async with serving(moody.url("postgres")) as api:

        async def is_back() -> bool:
            return (await post(api, FIND, accept)).status_code == 200

        assert (await api.http.get("/readyz")).status_code == 200
        assert await is_back()
        moody.stop()
        try:
            for _ in range(3):
                assert_unavailable(await post(api, FIND, accept))
                ready = await api.http.get("/readyz")
                assert ready.status_code == 503
                assert ready.headers["retry-after"] == "1"
                assert "cannot be reached" in ready.text
                assert (await api.http.get("/healthz")).status_code == 200
        finally:
            moody.start()
        await until_awaited(is_back, BACK_SECONDS)
        assert (await api.http.get("/readyz")).text == "ready\n"


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
@pytest.mark.parametrize("document", [FIND, PARTLY, UPSERT])
async def test_database_that_goes_away_after_the_key_was_checked(
    moody: Cluster, monkeypatch: pytest.MonkeyPatch, document: str, accept: str
) -> None:
    async def authenticate_and_stop(database: Database, key: str) -> Caller:
        caller = await authenticate(database, key)
        moody.stop()
        return caller

    async with serving(moody.url("postgres")) as api:
        with monkeypatch.context() as patched:
            patched.setattr(keys, "authenticate", authenticate_and_stop)
            try:
                answer = await post(api, document, accept)
            finally:
                moody.start()
        if document == PARTLY:
            assert answer.status_code == 200
            assert answer.json()["data"] == {"__typename": "Query", "contact": None}
            assert code(answer) == "UNAVAILABLE"
        else:
            assert_unavailable(answer)


def error(raised: Exception, *path: str | int) -> GraphQLError:
    return GraphQLError("", path=path or None, original_error=raised)


AWAY, LATE = Unavailable(""), TimedOut("")


@pytest.mark.parametrize(
    ("data", "raised", "expected"),
    [
        (None, [(AWAY, "a")], True),
        (None, [(LATE, "a"), (AWAY, "b", 0, "c")], True),
        ({"a": None, "b": None}, [(AWAY, "a"), (AWAY, "b", "c")], True),
        ({"a": None, "b": None}, [(AWAY, "a")], False),
        ({"a": {"b": None}}, [(AWAY, "a", "b")], False),
        ({"a": None, "b": 1}, [(AWAY, "a")], False),
        (None, [(AWAY, "a"), (InvalidInput([]), "b")], False),
        (None, [(ValueError(), "a")], False),
        ({"a": None}, [], False),
    ],
)
def test_only_what_was_not_answered_at_all_is_unavailable(
    data: dict[str, Any] | None, raised: list[tuple[Any, ...]], expected: bool
) -> None:
    errors = [error(one, *path) for one, *path in raised]
    assert is_unavailable(ExecutionResult(data, errors)) is expected


def test_errors_of_the_database_have_the_status_503() -> None:
    waiting: list[type[RollcallError]] = [Unavailable, LostRace, TimedOut]
    assert [kind.status for kind in waiting] == [503, 503, 503]
