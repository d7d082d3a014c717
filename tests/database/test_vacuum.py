"""VACUUM, which numbers rows anew where they have no integer key, spoils no search."""

import sqlite3
from contextlib import closing

import pytest

from tests.support.client import Client

pytestmark = [
    pytest.mark.own_database,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

UPSERT = "mutation ($input: ContactInput!) { upsertContact(input: $input) { __typename } }"
DELETE = "mutation ($by: ContactKey!) { deleteContact(by: $by) { __typename } }"
SEARCH = "query ($text: String!) { contacts(search: $text) { nodes { email } } }"
NAMES = ("Ada Lovelace", "Grace Hopper", "Edsger Dijkstra")


async def test_search_finds_the_same_after_vacuum(api: Client, database_url: str) -> None:
    emails = {name: f"{number}@example.com" for number, name in enumerate(NAMES)}
    for name, email in emails.items():
        await api(UPSERT, input={"email": email, "name": name})
    await api(DELETE, by={"email": emails.pop("Ada Lovelace")})  # a gap in the numbers
    with closing(sqlite3.connect(database_url.partition("///")[2])) as database:
        database.execute("VACUUM")
    for name, email in emails.items():
        assert await api(SEARCH, text=name) == {"nodes": [{"email": email}]}
    assert await api(SEARCH, text="Lovelace") == {"nodes": []}
