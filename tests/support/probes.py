"""Calls of every root field, each on a contact of the own workspace, of another, or of none."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from app.api.graphql.schema import schema
from tests.support.client import Client


@dataclass(frozen=True)
class Target:
    """The identifiers of a contact and its workspace."""

    id: str
    external_id: str
    email: str
    former_email: str
    cursor: str
    pair_cursor: str
    company: str = "Hush & Sons"
    phone: str = "+442079460958"
    tag: str = "hush-tag"
    custom_value: str = "hush-value"
    agent: str = "hush-agent"
    custom_key: str = "hush-key"
    custom_label: str = "Hush label"
    key_id: str = "01890000-0000-7000-8000-00000000000a"
    key_name: str = "hush-key-name"


MISSING = Target(
    id="01890000-0000-7000-8000-000000000000",
    external_id="missing-1",
    email="missing@example.com",
    former_email="missing-too@example.com",
    cursor="bWlzc2luZw==",
    pair_cursor="bWlzc2luZy10b28=",
    company="Missing & Sons",
    phone="+442079460000",
    tag="missing-tag",
    custom_value="missing-value",
    agent="missing-agent",
    custom_key="missing-key",
    custom_label="Missing label",
    key_id="ff890000-0000-7000-8000-000000000001",  # as a position, behind every key
    key_name="missing-key-name",
)

# A contact of the caller's own workspace.
OWN = {"email": "own@example.com"}

CONTACT = "id externalId email company version"
CREATED = "... on ContactCreated { contact { externalId email company version } }"
UPDATED = f"... on ContactUpdated {{ contact {{ {CONTACT} }} changes {{ path before after }} }}"
CONFLICT = (
    f"... on ContactConflict {{ message reasons {{ code message contact {{ {CONTACT} }} }} }}"
)
DELETED = "... on ContactDeleted { deletedId externalId }"
OUTCOME = f"__typename {CREATED} {UPDATED} {CONFLICT}"
CHANGED = f"__typename {UPDATED} {CONFLICT}"
PAGE_INFO = "pageInfo { startCursor endCursor hasNextPage hasPreviousPage }"
PAGE = f"edges {{ cursor node {{ {CONTACT} }} }} nodes {{ id }} totalCount {PAGE_INFO}"

UPSERT = f"""
mutation (
    $input: ContactInput!, $policy: UpsertPolicy, $ifVersion: Int, $dryRun: Boolean! = false
) {{
    upsertContact(input: $input, policy: $policy, ifVersion: $ifVersion, dryRun: $dryRun) {{
        {OUTCOME}
    }}
}}
"""
BULK = f"""
mutation ($inputs: [ContactInput!]!, $policy: UpsertPolicy, $atomic: Boolean! = false) {{
    upsertContacts(inputs: $inputs, policy: $policy, atomic: $atomic) {{
        rows {{ result {{ {OUTCOME} }} }} created updated unchanged conflicts invalid withheld
    }}
}}
"""
CREATE = f"""
mutation ($input: ContactInput!) {{
    createContact(input: $input) {{ __typename {CREATED} {CONFLICT} }}
}}
"""
UPDATE = f"""
mutation ($by: ContactKey!, $input: ContactInput!, $ifVersion: Int) {{
    updateContact(by: $by, input: $input, ifVersion: $ifVersion) {{ {CHANGED} }}
}}
"""
DELETE = f"""
mutation ($by: ContactKey!, $ifVersion: Int) {{
    deleteContact(by: $by, ifVersion: $ifVersion) {{ __typename {DELETED} {CONFLICT} }}
}}
"""
DELETE_MANY = f"""
mutation ($selection: ContactSelection!, $dryRun: Boolean! = false) {{
    deleteContacts(selection: $selection, dryRun: $dryRun) {{
        rows {{ result {{ __typename {DELETED} {CONFLICT} }} }} deleted conflicts hasMore
    }}
}}
"""
UPDATE_MANY = f"""
mutation (
    $selection: ContactSelection!, $input: ContactPatch, $agent: AssigneeInput
    $dryRun: Boolean! = false
) {{
    updateContacts(selection: $selection, input: $input, assignTo: $agent, dryRun: $dryRun) {{
        rows {{ result {{ {CHANGED} }} }} updated unchanged conflicts invalid hasMore
    }}
}}
"""
MERGE = f"""
mutation ($into: ContactKey!, $from: ContactKey!, $dryRun: Boolean! = false) {{
    mergeContacts(into: $into, from: $from, dryRun: $dryRun) {{
        __typename
        ... on ContactsMerged {{ contact {{ {CONTACT} }} mergedId changes {{ path before after }} }}
        {CONFLICT}
    }}
}}
"""
ASSIGN = f"""
mutation ($by: ContactKey!, $agent: AssigneeInput!) {{
    assignContact(by: $by, to: $agent) {{ {CHANGED} }}
}}
"""
UNASSIGN = f"""
mutation ($by: ContactKey!, $agent: AssigneeInput!) {{
    unassignContact(by: $by, from: $agent) {{ {CHANGED} }}
}}
"""
REMOVE_ALIAS = f"""
mutation ($by: ContactKey!, $alias: ContactKey!) {{
    removeContactAlias(by: $by, alias: $alias) {{ {CHANGED} }}
}}
"""
DEFINE = """
mutation ($input: CustomFieldInput!) {
    defineCustomField(input: $input) { key type label description }
}
"""
LIST = f"""
query (
    $filter: ContactFilter, $search: String
    $first: Int, $after: String, $last: Int, $before: String
) {{
    contacts(
        filter: $filter, search: $search, first: $first, after: $after, last: $last, before: $before
    ) {{ {PAGE} }}
}}
"""
PAIRS = f"""
query ($after: String) {{
    duplicateContacts(after: $after) {{
        edges {{ cursor node {{ reasons contact {{ {CONTACT} }} duplicate {{ {CONTACT} }} }} }}
        {PAGE_INFO}
    }}
}}
"""


@dataclass(frozen=True)
class Probe:
    """A call, and its variables for a target."""

    document: str
    aim: Callable[[Target], dict[str, Any]] = lambda _: {}


def by_each_key(document: str, name: str = "by", **variables: Any) -> list[Probe]:
    return [
        Probe(document, lambda target: {name: {"id": target.id}} | variables),
        Probe(document, lambda target: {name: {"externalId": target.external_id}} | variables),
        Probe(document, lambda target: {name: {"email": target.email}} | variables),
        Probe(document, lambda target: {name: {"email": target.email.upper()}} | variables),
        Probe(document, lambda target: {name: {"email": target.former_email}} | variables),
    ]


def keys(target: Target) -> list[dict[str, str]]:
    return [
        {"id": target.id},
        {"externalId": target.external_id},
        {"email": target.email},
        {"email": target.former_email},
    ]


def both(target: Target) -> dict[str, Any]:
    return {"externalId": target.external_id, "email": target.email}


def filters(target: Target) -> list[dict[str, Any]]:
    return [
        {"externalId": {"eq": target.external_id}},
        {"email": {"in": [target.email, target.former_email]}},
        {"email": {"startsWith": target.email[:4]}},
        {"company": {"contains": target.company[:7]}},
        {"phone": {"eq": target.phone}},
        {"tags": {"hasAny": [target.tag]}},
        {"customFields": [{"key": target.custom_key, "string": {"eq": target.custom_value}}]},
        {"assignedTo": {"kind": "agent", "targetId": target.agent}},
        {"or": [{"company": {"eq": target.company}}, {"tags": {"hasAll": [target.tag]}}]},
        {"and": [{"not": {"company": {"isNull": True}}}, {"phone": {"eq": target.phone}}]},
    ]


def by_each_filter(document: str, aim: Callable[[dict[str, Any]], dict[str, Any]]) -> list[Probe]:
    def probe(at: int) -> Probe:
        return Probe(document, lambda target: aim(filters(target)[at]))

    return [probe(at) for at in range(len(filters(MISSING)))]


def edit(selection: dict[str, Any]) -> dict[str, Any]:
    given = {"city": "X", "tags": ["theirs"]}
    agent = {"kind": "agent", "targetId": "theirs"}
    return {"selection": selection, "input": given, "agent": agent}


KEY = "id name scopes expiresAt revokedAt"
CREATE_KEY = f"""
mutation ($input: CreateKeyInput!) {{ createKey(input: $input) {{ apiKey {{ {KEY} }} }} }}
"""
REVOKE_KEY = f"mutation ($id: ID!) {{ revokeKey(id: $id) {{ {KEY} }} }}"


PROBES: dict[str, list[Probe]] = {
    "viewer": [Probe("{ viewer { workspace { id name } apiKey { id name } scopes } }")],
    "node": [
        Probe(
            f"query ($id: ID!) {{ node(id: $id) {{ ... on Contact {{ {CONTACT} }} }} }}",
            lambda target: {"id": target.id},
        )
    ],
    "nodes": [
        Probe(
            f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Contact {{ {CONTACT} }} }} }}",
            lambda target: {"ids": [target.id, target.id]},
        )
    ],
    "contact": by_each_key(
        f"query ($by: ContactKey!) {{ contact(by: $by) {{ {CONTACT} assignments {{ kind }} }} }}"
    ),
    "contactsByKey": [
        Probe(
            f"query ($keys: [ContactKey!]!) {{ contactsByKey(keys: $keys) {{ {CONTACT} }} }}",
            lambda target: {"keys": keys(target)},
        )
    ],
    "contacts": [
        Probe(LIST),
        Probe(LIST, lambda target: {"first": 5, "after": target.cursor}),
        Probe(LIST, lambda target: {"last": 5, "before": target.cursor}),
        Probe(LIST, lambda target: {"search": target.company}),
        Probe(LIST, lambda target: {"search": target.email}),
        *by_each_filter(LIST, lambda one: {"filter": one}),
    ],
    "customFieldDefinitions": [Probe("{ customFieldDefinitions { key type label } }")],
    "tags": [
        Probe("{ tags { tag count } }"),
        Probe(
            "query ($after: String!) { tags(after: $after) { tag count } }",
            lambda target: {"after": target.tag[:-1]},
        ),
    ],
    "keys": [
        Probe("{ keys { id name prefix scopes source expiresAt } }"),
        Probe(
            f"query ($after: ID!) {{ keys(after: $after) {{ {KEY} }} }}",
            lambda target: {"after": target.key_id},
        ),
    ],
    "duplicateContacts": [
        Probe(PAIRS),
        Probe(PAIRS, lambda target: {"after": target.pair_cursor}),
    ],
    "upsertContact": [
        Probe(UPSERT, lambda target: {"input": both(target), "dryRun": True}),
        Probe(UPSERT, lambda target: {"input": both(target), "ifVersion": 1}),
        Probe(UPSERT, lambda target: {"input": both(target), "policy": {"onMiss": "CONFLICT"}}),
        Probe(UPSERT, lambda target: {"input": both(target), "policy": {"onMatch": "CONFLICT"}}),
        Probe(UPSERT, lambda target: {"input": {"email": target.email.upper(), "company": "Ours"}}),
        Probe(UPSERT, lambda target: {"input": {"externalId": target.external_id, "city": "X"}}),
        Probe(UPSERT, lambda target: {"input": {"email": target.former_email, "city": "X"}}),
        Probe(
            UPSERT,
            lambda target: {"input": OWN | {"externalId": target.external_id}, "dryRun": True},
        ),
    ],
    "upsertContacts": [
        Probe(BULK, lambda target: {"inputs": [both(target)], "policy": {"onMiss": "CONFLICT"}}),
        Probe(BULK, lambda target: {"inputs": [both(target), both(target)], "atomic": True}),
        Probe(BULK, lambda target: {"inputs": [{"email": target.email, "company": "Ours"}]}),
    ],
    "createContact": [
        Probe(CREATE, lambda target: {"input": both(target)}),
        Probe(CREATE, lambda target: {"input": both(target)}),
        Probe(CREATE, lambda target: {"input": {"email": target.former_email}}),
    ],
    "updateContact": [
        *by_each_key(UPDATE, input={"company": "Ours"}),
        *by_each_key(UPDATE, input={"company": "Ours"}, ifVersion=1),
        *by_each_key(UPDATE, input={"email": "ours@example.com"}),
    ],
    "unsubscribeContact": by_each_key(
        f"mutation ($by: ContactKey!) {{ unsubscribeContact(by: $by) {{ {CHANGED} }} }}"
    ),
    "resubscribeContact": by_each_key(
        f"mutation ($by: ContactKey!) {{ resubscribeContact(by: $by) {{ {CHANGED} }} }}"
    ),
    "assignContact": by_each_key(ASSIGN, agent={"kind": "agent", "targetId": "theirs"}),
    "unassignContact": [
        *by_each_key(UNASSIGN, agent={"kind": "agent", "targetId": "hush-agent"}),
        Probe(
            UNASSIGN,
            lambda target: {"by": OWN, "agent": {"kind": "agent", "targetId": target.agent}},
        ),
    ],
    "mergeContacts": [
        *by_each_key(MERGE, "from", into=OWN, dryRun=True),
        *by_each_key(MERGE, "into", **{"from": OWN}, dryRun=True),
        *by_each_key(MERGE, "from", into=OWN),
    ],
    "removeContactAlias": [
        *by_each_key(REMOVE_ALIAS, alias={"email": "old@example.com"}),
        Probe(
            REMOVE_ALIAS,
            lambda target: {"by": OWN, "alias": {"email": target.former_email}},
        ),
    ],
    "defineCustomField": [
        Probe(DEFINE, lambda target: {"input": {"key": target.custom_key, "type": "STRING"}}),
        Probe(DEFINE, lambda target: {"input": {"key": target.custom_key, "type": "NUMBER"}}),
    ],
    "removeCustomField": [
        Probe(
            "mutation ($key: String!) { removeCustomField(key: $key) { key type label } }",
            lambda target: {"key": target.custom_key},
        )
    ],
    "updateContacts": [
        Probe(UPDATE_MANY, lambda target: edit({"keys": keys(target)}) | {"dryRun": True}),
        *by_each_filter(UPDATE_MANY, lambda one: edit({"filter": one}) | {"dryRun": True}),
        Probe(UPDATE_MANY, lambda target: edit({"search": target.company})),
        Probe(UPDATE_MANY, lambda target: edit({"filter": filters(target)[0]})),
        Probe(UPDATE_MANY, lambda target: edit({"keys": keys(target)})),
    ],
    "deleteContacts": [
        Probe(DELETE_MANY, lambda target: {"selection": {"keys": keys(target)}, "dryRun": True}),
        *by_each_filter(DELETE_MANY, lambda one: {"selection": {"filter": one}, "dryRun": True}),
        Probe(DELETE_MANY, lambda target: {"selection": {"filter": filters(target)[0]}}),
        Probe(DELETE_MANY, lambda target: {"selection": {"keys": keys(target)}}),
    ],
    "createKey": [
        Probe(
            "mutation ($input: CreateKeyInput!) { createKey(input: $input) { apiKey { name } } }",
            lambda target: {"input": {"name": target.key_name, "scopes": ["CONTACTS_WRITE"]}},
        )
    ],
    "revokeKey": [Probe(REVOKE_KEY, lambda target: {"id": target.key_id})],
    "deleteContact": [*by_each_key(DELETE, ifVersion=1), *by_each_key(DELETE)],
}


async def settle(client: Client) -> Target:
    """Creates in the client's workspace a contact with all kinds of data, and the contact OWN."""
    named = {"external_id": "hush-1", "email": "ada@example.com", "former_email": "old@example.com"}
    await client(DEFINE, input={"key": "hush-key", "type": "STRING", "label": "Hush label"})
    for given in (
        {"email": named["email"], "externalId": named["external_id"]}
        | {"company": "Hush & Sons", "phone": "+442079460958", "tags": ["hush-tag"]}
        | {"customFields": {"hush-key": "hush-value"}},
        {"email": named["former_email"]},
        {"email": "twin@example.com", "phone": "+442079460958"},
        OWN,
    ):
        await client(CREATE, input=given)
    by = {"email": named["email"]}
    await client(MERGE, into=by, **{"from": {"email": named["former_email"]}})
    await client(ASSIGN, by=by, agent={"kind": "agent", "targetId": "hush-agent"})
    key = await client(CREATE_KEY, input={"name": "hush-key-name", "scopes": ["CONTACTS_READ"]})
    page = await client(LIST, filter={"email": {"eq": named["email"]}})
    pairs = await client(PAIRS)
    return Target(
        id=page["nodes"][0]["id"],
        cursor=page["edges"][0]["cursor"],
        pair_cursor=pairs["edges"][0]["cursor"],
        key_id=key["apiKey"]["id"],
        **named,
    )


async def everything(client: Client) -> Any:
    """All that the client's workspace holds."""
    kind = schema._schema.type_map["Contact"]
    assert isinstance(kind, GraphQLObjectType)
    leaves = (
        name for name, field in kind.fields.items() if is_leaf_type(get_named_type(field.type))
    )
    answer = await client.execute(
        f"""{{
            contacts(first: 100) {{
                totalCount
                nodes {{ {" ".join(leaves)} assignments {{ kind targetId assignedAt }} }}
            }}
            contact(by: {{email: "old@example.com"}}) {{ id }}
            customFieldDefinitions {{ key type label description }}
            tags {{ tag count }}
            keys {{ id name revokedAt }}
        }}"""
    )
    assert "errors" not in answer
    return answer["data"]


def told(answer: Any, variables: Any, target: Target) -> set[str]:
    """What the answer tells of the target that was not sent."""
    found, sent = json.dumps(answer), json.dumps(variables).lower()
    return {
        name
        for name, value in asdict(target).items()
        if value in found and value.lower() not in sent
    }
