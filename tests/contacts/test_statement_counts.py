"""How many statements a request takes, beside BEGIN, COMMIT and the look-up of its key.

PostgreSQL writes several tables in one statement; SQLite and Citus take one for each, and Citus one
more for each table that has many new rows.
"""

from typing import Any

import pytest

from tests.support.citus import ON_CITUS
from tests.support.client import Client
from tests.support.statements import AFTER_THE_FIRST, statements

CONTACT = "{ id externalId email assignments { kind } aliases { value } }"
READ = f"query ($by: ContactKey!) {{ contact(by: $by) {CONTACT} }}"
READ_MANY = f"query ($keys: [ContactKey!]!) {{ contactsByKey(keys: $keys) {CONTACT} }}"
PAGE = f"query ($filter: ContactFilter) {{ contacts(filter: $filter) {{ nodes {CONTACT} }} }}"
UPSERT = """
mutation ($input: ContactInput!) {
  upsertContact(input: $input) { __typename ... on ContactUpdated { changes { path } } }
}
"""
BULK = """
mutation ($inputs: [ContactInput!]!) {
  upsertContacts(inputs: $inputs) { created updated unchanged conflicts invalid }
}
"""
UPDATE_MANY = """
mutation ($selection: ContactSelection!, $input: ContactPatch) {
  updateContacts(
    selection: $selection, input: $input, assignTo: {kind: "a", targetId: "1"}, unsubscribe: true
  ) { updated unchanged }
}
"""
DELETE = "mutation ($by: ContactKey!) { deleteContact(by: $by) { __typename } }"
MERGE = """
mutation { mergeContacts(into: {externalId: "c0"}, from: {externalId: "c1"}) { __typename } }
"""
ASSIGN = """
mutation {
  assignContact(by: {externalId: "c0"}, to: {kind: "a", targetId: "1"}) { __typename }
}
"""


def person(number: int, **given: Any) -> dict[str, Any]:
    return {
        "externalId": f"c{number}",
        "email": f"c{number}@example.com",
        "firstName": "Ada",
        "tags": ["vip"],
    } | given


@pytest.mark.parametrize(
    ("document", "variables", "together", "one_by_one"),
    [
        (READ, {"by": {"externalId": "c1"}}, 1, 1),
        (READ, {"by": {"email": "nobody@example.com"}}, 1, 1),
        (READ_MANY, {"keys": [{"externalId": f"c{number}"} for number in range(20)]}, 1, 1),
        (PAGE, {}, 1, 1),
        (PAGE, {"filter": {"tags": {"hasAny": ["vip"]}}}, 2, 2),
        (PAGE, {"filter": {"company": {"eq": "Acme"}, "firstName": {"contains": "Ada"}}}, 2, 2),
        (UPSERT, {"input": person(100)}, 2, 4),
        (UPSERT, {"input": person(100, customFields={"plan": "pro"})}, 3, 5),
        (UPSERT, {"input": person(1)}, 1, 1),
        (UPSERT, {"input": person(1, company="Acme")}, 2, 2),
        (UPSERT, {"input": person(1, tags=["new"])}, 3, 4),
        (UPSERT, {"input": person(1, email="new@example.com")}, 3, 4),
        (UPSERT, {"input": person(1, email="new@example.com", customFields={"n": 1})}, 4, 6),
        (BULK, {"inputs": [person(number) for number in range(100, 200)]}, 2, 4),
        (
            BULK,
            {"inputs": [person(number, customFields={"n": number}) for number in range(100)]},
            3,
            6,
        ),
        (
            UPDATE_MANY,
            {
                "selection": {"keys": [{"externalId": f"c{number}"} for number in range(20)]},
                "input": {"company": "Acme", "tags": ["new"]},
            },
            3,
            4,
        ),
        (
            UPDATE_MANY,
            {"selection": {"filter": {"tags": {"hasAny": ["vip"]}}}, "input": {"tags": ["new"]}},
            6,
            7,
        ),
        (DELETE, {"by": {"externalId": "c1"}}, 2, 4),
        (MERGE, {}, 3, 6),
        (ASSIGN, {}, 2, 3),
    ],
)
async def test_a_request_takes_few_statements(
    api: Client,
    database_url: str,
    document: str,
    variables: dict[str, Any],
    together: int,
    one_by_one: int,
) -> None:
    await api(BULK, inputs=[person(number) for number in range(20)])
    with statements() as seen:
        await api(document, **variables)
    own = [one for one in seen if "FROM api_key" not in one and not AFTER_THE_FIRST.search(one)]
    writes_together = database_url.startswith("postgresql") and not ON_CITUS
    most = together if writes_together else one_by_one
    assert 1 <= len(own) <= most, own
