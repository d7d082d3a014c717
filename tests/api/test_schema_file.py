"""GET /schema.graphql: the schema for code generators, where introspection is off."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.database.sessions import Database
from app.workspaces.keys import Scope
from tests.conftest import client_of
from tests.support.client import Client
from tests.support.serving import serving

SCHEMA = Path(__file__).parent.parent.parent / "schema.graphql"
PATH = "/schema.graphql"


@pytest.fixture
async def production(database_url: str, api: Client) -> AsyncIterator[Client]:
    async with serving(database_url, environment="production") as http:
        yield Client(http, api.key)


async def test_key_of_scope_admin_gets_the_schema_in_production(production: Client) -> None:
    for headers in ({"x-api-key": production.key}, {"authorization": f"Bearer {production.key}"}):
        response = await production.http.get(PATH, headers=headers)
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        assert response.text == SCHEMA.read_text()


async def test_other_keys_do_not_get_the_schema(production: Client, database: Database) -> None:
    scopes = (Scope.CONTACTS_READ, Scope.CONTACTS_WRITE)
    other = await client_of(production.http, database, "ours", scopes, is_new=False)
    refusals: list[tuple[dict[str, str], int, str]] = [
        ({}, 401, "UNAUTHENTICATED"),
        ({"x-api-key": "nonsense"}, 401, "UNAUTHENTICATED"),
        ({"x-api-key": other.key}, 403, "FORBIDDEN"),
    ]
    for headers, status, code in refusals:
        response = await production.http.get(PATH, headers=headers)
        assert response.status_code == status
        [error] = response.json()["errors"]
        assert error["extensions"]["code"] == code
        assert "type Query" not in response.text
