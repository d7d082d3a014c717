"""An upsert through the API, on both databases."""

from tests.client import Client

UPSERT = """
mutation ($input: ContactInput!, $policy: UpsertPolicy, $ifVersion: Int, $dryRun: Boolean! = false) {
  upsertContact(input: $input, policy: $policy, ifVersion: $ifVersion, dryRun: $dryRun) {
    __typename
    ... on ContactCreated { contact { id email version } warnings { code field } }
    ... on ContactUpdated { contact { id email version } matchedBy changes { path before after } }
    ... on ContactConflict { reasons { code identifier contact { email } } }
  }
}
"""


async def test_upsert_creates_then_updates_then_conflicts(api: Client) -> None:
    created = await api(UPSERT, input={"externalId": "c1", "email": "ada@example.com"})
    assert created["__typename"] == "ContactCreated"
    again = await api(UPSERT, input={"externalId": "c1", "email": "ada@example.com"})
    assert (again["__typename"], again["changes"]) == ("ContactUpdated", [])
    clash = await api(UPSERT, input={"externalId": "c2", "email": "ADA@example.com"})
    assert clash["reasons"] == [
        {
            "code": "EXTERNAL_ID_MISMATCH",
            "identifier": "EXTERNAL_ID",
            "contact": {"email": "ada@example.com"},
        }
    ]
