"""How each server is asked, and its answers as Rollcall's schema has them."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.timestamps import rfc3339
from bench.peers.workloads import ALIASES, PAGE, Variables, Workload

CARD = """{
  id externalId email firstName lastName name phone company jobTitle country lifetimeValue
  updatedAt
}"""
LISTED = """{
  id externalId email name phone company country tags customFields lifetimeValue createdAt
  updatedAt
}"""
BY = range(ALIASES)

ROLLCALL = {
    "a": f"query ($by: ContactKey!) {{ contact(by: $by) {CARD} }}",
    "b": f"""
query ($after: String) {{
  contacts(first: {PAGE}, after: $after) {{
    edges {{ cursor node {LISTED} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}""",
    "c": f"""
mutation ($input: ContactInput!) {{
  upsertContact(input: $input) {{
    __typename
    ... on ContactCreated {{ contact {CARD} }}
    ... on ContactUpdated {{ contact {CARD} }}
  }}
}}""",
    "d": """
mutation ($inputs: [ContactInput!]!) {
  upsertContacts(inputs: $inputs) {
    created
    updated
    rows {
      index
      result {
        __typename
        ... on ContactCreated { contact { id } }
        ... on ContactUpdated { contact { id } }
      }
    }
  }
}""",
    "e": f"""
query ({", ".join(f"$by{index}: ContactKey!" for index in BY)}) {{
  {" ".join(f"contact{index}: contact(by: $by{index}) {CARD}" for index in BY)}
}}""",
}

ROW_CARD = CARD.replace("id ", "id: rowId ", 1)
ROW_LISTED = LISTED.replace("id ", "id: rowId ", 1)
BY_ROW_ID = "contactByWorkspaceIdAndRowId(workspaceId: $workspaceId, rowId:"

POSTGRAPHILE = {
    "a": f"""
query ($workspaceId: UUID!, $by: UUID!) {{
  contact: {BY_ROW_ID} $by) {ROW_CARD}
}}""",
    "b": f"""
query ($workspaceId: UUID!, $after: Cursor) {{
  contacts: allContacts(
    first: {PAGE}, after: $after, condition: {{workspaceId: $workspaceId}},
    orderBy: [CREATED_AT_DESC, ROW_ID_DESC]
  ) {{
    edges {{ cursor node {ROW_LISTED} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}""",
    "c": f"""
mutation ($workspaceId: UUID!, $input: GivenContactInput!) {{
  upsertContact(input: {{workspaceId: $workspaceId, contact: $input}}) {{
    contact: result {ROW_CARD.replace("id:", "version id:", 1)}
  }}
}}""",
    "d": """
mutation ($workspaceId: UUID!, $inputs: [GivenContactInput!]!) {
  upsertContacts(input: {workspaceId: $workspaceId, contacts: $inputs}) {
    rows: result { index created contactId }
  }
}""",
    "e": f"""
query ($workspaceId: UUID!, {", ".join(f"$by{index}: UUID!" for index in BY)}) {{
  {" ".join(f"contact{index}: {BY_ROW_ID} $by{index}) {ROW_CARD}" for index in BY)}
}}""",
}


class Language(Protocol):
    def request(self, workload: Workload, variables: Variables) -> dict[str, Any]:
        """The body of the GraphQL request."""

    def answer(self, workload: Workload, data: Any) -> Any:
        """The `data` of its answer, as Rollcall would give it."""


class OfRollcall:
    def request(self, workload: Workload, variables: Variables) -> dict[str, Any]:
        return {"query": ROLLCALL[workload.name], "variables": variables}

    def answer(self, workload: Workload, data: Any) -> Any:
        return data


class OfPostGraphile:
    """Its schema follows the table: a client names the workspace, and keys are columns."""

    def __init__(self, workspace_id: UUID) -> None:
        self._workspace_id = str(workspace_id)

    def request(self, workload: Workload, variables: Variables) -> dict[str, Any]:
        given = {
            name: value["id"] if name.startswith("by") else value
            for name, value in variables.items()
        }
        return {
            "query": POSTGRAPHILE[workload.name],
            "variables": {"workspaceId": self._workspace_id, **given},
        }

    def answer(self, workload: Workload, data: Any) -> Any:
        match workload.name:
            case "c":
                return {"upsertContact": _upserted(data["upsertContact"]["contact"])}
            case "d":
                return {"upsertContacts": _bulk(data["upsertContacts"]["rows"])}
            case _:
                return _with_timestamps(data)


def _upserted(contact: dict[str, Any]) -> Any:
    created = contact.pop("version") == 1
    return _result(created, _with_timestamps(contact))


def _bulk(rows: list[dict[str, Any]]) -> Any:
    created = sum(row["created"] for row in rows)
    return {
        "created": created,
        "updated": len(rows) - created,
        "rows": [
            {"index": row["index"], "result": _result(row["created"], {"id": row["contactId"]})}
            for row in rows
        ],
    }


def _result(created: bool, contact: dict[str, Any]) -> dict[str, Any]:
    return {"__typename": "ContactCreated" if created else "ContactUpdated", "contact": contact}


def _with_timestamps(value: Any) -> Any:
    """PostGraphile writes +00:00 where Rollcall writes Z."""
    match value:
        case dict():
            return {
                name: rfc3339(datetime.fromisoformat(member))
                if name in ("createdAt", "updatedAt")
                else _with_timestamps(member)
                for name, member in value.items()
            }
        case list():
            return [_with_timestamps(member) for member in value]
        case _:
            return value
