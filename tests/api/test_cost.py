"""The cost of an operation: told with every answer, and refused before anything is executed."""

from typing import Any

import pytest
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, get_named_type

from app.api.graphql.execution.cost.prices import price_of
from app.api.graphql.schema import schema
from app.database.sessions import Database
from tests.api.test_document_limits import RESPONSE_JSON, serving
from tests.support.client import Client
from tests.support.databases import on_sqlite
from tests.support.statements import statements

CONTACT = schema._schema.get_type("Contact")
assert isinstance(CONTACT, GraphQLObjectType)
SCALARS = " ".join(
    name
    for name, field in CONTACT.fields.items()
    if not isinstance(get_named_type(field.type), GraphQLObjectType)
)
EVERY = f"""
{SCALARS} externalIds {{ source value }} aliases {{ kind source value }}
assignments {{ kind targetId assignedAt }}
"""
PAGE = f"contacts(first: 100) {{ nodes {{ {EVERY} }} pageInfo {{ hasNextPage endCursor }} }}"
USUAL = """
created updated
rows {
  index
  result {
    __typename
    ... on ContactCreated { contact { id externalId email customFields version } }
    ... on ContactUpdated { contact { id version } changes { path before after } }
    ... on ContactConflict { message reasons { code identifier contact { id email } } }
    ... on ContactInvalid { errors { code field message } }
  }
}
"""
ALL_SCALARS = f"rows {{ result {{ ... on ContactCreated {{ contact {{ {SCALARS} }} }} }} }}"


async def ask(client: Client, document: str, **variables: Any) -> Any:
    """The whole answer."""
    response = await client.http.post(
        "/graphql",
        json={"query": document, "variables": variables},
        headers={"x-api-key": client.key},
    )
    return response.json()


async def cost(client: Client, document: str, **variables: Any) -> int:
    answer = await ask(client, document, **variables)
    assert "errors" not in answer, answer
    points: int = answer["extensions"]["cost"]
    return points


async def refused(client: Client, document: str, **variables: Any) -> int:
    answer = await ask(client, document, **variables)
    assert "data" not in answer
    [error] = answer["errors"]
    found: int = error["extensions"]["found"]
    assert error["extensions"] == {
        "code": "LIMIT_EXCEEDED",
        "limit": "MAX_OPERATION_COST",
        "allowed": 50_000,
        "found": found,
    }
    assert "at most 50,000 points" in error["message"]
    assert f"it has {found:,}" in error["message"]
    assert answer["extensions"] == {"cost": found}
    return found


def rows(count: int) -> list[dict[str, str]]:
    return [{"email": f"p{index}@example.com"} for index in range(count)]


def bulk(selection: str, times: int = 1) -> str:
    fields = " ".join(
        f"a{index}: upsertContacts(inputs: $inputs, dryRun: true) {{ {selection} }}"
        for index in range(times)
    )
    return f"mutation ($inputs: [ContactInput!]!) {{ {fields} }}"


def times(count: int, field: str) -> str:
    return "{ " + " ".join(f"a{index}: {field}" for index in range(count)) + " }"


# --- What passes, and what does not


@on_sqlite
async def test_full_page_of_every_field_passes_and_ten_do_not(api: Client) -> None:
    page = await cost(api, times(1, PAGE))
    assert await refused(api, times(10, PAGE)) == 10 * page


@on_sqlite
@pytest.mark.parametrize("selection", [USUAL, ALL_SCALARS], ids=["usual", "all scalars"])
async def test_full_bulk_passes_and_ten_do_not(api: Client, selection: str) -> None:
    full = await cost(api, bulk(selection), inputs=rows(1_000))
    assert await refused(api, bulk(selection, 10), inputs=rows(1_000)) == 10 * full


@on_sqlite
async def test_ten_bulks_that_answer_nearly_nothing_do_not_pass(api: Client) -> None:
    await cost(api, bulk("created"), inputs=rows(1_000))
    await refused(api, bulk("created", 10), inputs=rows(1_000))


@on_sqlite
async def test_many_counts_do_not_pass(api: Client) -> None:
    counts = " ".join(f"a{index}: totalCount" for index in range(30))
    await cost(api, "{ contacts { totalCount totalCountIsExact } }")
    await refused(api, f"{{ contacts {{ {counts} }} }}")
    await refused(api, times(20, "contacts { totalCount }"))


@on_sqlite
async def test_many_documents_of_json_do_not_pass(api: Client) -> None:
    """Each has up to 64 KiB."""
    field = "contactsByKey(keys: $keys) { customFields }"
    fields = " ".join(f"a{index}: {field}" for index in range(10))
    document = f"query ($keys: [ContactKey!]!) {{ {fields} }}"
    await refused(api, document, keys=rows(100))
    await cost(api, document, keys=rows(10))


@on_sqlite
async def test_many_conditions_do_not_pass(api: Client) -> None:
    contains = {"or": [{"name": {"contains": f"q{index}"}} for index in range(90)]}
    field = "contacts(filter: $filter) { nodes { id } }"
    lists = " ".join(f"a{index}: {field}" for index in range(20))
    document = f"query ($filter: ContactFilter) {{ {lists} }}"
    await refused(api, document, filter=contains)
    await refused(api, document, filter={"or": [{}] * 30})
    await refused(api, document, filter={"id": {"in": ["a"] * 5_000}})


@on_sqlite
async def test_many_inputs_are_refused_before_they_are_read(api: Client) -> None:
    await refused(api, bulk("created"), inputs=[{}] * 100_000)
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    await refused(api, document, ids=["a"] * 100_000)


async def test_operation_that_costs_too_much_executes_nothing(
    api: Client, database: Database
) -> None:
    document = bulk("created", 10).replace(", dryRun: true", "")
    with statements() as seen:
        await refused(api, document, inputs=rows(1_000))
    assert [one for one in seen if "contact" in one.lower() and "api_key" not in one] == []
    assert (await api("{ contacts { totalCount } }"))["totalCount"] == 0


@on_sqlite
async def test_limit_is_a_setting(database_url: str, api: Client) -> None:
    async with serving(database_url, api, max_operation_cost=10) as client:
        assert "errors" not in await ask(client, "{ viewer { scopes } }")
        [error] = (await ask(client, "{ contacts { nodes { id } } }"))["errors"]
        assert (error["extensions"]["allowed"], error["extensions"]["found"]) == (10, 153)
        response = await client.http.post(
            "/graphql",
            json={"query": "{ contacts { nodes { id } } }"},
            headers={"x-api-key": client.key, "accept": RESPONSE_JSON},
        )
        assert response.status_code == 400


# --- How it is computed


SAME_COST = [
    (
        "query ($first: Int, $filter: ContactFilter) "
        "{ contacts(first: $first, filter: $filter) { nodes { id email } } }",
        {"first": 7, "filter": {"email": {"eq": "a"}, "tags": {"hasAny": ["a", "b"]}}},
        '{ contacts(first: 7, filter: {email: {eq: "a"}, tags: {hasAny: ["a", "b"]}}) '
        "{ nodes { id email } } }",
    ),
    (
        "query ($email: String) { contacts(filter: {email: {eq: $email}}) { nodes { id } } }",
        {"email": "a"},
        '{ contacts(filter: {email: {eq: "a"}}) { nodes { id } } }',
    ),
    (
        "query ($last: Int = 9) { contacts(last: $last) { nodes { id } } }",
        {},
        "{ contacts(last: 9) { nodes { id } } }",
    ),
    (
        "query ($first: Int) { contacts(first: $first) { nodes { id } } }",
        {},
        "{ contacts { nodes { id } } }",
    ),
    (
        "query ($keys: [ContactKey!]!) { contactsByKey(keys: $keys) { id } }",
        {"keys": [{"email": "a@example.com"}] * 3},
        '{ contactsByKey(keys: [{email: "a@example.com"}, {email: "a@example.com"}, '
        '{email: "a@example.com"}]) { id } }',
    ),
    (
        "mutation ($by: ContactSelection!) { deleteContacts(selection: $by) { deleted } }",
        {"by": {"keys": [{"email": "a@example.com"}]}},
        'mutation { deleteContacts(selection: {keys: [{email: "a@example.com"}]}) { deleted } }',
    ),
    (
        "mutation ($by: ContactSelection!) { updateContacts(selection: $by) { rows { index } } }",
        {"by": {"filter": {"email": {"eq": "a@example.com"}}, "search": "ada"}},
        'mutation { updateContacts(selection: {filter: {email: {eq: "a@example.com"}}, '
        'search: "ada"}) { rows { index } } }',
    ),
    (
        "query ($f: ContactFilter!) { contacts(first: 1, filter: {and: [$f]}) { nodes { id } } }",
        {"f": {"customFields": [{"key": "a", "number": {"gt": 1}}]}},
        '{ contacts(first: 1, filter: {and: [{customFields: [{key: "a", number: {gt: 1}}]}]}) '
        "{ ...N } } fragment N on ContactConnection { ... { nodes { id } } }",
    ),
]


@on_sqlite
@pytest.mark.parametrize(("document", "variables", "literal"), SAME_COST)
async def test_variables_cost_what_literals_cost(
    api: Client, document: str, variables: dict[str, Any], literal: str
) -> None:
    assert await cost(api, document, **variables) == await cost(api, literal)


@on_sqlite
async def test_cost_grows_with_rows_and_fields(api: Client) -> None:
    page = "query ($first: Int!) {{ contacts(first: $first) {{ nodes {{ {} }} }} }}"
    one = await cost(api, page.format("id"), first=1)
    assert await cost(api, page.format("id"), first=100) == one + 99 * 3
    assert await cost(api, page.format("id email name"), first=100) == one + 99 * 3 + 100 * 2


@on_sqlite
async def test_of_the_members_of_a_union_the_most_expensive_counts(api: Client) -> None:
    created = "... on ContactCreated { contact { id email name } }"
    conflict = "... on ContactConflict { message }"
    upsert = 'mutation {{ upsertContact(input: {{email: "a@example.com"}}) {{ {} }} }}'
    both = await cost(api, upsert.format(created + conflict))
    assert both == await cost(api, upsert.format(created))


def test_root_field_with_rows_says_how_many() -> None:
    """A field that was forgotten would be as cheap as one contact."""
    silent = [
        name
        for root in (schema._schema.query_type, schema._schema.mutation_type)
        if root is not None
        for name, field in root.fields.items()
        if price_of(field).rows is None
        and (
            "first" in field.args
            or isinstance(field.type, GraphQLList)
            or any(is_list_of_objects(argument.type) for argument in field.args.values())
        )
    ]
    assert silent == []


def is_list_of_objects(kind: Any) -> bool:
    kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return isinstance(kind, GraphQLList) and hasattr(get_named_type(kind), "fields")
