"""API keys: how they come in, what is refused before the body is read, and what scopes open."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from zlib import crc32

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from sqlalchemy import text
from sqlmodel import col, select

from app.api.graphql.field import RequireScope
from app.api.graphql.schema import schema
from app.database.sessions import Database
from app.tables import ApiKey
from app.workspaces import workspaces
from app.workspaces.keys import HELD_SECONDS, Scope, new_key
from tests.conftest import client_of
from tests.support.client import Client, InProcess
from tests.support.databases import on_sqlite
from tests.support.server import Server
from tests.support.statements import statements
from tests.support.stored import set_expiry

VIEWER = "{ viewer { workspace { name } apiKey { name prefix } scopes } }"
BROKEN_JSON = b'{"query": '


# Root fields that any key may ask.
OPEN = {"viewer"}

# Root fields that a key with contacts:read alone may ask.
READ_ONLY = OPEN | {
    *("contact", "contacts", "contactsByKey", "customFieldDefinitions", "duplicateContacts"),
    *("node", "nodes", "tags"),
}

ROOT_FIELDS: dict[str, tuple[GraphQLObjectType, GraphQLField]] = {
    name: (root, field)
    for root in (schema._schema.query_type, schema._schema.mutation_type)
    if root is not None
    for name, field in root.fields.items()
}


async def ask(http: InProcess, *headers: tuple[str, str]) -> httpx.Response:
    return await http.post("/graphql", json={"query": VIEWER}, headers=list(headers))


async def refusal(http: InProcess, *headers: tuple[str, str], content: Any) -> str:
    """The message of a 401."""
    response = await http.post(
        "/graphql", content=content, headers=[("content-type", "application/json"), *headers]
    )
    assert response.status_code == 401, response.text
    assert response.headers["www-authenticate"].startswith("Bearer")
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert isinstance(error["message"], str)
    return error["message"]


async def unread() -> AsyncIterator[bytes]:
    """A body that never arrives."""
    pytest.fail("the body was read")
    yield b""  # type: ignore[unreachable]  # makes this a generator


@on_sqlite
@pytest.mark.parametrize(
    "headers",
    [
        [("x-api-key", "{key}")],
        [("X-API-Key", "{key}")],
        [("authorization", "Bearer {key}")],
        [("authorization", "bearer {key}")],
        [("x-api-key", "{key}"), ("authorization", "Bearer {key}")],
    ],
    ids=["x-api-key", "X-API-Key", "Bearer", "bearer", "both alike"],
)
async def test_key_is_accepted_in_either_header(
    api: Client, headers: list[tuple[str, str]]
) -> None:
    sent = [(name, value.format(key=api.key)) for name, value in headers]
    response = await ask(api.http, *sent)
    assert response.status_code == 200
    assert response.json()["data"]["viewer"]["workspace"]["name"] == "ours"


@on_sqlite
@pytest.mark.parametrize("second", ["authorization", "x-api-key"])
async def test_two_keys_that_differ_are_refused(
    api: Client, database: Database, second: str
) -> None:
    other = await client_of(api.http, database, "ours", is_new=False)
    value = f"Bearer {other.key}" if second == "authorization" else other.key
    message = await refusal(api.http, ("x-api-key", api.key), (second, value), content=BROKEN_JSON)
    assert "two different API keys" in message


async def test_two_keys_of_a_workspace_are_valid_at_once(api: Client, database: Database) -> None:
    other = await client_of(api.http, database, "ours", is_new=False)
    assert other.key != api.key
    for client in (api, other):
        assert (await client(VIEWER))["workspace"]["name"] == "ours"


@on_sqlite
@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "Send an API key"),
        ([("x-api-key", "")], "malformed"),
        ([("authorization", "Bearer ")], "malformed"),
        ([("authorization", "Bearer")], "malformed"),
        ([("x-api-key", "hunter2")], "malformed"),
        ([("x-api-key", "{key} ")], ""),
        ([("x-api-key", "{key}0")], "malformed"),
        ([("x-api-key", "{upper}")], "malformed"),
        ([("x-api-key", "{other_checksum}")], "malformed"),
        ([("x-api-key", "{unknown}")], "does not exist"),
        ([("authorization", "Bearer {unknown}")], "does not exist"),
        ([("authorization", "Basic {key}")], "Bearer KEY"),
        ([("authorization", "{key}")], "Bearer KEY"),
        ([("x-api-key", "{key}"), ("authorization", "Basic dTpw")], "Bearer KEY"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_missing_or_wrong_key_is_refused_before_the_body_is_read(
    api: Client, headers: list[tuple[str, str]], reason: str
) -> None:
    checksum = f"{int(api.key[-8:], 16) ^ 1:08x}"
    words = {
        "key": api.key,
        "upper": api.key.upper(),
        "other_checksum": api.key[:-8] + checksum,
        "unknown": new_key(),
    }
    sent = [(name, value.format(**words)) for name, value in headers]
    for content in (BROKEN_JSON, unread()):
        if reason:
            assert reason in await refusal(api.http, *sent, content=content)
        else:
            assert (await ask(api.http, *sent)).status_code == 401


@on_sqlite
async def test_key_in_the_url_is_not_accepted(api: Client) -> None:
    for name in ("x-api-key", "key", "api_key", "access_token"):
        response = await api.http.get("/graphql", params={"query": VIEWER, name: api.key})
        assert response.status_code == 401


async def test_expired_key_is_refused_before_the_body_is_read(
    api: Client, database: Database
) -> None:
    key = ("x-api-key", api.key)
    await set_expiry(database, datetime.now(UTC) + timedelta(seconds=HELD_SECONDS / 2))
    assert (await ask(api.http, key)).status_code == 200
    await asyncio.sleep(HELD_SECONDS / 2)
    for content in (BROKEN_JSON, unread()):
        assert "expired" in await refusal(api.http, key, content=content)


async def test_revoked_key_is_refused_within_a_second(api: Client, database: Database) -> None:
    other = await client_of(api.http, database, "ours", is_new=False)
    key = ("x-api-key", api.key)
    assert (await ask(api.http, key)).status_code == 200
    async with database.write_directory() as session:
        found = select(ApiKey.id).where(col(ApiKey.prefix) == api.key[:17])
        await workspaces.revoke_key(session, (await session.exec(found)).one())
    await asyncio.sleep(HELD_SECONDS)
    for content in (BROKEN_JSON, unread()):
        assert "revoked" in await refusal(api.http, key, content=content)
    assert (await ask(api.http, ("x-api-key", other.key))).status_code == 200


async def test_requests_at_once_look_their_key_up_once(api: Client, stranger: Client) -> None:
    keys = [("x-api-key", client.key) for client in (api, stranger)]
    with statements() as seen:
        answers = await asyncio.gather(*(ask(api.http, key) for key in keys * 8))
    assert [answer.status_code for answer in answers] == [200] * 16
    names = [answer.json()["data"]["viewer"]["workspace"]["name"] for answer in answers]
    assert names == ["ours", "theirs"] * 8
    assert len([one for one in seen if "FROM api_key" in one]) == len(keys)


async def test_wrong_key_is_looked_up_for_each_request(api: Client) -> None:
    key = ("x-api-key", new_key())
    for _ in range(2):
        with statements() as seen:
            assert "does not exist" in await refusal(api.http, key, content=BROKEN_JSON)
        assert len([one for one in seen if "FROM api_key" in one]) == 1


def test_wrong_key_is_answered_while_the_body_is_still_on_its_way(live_server: Server) -> None:
    head = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", live_server.port), timeout=10) as connection:
        connection.sendall(f"{head}x-api-key: {new_key()}\r\nContent-Length: 9\r\n\r\n".encode())
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"www-authenticate: Bearer" in answer


def test_key_has_256_random_bits_and_a_checksum_that_needs_no_server() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    for key in keys:
        shape = re.fullmatch("rollcall_([0-9a-f]{64})([0-9a-f]{8})", key)
        assert shape is not None
        assert int(shape[2], 16) == crc32(shape[1].encode())


async def test_what_is_stored_is_a_digest_and_never_the_key(
    api: Client, database: Database
) -> None:
    async with database.read_directory() as session:
        row = (await session.exec(text("SELECT * FROM api_key"))).mappings().one()  # type: ignore[call-overload]  # plain SQL
    assert bytes(row["digest"]) == sha256(api.key.encode()).digest()
    shown = len("rollcall_") + 8
    assert row["prefix"] == api.key[:shown]
    everything = " ".join(str(value) for value in row.values())
    hidden = api.key[shown:]
    assert not any(hidden[at : at + 8] in everything for at in range(len(hidden) - 7))


async def test_viewer_shows_the_key_without_its_secret(api: Client) -> None:
    viewer = await api(VIEWER)
    assert viewer == {
        "workspace": {"name": "ours"},
        "apiKey": {"name": "test", "prefix": api.key[:17]},
        "scopes": ["CONTACTS_READ", "CONTACTS_WRITE", "ADMIN"],
    }


def declared_scopes(field: GraphQLField) -> tuple[Scope, ...]:
    """The scopes that the field's RequireScope asks for. A field without one fails the test."""
    extensions = field.extensions["strawberry-definition"].extensions
    declared = [found for found in extensions if isinstance(found, RequireScope)]
    assert declared, f"{field.extensions['strawberry-definition'].name} declares no scope"
    [required] = declared
    scopes = dict.fromkeys([required.scope, Scope.CONTACTS_READ if required.reads else None])
    return tuple(scope for scope in scopes if scope is not None)


@pytest.mark.parametrize("name", ROOT_FIELDS)
def test_root_field_declares_its_scope(name: str) -> None:
    root, field = ROOT_FIELDS[name]
    scopes = declared_scopes(field)
    assert (scopes == ()) == (name in OPEN)
    for scope in scopes:
        assert f"`{scope.value}`" in (field.description or "")
    if root is schema._schema.mutation_type:
        assert {Scope.CONTACTS_WRITE, Scope.ADMIN} & set(scopes)


async def test_key_without_the_scope_is_refused_at_each_root_field(
    http: InProcess, database: Database
) -> None:
    await client_of(http, database, "ours")
    clients = {
        scope: await client_of(
            http,
            database,
            "ours",
            tuple(other for other in Scope if other is not scope),
            is_new=False,
        )
        for scope in Scope
    }
    for name, scope in (
        (name, scope)
        for name, (_, field) in ROOT_FIELDS.items()
        for scope in declared_scopes(field)
    ):
        answer = await clients[scope].execute(call(name))
        [error] = answer["errors"]
        assert error["extensions"] == {"code": "FORBIDDEN"}, name
        assert scope.value in error["message"]
        assert error["path"] == [name]
        assert not (answer["data"] or {}).get(name)


async def test_key_with_only_the_scope_is_accepted_by_each_root_field(
    http: InProcess, database: Database
) -> None:
    await client_of(http, database, "ours")
    clients: dict[tuple[Scope, ...], Client] = {}
    for name, (_, field) in ROOT_FIELDS.items():
        scopes = declared_scopes(field) or (Scope.ADMIN,)
        if scopes not in clients:
            clients[scopes] = await client_of(http, database, "ours", scopes, is_new=False)
        answer = await clients[scopes].execute(call(name))
        codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
        assert codes in ([], ["BAD_USER_INPUT"]), (name, answer)


async def test_key_that_only_reads_is_refused_by_every_mutation(
    http: InProcess, database: Database
) -> None:
    reader = await client_of(http, database, "ours", (Scope.CONTACTS_READ,))
    for name, (root, _) in ROOT_FIELDS.items():
        answer = await reader.execute(call(name))
        codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
        if root is schema._schema.mutation_type or name not in READ_ONLY:
            assert codes == ["FORBIDDEN"], name
        else:
            assert codes in ([], ["BAD_USER_INPUT"]), name


async def test_fields_that_are_allowed_are_answered_beside_one_that_is_not(
    http: InProcess, database: Database
) -> None:
    reader = await client_of(http, database, "ours", (Scope.CONTACTS_WRITE,))
    answer = await reader.execute(
        '{ contact(by: {email: "a@example.com"}) { id } viewer { scopes } }'
    )
    assert answer["data"] == {"contact": None, "viewer": {"scopes": ["CONTACTS_WRITE"]}}
    [error] = answer["errors"]
    assert error["message"] == "The API key must have the scope contacts:read."


def call(name: str) -> str:
    """A document that calls the root field with the least arguments it takes."""
    root, field = ROOT_FIELDS[name]
    arguments = ", ".join(
        f"{key}: {literal(argument.type)}"
        for key, argument in field.args.items()
        if is_required_argument(argument)
    )
    selection = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    kind = "mutation" if root is schema._schema.mutation_type else "query"
    return f"{kind} {{ {name}{f'({arguments})' if arguments else ''}{selection} }}"


def literal(kind: GraphQLInputType) -> str:
    """The least value of a type."""
    match kind:
        case GraphQLNonNull():
            return literal(kind.of_type)
        case GraphQLList():
            return "[]"
        case GraphQLEnumType():
            return str(next(iter(kind.values)))
        case GraphQLInputObjectType():
            fields = {
                key: value.type
                for key, value in kind.fields.items()
                if is_required_input_field(value)
            }
            if kind.extensions["strawberry-definition"].is_one_of:
                fields = dict([next((key, value.type) for key, value in kind.fields.items())])
            return f"{{{', '.join(f'{key}: {literal(kind)}' for key, kind in fields.items())}}}"
        case _:
            return {"Int": "1", "Float": "1", "Boolean": "true"}.get(kind.name, '"x"')
