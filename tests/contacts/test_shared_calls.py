"""Requests at the same time share statements and transactions, and nobody can tell."""

import asyncio
from typing import Any

import pytest

from app.contacts.keys import ContactKey
from app.contacts.store.find import find
from app.database.dialect import RowLock
from app.database.sessions import Database
from app.workspaces.keys import authenticate
from tests.conftest import client_of
from tests.support.client import Client
from tests.support.consistency import contacts, look_up_faults
from tests.support.statements import statements

CALLERS = 32
UPSERT = """
mutation ($input: ContactInput!, $policy: UpsertPolicy) {
  upsertContact(input: $input, policy: $policy) {
    __typename
    ... on ContactCreated { contact { email externalId version } }
    ... on ContactUpdated { contact { email externalId version } changes { path } }
    ... on ContactConflict { reasons { code } }
  }
}
"""
READ = "query ($by: ContactKey!) { contact(by: $by) { email } }"


def person(number: int, **given: Any) -> dict[str, Any]:
    return {"email": f"c{number}@example.com", "externalId": f"c{number}"} | given


async def test_single_upserts_at_once_share_transactions(api: Client, database: Database) -> None:
    with statements() as seen:
        answers = await asyncio.gather(
            *(api(UPSERT, input=person(number)) for number in range(CALLERS))
        )
    assert [answer["contact"]["email"] for answer in answers] == [
        f"c{number}@example.com" for number in range(CALLERS)
    ]
    inserts = [one for one in seen if "INSERT INTO contact " in one]
    assert 1 <= len(inserts) <= CALLERS / 4
    assert len(await contacts(database)) == CALLERS
    assert await look_up_faults(database) == {}


async def test_upserts_of_one_contact_at_once_are_decided_one_after_the_other(api: Client) -> None:
    answers = await asyncio.gather(
        *(api(UPSERT, input=person(1, company=f"Company {number}")) for number in range(CALLERS))
    )
    kinds = [answer["__typename"] for answer in answers]
    assert kinds.count("ContactCreated") == 1
    assert kinds.count("ContactUpdated") == CALLERS - 1
    versions = sorted(answer["contact"]["version"] for answer in answers)
    assert versions == list(range(1, CALLERS + 1))


async def test_conflicts_and_broken_rules_leave_others_of_the_transaction_alone(
    api: Client,
) -> None:
    await api(UPSERT, input=person(0))
    good = [api.execute(UPSERT, input=person(number)) for number in range(1, 9)]
    conflict = api.execute(UPSERT, input=person(0), policy={"onMatch": "CONFLICT"})
    mismatch = api.execute(UPSERT, input=person(9, email="c0@example.com"))
    late = api.execute(UPSERT, input=person(10, createdAt="2999-01-01T00:00:00Z"))
    *answers, taken, other, refused = await asyncio.gather(*good, conflict, mismatch, late)
    for answer in answers:
        assert answer["data"]["upsertContact"]["__typename"] == "ContactCreated"
    assert taken["data"]["upsertContact"]["__typename"] == "ContactConflict"
    assert other["data"]["upsertContact"]["reasons"] == [{"code": "EXTERNAL_ID_MISMATCH"}]
    assert refused["data"] == {"upsertContact": None}
    assert refused["errors"][0]["extensions"]["errors"][0]["field"] == "createdAt"


async def test_keys_of_several_sources_share_a_transaction(api: Client, database: Database) -> None:
    shop = await client_of(api.http, database, "ours", is_new=False, source="shop")
    answers = await asyncio.gather(
        *(
            client(UPSERT, input=person(number, externalId=f"{name}-{number}"))
            for number in range(8)
            for name, client in (("own", api), ("shop", shop))
        )
    )
    kinds = [answer["__typename"] for answer in answers]
    assert (kinds.count("ContactCreated"), kinds.count("ContactUpdated")) == (8, 8)
    names = {answer["contact"]["externalId"] for answer in answers}
    assert names == {f"{name}-{number}" for name in ("own", "shop") for number in range(8)}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_locked_contact_delays_only_those_who_write_it(
    api: Client, database: Database
) -> None:
    await asyncio.gather(*(api(UPSERT, input=person(number)) for number in range(4)))
    caller = await authenticate(database, api.key)
    locked = ContactKey.of_external_id(caller.source, "c0")

    async def write(number: int) -> Any:
        return await api(UPSERT, input=person(number, company="Acme"))

    async with database.write(caller) as session:
        await find(session, [locked], RowLock.WAIT)
        waiting = asyncio.create_task(write(0))
        answers = await asyncio.gather(*(write(number) for number in (1, 2, 3)))
        later = await write(4)
        assert not waiting.done()
    assert [answer["__typename"] for answer in answers] == ["ContactUpdated"] * 3
    assert later["__typename"] == "ContactCreated"
    assert (await waiting)["changes"] == [{"path": "company"}]


async def test_ten_aliases_and_other_requests_are_looked_up_by_few_statements(api: Client) -> None:
    await asyncio.gather(*(api(UPSERT, input=person(number)) for number in range(10)))
    aliases = " ".join(
        f'c{number}: contact(by: {{externalId: "c{number}"}}) {{ email }}' for number in range(10)
    )
    with statements() as seen:
        answer = await api.execute(f"{{ {aliases} }}")
    assert answer["data"] == {
        f"c{number}": {"email": f"c{number}@example.com"} for number in range(10)
    }
    assert len([one for one in seen if "FROM api_key" not in one]) == 1

    with statements() as seen:
        found = await asyncio.gather(
            *(api(READ, by={"externalId": f"c{number % 11}"}) for number in range(CALLERS))
        )
    assert found == [
        {"email": f"c{number % 11}@example.com"} if number % 11 < 10 else None
        for number in range(CALLERS)
    ]
    assert len([one for one in seen if "FROM api_key" not in one]) <= CALLERS / 4


async def test_workspaces_never_see_what_another_one_looks_up(
    api: Client, stranger: Client
) -> None:
    await api(UPSERT, input=person(1))
    clients = [api, stranger] * 8
    found = await asyncio.gather(*(client(READ, by={"externalId": "c1"}) for client in clients))
    assert found == [{"email": "c1@example.com"}, None] * 8
