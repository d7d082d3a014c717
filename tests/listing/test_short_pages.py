"""Pages that end before they are full: they look at no more than so many contacts each."""

from typing import Any

import pytest

from tests.support.client import Client
from tests.support.walks import bound

UPSERT_MANY = "mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created } }"
LISTED = """
query ($city: String!, $first: Int, $after: String, $last: Int, $before: String) {
  contacts(
    filter: {city: {contains: $city}}, orderBy: {field: EMAIL, direction: ASC}
    first: $first, after: $after, last: $last, before: $before
  ) {
    edges { cursor node { email } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}
"""
DELETE_MANY = """
mutation ($selection: ContactSelection!) {
  deleteContacts(selection: $selection) { deleted hasMore }
}
"""
CONTACTS = 20


@pytest.fixture(autouse=True)
async def listed(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contacts 00 to 19, of whom 09 and 15 live in Rome, and who are looked at four by four."""
    bound(monkeypatch, walk=4, candidates=0)
    inputs = [
        {"email": f"{number:02}@example.com", "city": "Rome" if number in (9, 15) else "Oslo"}
        for number in range(CONTACTS)
    ]
    assert (await api(UPSERT_MANY, inputs=inputs))["created"] == CONTACTS


def emails(answer: dict[str, Any]) -> list[str]:
    return [edge["node"]["email"].partition("@")[0] for edge in answer["edges"]]


async def test_page_without_contacts_tells_where_to_go_on(api: Client) -> None:
    answer = await api(LISTED, city="Rom", first=5)
    info = answer["pageInfo"]
    assert answer["edges"] == []
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (True, False)
    assert info["startCursor"] == info["endCursor"] is not None


FORWARD = ("first", "after", "endCursor", "hasNextPage", "hasPreviousPage")
BACKWARD = ("last", "before", "startCursor", "hasPreviousPage", "hasNextPage")


@pytest.mark.parametrize(
    ("way", "pages"),
    [
        (FORWARD, [[], [], ["09"], ["15"], [], []]),
        (BACKWARD, [[], ["15"], ["09"], [], [], []]),
    ],
)
async def test_walk_over_pages_returns_all(
    api: Client, way: tuple[str, ...], pages: list[list[str]]
) -> None:
    size, edge, cursor, goes_on, came_from = way
    seen: list[list[str]] = []
    info: dict[str, Any] = {goes_on: True, cursor: None}
    while info[goes_on]:
        answer = await api(LISTED, city="Rom", **{size: 5, edge: info[cursor]})
        info = answer["pageInfo"]
        seen.append(emails(answer))
    assert seen == pages
    assert info[came_from] is True


async def test_page_with_fewer_than_asked_goes_on_behind_all_that_it_looked_at(
    api: Client,
) -> None:
    after = (await api(LISTED, city="Os", first=4))["pageInfo"]["endCursor"]
    after = (await api(LISTED, city="Os", first=4, after=after))["pageInfo"]["endCursor"]
    answer = await api(LISTED, city="Rom", first=5, after=after)
    assert emails(answer) == ["09"]
    assert answer["pageInfo"]["hasNextPage"] is True
    following = await api(LISTED, city="", first=1, after=answer["pageInfo"]["endCursor"])
    assert emails(following) == ["12"]


async def test_full_page_ends_at_its_last_contact(api: Client) -> None:
    answer = await api(LISTED, city="Os", first=2)
    assert emails(answer) == ["00", "01"]
    assert answer["pageInfo"]["endCursor"] == answer["edges"][-1]["cursor"]
    answer = await api(LISTED, city="Os", first=2, after=answer["pageInfo"]["endCursor"])
    assert emails(answer) == ["02", "03"]


async def test_part_of_what_the_list_is_ordered_by_ends_a_page_early_as_well(api: Client) -> None:
    answer = await api(
        """{
          contacts(
            filter: {email: {contains: "19"}}, orderBy: {field: EMAIL, direction: ASC}, first: 5
          ) { edges { cursor } pageInfo { hasNextPage } }
        }"""
    )
    assert answer == {"edges": [], "pageInfo": {"hasNextPage": True}}


async def test_total_count_is_not_limited_by_the_walk_of_a_page(api: Client) -> None:
    assert (await api(LISTED, city="Rom", first=1))["totalCount"] == 2


async def test_contacts_to_delete_are_found_however_far_apart(api: Client) -> None:
    selection = {"filter": {"city": {"contains": "Rom"}}}
    assert await api(DELETE_MANY, selection=selection) == {"deleted": 2, "hasMore": False}


async def test_pages_of_an_unfiltered_list_are_full(api: Client) -> None:
    answer = await api("{ contacts(first: 15) { nodes { id } pageInfo { hasNextPage } } }")
    assert len(answer["nodes"]) == 15
    assert answer["pageInfo"]["hasNextPage"] is True
