"""No workspace takes more than half of the connections, or makes another one wait for all that it
has sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from app.contacts.decision.decide import Request
from app.contacts.decision.outcome import Created
from app.contacts.upsert import upsert
from app.database.sessions import Database
from app.settings import DatabaseSettings
from app.workspaces.keys import Caller
from tests.support.client import Client
from tests.support.databases import on_postgresql
from tests.support.stored import new_workspace

HALF = 2  # of four connections; SQLite has as many threads that read
SETTINGS = DatabaseSettings(database_pool_size=4, database_pool_overflow=0)

BULK = "mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created } }"
CREATE = 'mutation { createContact(input: {email: "ada@example.com"}) { __typename } }'
FILTER = '{ contacts(filter: {jobTitle: {contains: "analyst"}}) { edges { node { id } } } }'


class Sessions:
    """Sessions that stay open until they are released, in the order in which they opened."""

    def __init__(self) -> None:
        self.opened: list[Caller] = []
        self._released = asyncio.Semaphore(0)
        self._tasks: list[asyncio.Task[None]] = []

    def open(self, session: AbstractAsyncContextManager[Any], caller: Caller) -> None:
        self._tasks.append(asyncio.create_task(self._hold(session, caller)))

    async def _hold(self, session: AbstractAsyncContextManager[Any], caller: Caller) -> None:
        async with session:
            self.opened.append(caller)
            await self._released.acquire()

    async def release(self, sessions: int) -> None:
        """Returns when those that waited for these have opened."""
        for _ in range(sessions):
            self._released.release()
        await settled()

    async def close(self) -> None:
        await self.release(len(self._tasks))
        await asyncio.gather(*self._tasks)


async def settled() -> None:
    """A session opens without the database: its first statement takes a connection."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
async def small(database_url: str, database: Database) -> AsyncIterator[Database]:
    """The same database, with four connections."""
    few = Database(database_url, SETTINGS)
    yield few
    await few.close()


async def test_readers_of_a_workspace_take_half_of_the_connections_at_most(
    small: Database,
) -> None:
    ours, theirs = await new_workspace(small), await new_workspace(small)
    sessions = Sessions()
    for _ in range(30):
        sessions.open(small.read(ours), ours)
    await settled()
    assert sessions.opened == [ours] * HALF
    sessions.open(small.read(theirs), theirs)
    await settled()
    assert sessions.opened == [ours] * HALF + [theirs]
    await sessions.close()
    assert sessions.opened.count(ours) == 30


@on_postgresql
async def test_readers_and_writers_of_a_workspace_share_its_half(small: Database) -> None:
    ours, theirs = await new_workspace(small), await new_workspace(small)
    sessions = Sessions()
    for _ in range(5):
        sessions.open(small.read(ours), ours)
        sessions.open(small.write(ours), ours)
    await settled()
    assert sessions.opened == [ours] * HALF
    [created] = await upsert(small, theirs, [Request({"email": "ada@example.com"})])
    assert isinstance(created, Created)
    assert sessions.opened == [ours] * HALF
    await sessions.close()


async def test_writer_does_not_wait_for_all_writers_of_another_workspace(small: Database) -> None:
    ours, theirs = await new_workspace(small), await new_workspace(small)
    sessions = Sessions()
    for _ in range(32):
        sessions.open(small.write(ours), ours)
    await settled()
    before = len(sessions.opened)
    sessions.open(small.write(theirs), theirs)
    await settled()
    await sessions.release(1)
    assert before <= HALF
    assert theirs in sessions.opened[before : before + 1]
    await sessions.close()


async def test_write_of_a_workspace_does_not_wait_for_all_bulks_of_another(
    api: Client, stranger: Client
) -> None:
    def inputs(bulk: int) -> list[dict[str, str]]:
        return [{"email": f"c{bulk}-{row}@example.com"} for row in range(20)]

    for client in (api, stranger):
        await client("{ viewer { scopes } }")  # the keys are known
    bulks = [asyncio.create_task(api(BULK, inputs=inputs(number))) for number in range(64)]
    await asyncio.wait(bulks, return_when=asyncio.FIRST_COMPLETED)
    created = await stranger(CREATE)
    done = sum(bulk.done() for bulk in bulks)
    assert created["__typename"] == "ContactCreated"
    assert done <= len(bulks) / 2
    assert {answer["created"] for answer in await asyncio.gather(*bulks)} == {20}


async def test_look_up_does_not_wait_for_all_filters_of_another_workspace(
    api: Client, stranger: Client
) -> None:
    filters = [asyncio.create_task(api(FILTER)) for _ in range(60)]
    await asyncio.wait(filters, return_when=asyncio.FIRST_COMPLETED)
    assert await stranger('{ contact(by: {email: "ada@example.com"}) { id } }') is None
    assert sum(one.done() for one in filters) <= len(filters) / 2
    await asyncio.gather(*filters)
