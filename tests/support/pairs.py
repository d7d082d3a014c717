"""Documents and steps of the tests that look for duplicates."""

from typing import Any

from tests.support.client import Client

BULK = "mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created } }"
PAGE = """
query ($first: Int, $after: String) {
  duplicateContacts(first: $first, after: $after) {
    edges { cursor node { contact { email } duplicate { email } reasons } }
    nodes { reasons }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
MERGE = """
mutation ($into: ContactKey!, $from: ContactKey!) {
  mergeContacts(into: $into, from: $from) { __typename }
}
"""
DELETE = "mutation ($by: ContactKey!) { deleteContact(by: $by) { __typename } }"


async def create(api: Client, *inputs: dict[str, Any]) -> None:
    assert (await api(BULK, inputs=list(inputs)))["created"] == len(inputs)


async def group(api: Client, phone: str, *names: str) -> None:
    await create(api, *({"email": f"{name}@example.com", "phone": phone} for name in names))


async def walk(api: Client, size: int | None = None) -> list[tuple[str, str, list[str]]]:
    """All pairs, by the names in their emails, in pages of the size."""
    pairs = []
    after = None
    while True:
        page = await api(PAGE, first=size, after=after)
        assert size is None or len(page["edges"]) <= size
        pairs += [pair_of(edge["node"]) for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return pairs


def pair_of(node: Any) -> tuple[str, str, list[str]]:
    first, second = (node[one]["email"].split("@")[0] for one in ("contact", "duplicate"))
    return first, second, node["reasons"]
