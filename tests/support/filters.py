"""Filters through the API: contacts to filter, and who meets a filter."""

from typing import Any

from tests.support.client import Client

UPSERT_MANY = """
mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created updated } }
"""
FILTERED = """
query ($filter: ContactFilter) {
  contacts(filter: $filter, first: 100, orderBy: {field: EMAIL, direction: ASC}) {
    totalCount nodes { email }
  }
}
"""

PROFESSIONAL = "11111111-2222-4333-8444-555555555555"


async def put(api: Client, **people: dict[str, Any]) -> None:
    """Contacts known by what stands before the @ of their emails."""
    inputs = [{"email": f"{name}@example.com"} | given for name, given in people.items()]
    answer = await api(UPSERT_MANY, inputs=inputs)
    assert answer["created"] + answer["updated"] == len(inputs)


async def met(api: Client, condition: Any) -> str:
    """Who meets the filter."""
    page = await api(FILTERED, filter=condition)
    assert page["totalCount"] == len(page["nodes"])
    return " ".join(node["email"].partition("@")[0] for node in page["nodes"])
