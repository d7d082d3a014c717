"""Several root fields in one document: the error of one hides no other's answer."""

from typing import Any

from tests.support.client import Client

TWO = """
mutation ($first: ContactInput!, $second: ContactInput!) {
  first: upsertContact(input: $first) { ...Email }
  second: upsertContact(input: $second) { ...Email }
  third: deleteContact(by: {id: "nobody"}) { __typename }
}
fragment Email on ContactCreated { contact { email } }
"""
READS = """
{
  contact(by: {email: "ada@example.com"}) { email }
  contacts(first: 1000) { nodes { email } }
  viewer { workspace { name } }
}
"""


def places(answer: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    return [(error["extensions"]["code"], error["path"]) for error in answer["errors"]]


async def test_invalid_mutation_does_not_hide_what_the_others_did(api: Client) -> None:
    answer = await api.execute(TWO, first={"email": "ada@example.com"}, second={"email": "nobody"})
    assert answer["data"] == {
        "first": {"contact": {"email": "ada@example.com"}},
        "second": None,
        "third": None,
    }
    assert places(answer) == [("BAD_USER_INPUT", ["second"]), ("BAD_USER_INPUT", ["third"])]
    [broken] = answer["errors"][0]["extensions"]["errors"]
    assert (broken["code"], broken["field"]) == ("INVALID_FORMAT", "email")


async def test_invalid_query_does_not_hide_what_the_others_found(api: Client) -> None:
    answer = await api.execute(READS)
    assert answer["data"] == {
        "contact": None,
        "contacts": None,
        "viewer": {"workspace": {"name": "ours"}},
    }
    assert places(answer) == [("BAD_USER_INPUT", ["contacts"])]
