"""Made-up contacts: `scripts/seed`."""

from collections import Counter
from typing import Any

import orjson

from app.contacts.duplicates import duplicates
from app.contacts.listing.order import OLDEST_FIRST, Window
from app.contacts.listing.page import page
from app.database.sessions import Database
from app.fields.normalise import normalise
from app.phones import e164
from app.workspaces.keys import authenticate
from bench.people import company, people
from bench.seed import fill


def test_same_seed_makes_the_same_contacts() -> None:
    assert list(people(50, 1)) == list(people(50, 1))
    assert list(people(50, 1)) != list(people(50, 2))


def test_contacts_follow_the_rules_of_fields() -> None:
    made = list(people(1_000, 1))
    assert [errors for _, errors in map(normalise, made) if errors] == []
    phones = [person["phone"] for person in made if "phone" in person]
    assert [phone for phone in phones if e164(phone, None) is None] == []
    assert len({person["email"] for person in made}) == 1_000


def test_big_companies_grow_and_the_others_do_not() -> None:
    small, large = (Counter(one.get("company") for one in people(n, 1)) for n in (2_000, 8_000))
    assert large[company(0)] > 2 * small[company(0)] > 0
    others = range(10, 60)
    assert sum(large[company(n)] for n in others) < 2 * sum(small[company(n)] for n in others)


async def test_workspace_is_filled_the_same_again(database: Database) -> None:
    first = await _filled(database)
    assert len(first) == 100
    assert {contact["is_unsubscribed"] for contact in first} == {True, False}
    assert await _filled(database) == first


async def test_workspace_has_duplicates(database: Database) -> None:
    caller = await authenticate(database, await fill(database, "demo", 200, 1))
    async with database.read(caller) as session:
        assert (await duplicates(session, 50, None)).pairs


async def _filled(database: Database) -> list[dict[str, Any]]:
    caller = await authenticate(database, await fill(database, "demo", 100, 1))
    everyone = Window(size=1_000, backward=False, after=None, before=None)
    async with database.read(caller) as session:
        contacts = (await page(session, OLDEST_FIRST, everyone)).contacts
    return [orjson.loads(orjson.dumps(vars(contact), default=str)) for contact in contacts]
