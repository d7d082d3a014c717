"""Keys over the API: a key of scope `admin` creates short-lived keys, lists and revokes keys."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, text
from sqlmodel import col, select

from app.database.sessions import Database
from app.tables import ApiKey
from app.workspaces import administration, workspaces
from app.workspaces.keys import HELD_SECONDS, Scope
from tests.conftest import client_of
from tests.support.blocked import until_blocked
from tests.support.client import Client, InProcess
from tests.support.databases import on_postgresql
from tests.support.stored import set_expiry

CREATE = """mutation ($input: CreateKeyInput!) {
  createKey(input: $input) { key apiKey { id name prefix scopes source expiresAt revokedAt } }
}"""
REVOKE = "mutation ($id: ID!) { revokeKey(id: $id) { id revokedAt } }"
KEYS = """query ($first: Int! = 100, $after: ID) {
  keys(first: $first, after: $after) {
    id name prefix scopes source createdAt expiresAt revokedAt lastUsedAt
  }
}"""
VIEWER = "{ viewer { workspace { name } apiKey { id name scopes source expiresAt } } }"
LOCK_KEY = text("SELECT id FROM api_key WHERE id = CAST(CAST(:id AS text) AS uuid) FOR UPDATE")
READ = '{ contact(by: {email: "ada@example.com"}) { email } }'
WRITE = 'mutation { upsertContact(input: {email: "ada@example.com"}) { __typename } }'


def wanted(*scopes: str, **given: Any) -> dict[str, Any]:
    return {"name": "page", "scopes": list(scopes or ("CONTACTS_READ",))} | given


def codes(answer: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer.get("errors", [])]


async def created(client: Client, *scopes: str, **given: Any) -> tuple[Client, dict[str, Any]]:
    """A client with the new key, and what is told of it."""
    payload = await client(CREATE, input=wanted(*scopes, **given))
    return Client(client.http, payload["key"]), payload["apiKey"]


def left(expires_at: str) -> timedelta:
    return datetime.fromisoformat(expires_at) - datetime.now(UTC)


async def test_created_key_does_what_its_scopes_say_in_the_workspace_of_its_maker(
    api: Client,
) -> None:
    reader, told = await created(api)
    assert reader.key.startswith(told["prefix"])
    assert (told["scopes"], told["source"], told["revokedAt"]) == (
        ["CONTACTS_READ"],
        "default",
        None,
    )
    assert timedelta(minutes=59) < left(told["expiresAt"]) <= timedelta(hours=1)
    viewer = await reader(VIEWER)
    assert viewer["workspace"] == {"name": "ours"}
    assert viewer["apiKey"]["id"] == told["id"]
    assert await reader(READ) is None
    assert codes(await reader.execute(WRITE)) == ["FORBIDDEN"]
    assert codes(await reader.execute(KEYS)) == ["FORBIDDEN"]


async def test_created_key_has_the_source_of_its_maker_or_a_named_one(
    http: InProcess, database: Database
) -> None:
    shop = await client_of(http, database, "ours", source="shop")
    assert (await created(shop))[1]["source"] == "shop"
    client, _ = await created(shop, source="page")
    assert (await client(VIEWER))["apiKey"]["source"] == "page"


async def test_key_cannot_give_more_than_it_has(http: InProcess, database: Database) -> None:
    maker = await client_of(http, database, "ours", (Scope.ADMIN, Scope.CONTACTS_WRITE))
    for scopes, code in (
        (["CONTACTS_WRITE"], []),
        (["CONTACTS_READ"], ["FORBIDDEN"]),
        (["CONTACTS_WRITE", "CONTACTS_READ"], ["FORBIDDEN"]),
        (["ADMIN"], ["BAD_USER_INPUT"]),
    ):
        assert codes(await maker.execute(CREATE, input=wanted(*scopes))) == code, scopes


async def test_every_broken_rule_is_told(api: Client) -> None:
    broken = wanted("ADMIN", name=" ", lifetimeSeconds=86_401, source="My Shop")
    assert await api.errors(CREATE, input=broken) == [
        ("INVALID_FORMAT", "input.name"),
        ("INVALID_FORMAT", "input.scopes"),
        ("OUT_OF_RANGE", "input.lifetimeSeconds"),
        ("INVALID_FORMAT", "input.source"),
    ]
    broken = {"name": "a\nb", "scopes": [], "lifetimeSeconds": 0}
    assert await api.errors(CREATE, input=broken) == [
        ("INVALID_FORMAT", "input.name"),
        ("REQUIRED", "input.scopes"),
        ("OUT_OF_RANGE", "input.lifetimeSeconds"),
    ]
    assert await api.errors(CREATE, input=wanted(name="x" * 256)) == [("TOO_LONG", "input.name")]
    assert len(await api(KEYS)) == 1


async def test_created_key_expires_after_a_day_and_with_its_maker_at_the_latest(
    api: Client, database: Database
) -> None:
    _, told = await created(api, lifetimeSeconds=86_400)
    assert left(told["expiresAt"]) <= timedelta(days=1)
    soon = datetime.now(UTC) + timedelta(minutes=5)
    await set_expiry(database, soon)
    await asyncio.sleep(HELD_SECONDS)
    _, told = await created(api)
    assert datetime.fromisoformat(told["expiresAt"]) == soon


async def test_expired_key_is_refused(api: Client) -> None:
    client, _ = await created(api, lifetimeSeconds=1)
    await asyncio.sleep(1)
    assert codes(await client.execute(VIEWER)) == ["UNAUTHENTICATED"]


async def test_revoked_key_is_refused_within_a_second_and_the_keys_that_it_made_with_it(
    api: Client, http: InProcess, database: Database
) -> None:
    maker = await client_of(http, database, "ours", is_new=False)
    child, _ = await created(maker)
    other, _ = await created(api)
    for client in (maker, child, other):
        assert await client(VIEWER)
    maker_id = (await maker(VIEWER))["apiKey"]["id"]
    revoked = await api(REVOKE, id=maker_id)
    assert revoked["id"] == maker_id
    await asyncio.sleep(HELD_SECONDS)
    for client in (maker, child):
        assert codes(await client.execute(VIEWER)) == ["UNAUTHENTICATED"]
    assert await other(VIEWER)
    assert await api(REVOKE, id=maker_id) == revoked


@on_postgresql
async def test_revocation_is_tried_again_after_a_deadlock(
    api: Client, http: InProcess, database: Database
) -> None:
    maker = await client_of(http, database, "ours", is_new=False)
    _, made = await created(maker)
    maker_id = (await maker(VIEWER))["apiKey"]["id"]
    async with database.write_directory() as session:
        connection = await session.connection()
        await connection.execute(text("SET LOCAL deadlock_timeout = '1h'"))  # the other one loses

        async def lock(key_id: str) -> None:
            await connection.execute(LOCK_KEY, {"id": key_id})

        await lock(made["id"])
        revoking = asyncio.create_task(api(REVOKE, id=maker_id))
        await until_blocked(database)
        await lock(maker_id)
        assert not revoking.done()
    assert (await revoking)["id"] == maker_id
    ends = {key["id"]: key["revokedAt"] for key in await api(KEYS)}
    assert ends[maker_id] is not None
    assert ends[maker_id] == ends[made["id"]]


async def test_key_that_ends_creates_none_while_its_look_up_is_cached(
    api: Client, http: InProcess, database: Database
) -> None:
    maker = await client_of(http, database, "ours", is_new=False)
    maker_id = UUID((await maker(VIEWER))["apiKey"]["id"])
    async with database.write_directory() as session:
        await workspaces.rotate_key(session, maker_id, timedelta(minutes=5), None)
    _, child = await created(maker)
    assert left(child["expiresAt"]) <= timedelta(minutes=5)
    async with database.write_directory() as session:
        await workspaces.revoke_key(session, maker_id)
    assert codes(await maker.execute(CREATE, input=wanted())) == ["UNAUTHENTICATED"]
    assert len(await api(KEYS)) == 4


async def test_unknown_key_is_not_revoked(api: Client) -> None:
    assert await api(REVOKE, id="01890000-0000-7000-8000-000000000000") is None
    assert await api.errors(REVOKE, id="seven") == [("INVALID_FORMAT", "id")]


async def test_keys_are_listed_by_pages_the_newest_first_and_never_themselves(
    api: Client,
) -> None:
    made = [await created(api, name=f"page {number}") for number in range(4)]
    answer = await api.execute(KEYS)
    listed = answer["data"]["keys"]
    assert [one["name"] for one in listed] == ["page 3", "page 2", "page 1", "page 0", "test"]
    assert listed[-1]["scopes"] == ["CONTACTS_READ", "CONTACTS_WRITE", "ADMIN"]
    for client in (api, *(client for client, _ in made)):
        assert client.key[17:] not in str(answer)
    pages = [await api(KEYS, first=2)]
    while pages[-1]:
        pages.append(await api(KEYS, first=2, after=pages[-1][-1]["id"]))
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [one["id"] for page in pages for one in page] == [one["id"] for one in listed]
    for first in (-1, 101):
        assert await api.errors(KEYS, first=first) == [("OUT_OF_RANGE", "first")]


async def test_valid_keys_made_over_the_api_are_bounded(
    api: Client, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(administration, "VALID_LIMIT", 3)
    answers = await asyncio.gather(
        *(api.execute(CREATE, input=wanted(lifetimeSeconds=60)) for _ in range(8))
    )
    assert sorted(map(codes, answers)) == [[]] * 3 + [["BAD_USER_INPUT"]] * 5
    assert await api.errors(CREATE, input=wanted()) == [("TOO_MANY", "input")]
    assert await created(stranger)
    [newest, *_] = await api(KEYS)
    await api(REVOKE, id=newest["id"])
    assert await created(api)


async def test_keys_that_ended_are_kept_up_to_a_number(
    api: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(administration, "ENDED_LIMIT", 2)
    for number in range(6):
        _, told = await created(api, name=f"page {number}")
        await api(REVOKE, id=told["id"])
    names = [one["name"] for one in await api(KEYS)]
    assert names == ["page 5", "page 4", "page 3", "test"]
    past = datetime.now(UTC) - timedelta(days=1)
    await set_expiry(database, past, col(ApiKey.name) != "test")  # that of the command line is kept
    await created(api, name="last")
    async with database.read_directory() as session:
        assert (await session.exec(select(func.count(col(ApiKey.id))))).one() == 4


async def test_api_key_of_the_viewer_is_the_one_of_the_list(api: Client) -> None:
    fields = "id name prefix scopes source createdAt expiresAt revokedAt"
    viewer = await api(f"{{ viewer {{ apiKey {{ {fields} }} }} }}")
    assert await api(f"{{ keys {{ {fields} }} }}") == [viewer["apiKey"]]
    assert UUID(viewer["apiKey"]["id"])
