"""A database that is lost or away: which error, and that all is well again afterwards."""

import asyncio
import threading
from contextlib import AsyncExitStack
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no types
import pytest
from graphql import ExecutionResult, GraphQLError
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError

from app.api.graphql.execution.answers import is_unavailable
from app.database.engine import pooled
from app.database.errors import LostRace, translated_errors
from app.database.sessions import Database
from app.errors import InvalidInput, RollcallError, TimedOut, Unavailable
from app.workspaces import keys
from app.workspaces.keys import Caller, authenticate
from tests.support.connections import (
    BACK_SECONDS,
    CONNECTIONS,
    FIND,
    JSON,
    PARTLY,
    RESPONSE_JSON,
    UPSERT,
    ask,
    assert_unavailable,
    code,
    connect,
    connected,
    post,
    serving,
)
from tests.support.connections import moody as moody
from tests.support.postgres import Cluster
from tests.support.waiting import until_awaited


def test_connection_that_was_ended_and_is_not_closed_yet_is_unavailable() -> None:
    internal: Any = AsyncAdapt_asyncpg_dbapi.InternalClientError
    ended = internal('cannot switch to state 11; protocol is in the "failed" state')
    for error in (ended, DBAPIError("SELECT 1", None, ended)):
        with pytest.raises(Unavailable, match="cannot be reached"), translated_errors():
            raise error


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
