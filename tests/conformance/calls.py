"""The calls that a partner's program makes once it has moved here, for the conformance tests."""

from typing import Any

import httpx

from tests.support.client import Client

_FIELDS = """
fragment Fields on Contact {
  id externalId email name displayName prefix firstName lastName suffix phone phoneE164 company
  jobTitle notes addressLine1 addressLine2 city state postcode country timezone language tags
  isActive isUnsubscribed unsubscribedAt lifetimeValue ordersCount lastOrderAt professionalId
  customFields metadata createdAt updatedAt version assignments { kind targetId }
}
"""
_CREATED = "... on ContactCreated { contact { ...Fields } warnings { code field } }"
_UPDATED = """
... on ContactUpdated {
  contact { ...Fields } matchedBy changes { path before after } warnings { code field }
}
"""
_CONFLICT = "... on ContactConflict { message reasons { code identifier message contact { id } } }"

UPSERT = f"""
mutation ($input: ContactInput!, $policy: UpsertPolicy, $dryRun: Boolean! = false) {{
  upsertContact(input: $input, policy: $policy, dryRun: $dryRun) {{
    __typename {_CREATED} {_UPDATED} {_CONFLICT}
  }}
}}
{_FIELDS}
"""
CREATE = f"""
mutation (
  $input: ContactInput!, $require: [RequirableField!]! = [], $generate: Boolean! = false
) {{
  createContact(input: $input, requireOnCreate: $require, generateExternalId: $generate) {{
    __typename {_CREATED} {_CONFLICT}
  }}
}}
{_FIELDS}
"""
UPDATE = f"""
mutation ($by: ContactKey!, $input: ContactInput!) {{
  updateContact(by: $by, input: $input) {{ __typename {_UPDATED} {_CONFLICT} }}
}}
{_FIELDS}
"""
DELETE = f"""
mutation ($by: ContactKey!) {{
  deleteContact(by: $by) {{
    __typename ... on ContactDeleted {{ deletedId externalId }} {_CONFLICT}
  }}
}}
"""
CONTACT = f"query ($by: ContactKey!) {{ contact(by: $by) {{ ...Fields }} }} {_FIELDS}"
CONTACTS = """
query ($filter: ContactFilter, $search: String) {
  contacts(filter: $filter, search: $search, orderBy: {field: EMAIL, direction: ASC}) {
    nodes { id email }
  }
}
"""


async def created(api: Client, document: str, **variables: Any) -> Any:
    """The contact. Any other outcome fails the test."""
    answer = await api(document, **variables)
    assert answer["__typename"] == "ContactCreated", answer
    assert answer["warnings"] == []
    return answer["contact"]


async def updated(api: Client, document: str, **variables: Any) -> Any:
    """The whole outcome. Any other fails the test."""
    answer = await api(document, **variables)
    assert answer["__typename"] == "ContactUpdated", answer
    return answer


async def clashes(api: Client, document: str, **variables: Any) -> list[tuple[str, str | None]]:
    """The (code, identifier) pairs of a Conflict. Any other outcome fails the test."""
    answer = await api(document, **variables)
    assert answer["__typename"] == "ContactConflict", answer
    return [(reason["code"], reason["identifier"]) for reason in answer["reasons"]]


async def emails(api: Client, **variables: Any) -> list[str]:
    """Of the contacts that a filter or a search finds."""
    return [node["email"] for node in (await api(CONTACTS, **variables))["nodes"]]


async def posted(
    http: httpx.AsyncClient, headers: dict[str, str], document: str, **variables: Any
) -> httpx.Response:
    """A request with headers of the caller's own choice."""
    body = {"query": document, "variables": variables}
    return await http.post("/graphql", json=body, headers=headers)


def part(contact: dict[str, Any], names: Any) -> dict[str, Any]:
    """Those fields of a contact that have the names."""
    return {name: contact[name] for name in names}
