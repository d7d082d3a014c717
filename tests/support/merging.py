"""Documents and steps of the tests that merge contacts."""

from typing import Any

from tests.support.client import Client

CONTACT = """
fragment contact on Contact {
  id externalId email name firstName phone phoneE164 country company notes tags isActive
  isUnsubscribed unsubscribedAt ordersCount customFields metadata version createdAt updatedAt
  assignments { kind targetId }
}
"""
REASONS = "... on ContactConflict { message reasons { code identifier contact { id } } }"
MERGE = (
    CONTACT
    + """
mutation ($into: ContactKey!, $from: ContactKey!, $prefer: MergePreference! = INTO,
          $dryRun: Boolean! = false) {
  mergeContacts(into: $into, from: $from, prefer: $prefer, dryRun: $dryRun) {
    __typename
    ... on ContactsMerged { contact { ...contact } mergedId changes { path before after } }
"""
    + REASONS
    + "}}"
)
UPSERT = (
    CONTACT
    + """
mutation ($input: ContactInput!, $policy: UpsertPolicy, $dryRun: Boolean! = false) {
  upsertContact(input: $input, policy: $policy, dryRun: $dryRun) {
    __typename
    ... on ContactCreated { contact { ...contact } }
    ... on ContactUpdated { contact { ...contact } matchedBy changes { path } warnings { code } }
"""
    + REASONS
    + "}}"
)
UPDATE = (
    CONTACT
    + """
mutation ($by: ContactKey!, $input: ContactInput!) {
  updateContact(by: $by, input: $input) {
    __typename
    ... on ContactUpdated { contact { ...contact } matchedBy changes { path before after } }
"""
    + REASONS
    + "}}"
)
FIND = CONTACT + "query ($by: ContactKey!) { contact(by: $by) { ...contact } }"
MANY = "query ($keys: [ContactKey!]!) { contactsByKey(keys: $keys) { id } }"
NODE = "query ($id: ID!) { node(id: $id) { id } }"
DELETE = f"""
mutation ($by: ContactKey!) {{
  deleteContact(by: $by) {{ __typename ... on ContactDeleted {{ deletedId }} {REASONS} }}
}}
"""

ADA = {"externalId": "a", "email": "ada@example.com"}
BOB = {"externalId": "b", "email": "Bob@example.com"}
INTO = {"externalId": "a"}
FROM = {"externalId": "b"}


async def create(api: Client, **given: Any) -> Any:
    answer = await api(UPSERT, input=given)
    assert answer["__typename"] == "ContactCreated", answer
    return answer["contact"]


async def merged(api: Client, **variables: Any) -> Any:
    answer = await api(MERGE, **({"into": INTO, "from": FROM} | variables))
    assert answer["__typename"] == "ContactsMerged", answer
    return answer
