"""Input that is too much is refused before it is work, and errors are few, short and plain."""

import json
from typing import Any

import pytest

from app.database.sessions import Database
from tests.api.test_document_limits import serving
from tests.support.client import Client
from tests.support.databases import on_sqlite

LIMIT = 250_000
NONE = "{ contacts { totalCount } }"
BULK = """
mutation ($inputs: [ContactInput!]!) {
    upsertContacts(inputs: $inputs) {
        created invalid
        rows { result { __typename ... on ContactInvalid { errors { code field message } } } }
    }
}
"""
UPSERT = "mutation ($input: ContactInput!) { upsertContact(input: $input) { __typename } }"
LIST = "query ($filter: ContactFilter) { contacts(filter: $filter) { nodes { id } } }"
DELETE = "mutation ($by: ContactSelection!) { deleteContacts(selection: $by) { deleted } }"


async def sent(client: Client, content: str | bytes) -> Any:
    headers = {"x-api-key": client.key, "content-type": "application/json"}
    response = await client.http.post("/graphql", content=content, headers=headers)
    return response.json()


def body(document: str, **variables: Any) -> str:
    return json.dumps({"query": document, "variables": variables}, separators=(",", ":"))


def emails(count: int) -> list[dict[str, Any]]:
    return [{"email": f"p{index}@example.com"} for index in range(count)]


# --- Values


TOO_MUCH: dict[str, tuple[str, dict[str, Any]]] = {
    "rows of broken tags": (BULK, {"inputs": [{"tags": [""] * 900}] * 1_000}),
    "a filter of many values": (LIST, {"filter": {"professionalId": {"in": [1] * 1_900_000}}}),
    "a contact of many tags": (UPSERT, {"input": {"tags": [""] * 1_300_000}}),
    "rows of numbers": (BULK, {"inputs": [{"customFields": {"a": [1] * 1_900}}] * 1_000}),
    "an unknown variable": (NONE, {"unknown": [[]] * 1_300_000}),
    "one too many, of scalars": (NONE, {"unknown": [1] * LIMIT}),
    "one too many, of lists": (NONE, {"unknown": [[[]]] * (LIMIT // 2)}),
    "one too many, of members": (NONE, {"unknown": [{"a": 1}] * (LIMIT // 2)}),
}


@on_sqlite
@pytest.mark.parametrize("name", TOO_MUCH)
async def test_too_many_values_are_refused_and_the_limit_named(api: Client, name: str) -> None:
    document, variables = TOO_MUCH[name]
    answer = await sent(api, body(document, **variables))
    assert "data" not in answer
    [error] = answer["errors"]
    assert error["extensions"] == {
        "code": "LIMIT_EXCEEDED",
        "limit": "MAX_VARIABLE_VALUES",
        "allowed": LIMIT,
    }
    assert "at most 250,000 values" in error["message"]
    assert "docs/api.md" in error["message"]


@on_sqlite
async def test_values_up_to_the_limit_are_taken(api: Client) -> None:
    values: list[list[Any]] = [
        [1] * (LIMIT - 2),
        [[[]]] * (LIMIT // 2 - 1),
        [{}] * (LIMIT - 2),
        ["," * 10] * (LIMIT - 2),
    ]
    for value in values:
        assert "errors" not in await sent(api, body(NONE, unknown=value))


@on_sqlite
async def test_separators_in_text_are_no_values(api: Client) -> None:
    for text in ("," * 1_000_000, '",' * 400_000, "\\," * 400_000, "[{" * 500_000, '["' * 400_000):
        assert "errors" not in await sent(api, body(NONE, unknown=text))


@on_sqlite
async def test_nested_values_are_counted_before_they_are_parsed(api: Client) -> None:
    for one in ("[" * 900 + "]" * 900, '{"":' * 900 + "1" + "}" * 900):
        lists = ",".join([one] * 400)
        answer = await sent(api, f'{{"query": "{NONE}", "extensions": {{"a": [{lists}]}}}}')
        assert answer["errors"][0]["extensions"]["limit"] == "MAX_VARIABLE_VALUES"


@on_sqlite
async def test_limit_of_values_is_a_setting(database_url: str, api: Client) -> None:
    async with serving(database_url, api, max_variable_values=4) as client:
        assert "errors" not in await sent(client, body(NONE, a=[1, 2]))
        assert "errors" not in await sent(client, body(NONE, a=1, b=2))
        for variables in ({"a": [1, 2, 3]}, {"a": [1] * 500}, {"a": 1, "b": {"c": 1}}):
            [error] = (await sent(client, body(NONE, **variables)))["errors"]
            assert error["extensions"]["allowed"] == 4
        response = await client.http.get(
            "/graphql",
            params={"query": NONE, "variables": '{"a": [1, 2, 3]}'},
            headers={"x-api-key": client.key},
        )
        assert response.json()["errors"][0]["extensions"]["limit"] == "MAX_VARIABLE_VALUES"


async def test_valid_input_of_many_values_is_stored(api: Client) -> None:
    """Its variables are coerced apart from other requests."""
    inputs = [one | {"customFields": {"a": [1] * 240}} for one in emails(100)]
    for _ in range(2):
        answer = await api(BULK, inputs=inputs)
        assert answer["invalid"] == 0
    page = await api("{ contacts(first: 1) { nodes { customFields } } }")
    assert page["nodes"] == [{"customFields": {"a": [1] * 240}}]


async def test_invalid_input_of_many_values_is_told(api: Client) -> None:
    for _ in range(2):
        errors = await api.errors(UPSERT, input={"tags": ["a"] * 30_000 + [1]})
        assert errors == [("INVALID_FORMAT", "tags[30000]")]
    many = {"email": "ada@example.com", "tags": ["a"] * 30_000}
    assert await api.errors(UPSERT, input=many) == [("TOO_MANY", "tags")]


# --- Errors


async def test_rows_after_a_hundred_errors_are_invalid_and_tell_none(
    api: Client, database: Database
) -> None:
    inputs = [{"email": f"p{i}@example.com", "tags": [""] * 30} for i in range(10)]
    answer = await api(BULK, inputs=[*inputs, {"email": "ada@example.com"}, {"email": "nobody"}])
    results = [row["result"] for row in answer["rows"]]
    told = [len(one.get("errors", ())) for one in results]
    assert told == [30, 30, 30, 10, 0, 0, 0, 0, 0, 0, 0, 0]
    kinds = [one["__typename"] for one in results]
    assert kinds == ["ContactInvalid"] * 10 + ["ContactCreated", "ContactInvalid"]
    assert (answer["created"], answer["invalid"]) == (1, 11)


async def test_tags_after_a_hundred_faults_are_not_judged(api: Client) -> None:
    errors = await api.errors(UPSERT, input={"email": "ada@example.com", "tags": [""] * 900})
    assert errors == [("INVALID_FORMAT", f"tags.{index}") for index in range(100)]


@on_sqlite
async def test_one_answer_tells_a_hundred_errors(api: Client) -> None:
    field = "upsertContact(input: $input) { __typename }"
    fields = " ".join(f"a{index}: {field}" for index in range(5))
    document = f"mutation ($input: ContactInput!) {{ {fields} }}"
    answer = await api.execute(document, input={"email": "ada@example.com", "tags": [""] * 60})
    told = [len(error["extensions"]["errors"]) for error in answer["errors"]]
    assert told == [60, 40, 0, 0, 0]
    assert all(len(error["message"]) < 1_000 for error in answer["errors"])


@on_sqlite
async def test_number_of_errors_is_a_setting(database_url: str, api: Client) -> None:
    async with serving(database_url, api, max_errors=3) as client:
        errors = await client.errors(UPSERT, input={"tags": [""] * 60})
        assert len(errors) == 3


@on_sqlite
async def test_malformed_keys_after_a_hundred_are_not_judged(api: Client) -> None:
    errors = await api.errors(DELETE, by={"keys": [{"id": "seven"}] * 900})
    assert errors == [("INVALID_FORMAT", f"selection.keys.{index}.id") for index in range(100)]


@on_sqlite
async def test_keys_of_a_path_are_cut(api: Client) -> None:
    [(_, field)] = await api.errors(
        UPSERT, input={"email": "a@example.com", "customFields": {"k" * 10_000: ["\x00"]}}
    )
    assert field == f"customFields.{'k' * 100}.0"


# --- Words


WORDS = [
    (
        UPSERT,
        {"input": {"emial": "secret"}},
        "input.emial",
        "Expected value of type 'ContactInput' not to include unknown field 'emial'. "
        "Did you mean 'email'?",
    ),
    (
        BULK,
        {"inputs": [{"email": "a@example.com"}, {"nonsense": "secret"}]},
        "[1].nonsense",
        "Expected value of type 'ContactInput' not to include unknown field 'nonsense'. "
        "Did you mean 'notes'?",
    ),
    (
        UPSERT,
        {"input": "secret"},
        "input",
        "Expected value of type 'ContactInput' to be an object.",
    ),
    (
        UPSERT,
        {"input": None},
        "input",
        "Expected value of non-null type 'ContactInput!' not to be null.",
    ),
    (UPSERT, {}, "input", "Expected a value of non-null type 'ContactInput!' to be provided."),
    (
        UPSERT,
        {"input": {"company": {"secret": 1}}},
        "company",
        "String cannot represent a non string value.",
    ),
    (
        UPSERT,
        {"input": {"ordersCount": "secret"}},
        "ordersCount",
        "Int cannot represent non-integer value.",
    ),
    (
        UPSERT,
        {"input": {"lifetimeValue": ["secret"]}},
        "lifetimeValue",
        "Float cannot represent non numeric value.",
    ),
    (
        "query ($o: ContactOrder) { contacts(orderBy: $o) { totalCount } }",
        {"o": {"field": "CREATED_A"}},
        "field",
        "Value 'CREATED_A' does not exist in 'ContactOrderField' enum. Did you mean the enum value "
        "'CREATED_AT' or 'UPDATED_AT'?",
    ),
]


@on_sqlite
@pytest.mark.parametrize(("document", "variables", "field", "message"), WORDS)
async def test_variable_that_does_not_fit_is_named_in_plain_words(
    api: Client, document: str, variables: dict[str, Any], field: str, message: str
) -> None:
    for _ in range(2):  # by graphql-core, and compiled
        [error] = (await api.execute(document, **variables))["errors"]
        [broken] = error["extensions"]["errors"]
        assert (broken["field"], broken["message"]) == (field, message)
        assert error["message"].endswith(message)
        assert "secret" not in json.dumps(error)
        assert "None" not in json.dumps(error)


@on_sqlite
async def test_literal_that_does_not_fit_is_named_in_plain_words(api: Client) -> None:
    document = 'mutation { upsertContact(input: {emial: "secret", city: "secret"}) { __typename } }'
    [error] = (await api.execute(document))["errors"]
    assert "unknown field 'emial'" in error["message"]
    assert "secret" not in json.dumps(error)


@on_sqlite
async def test_message_is_short_whatever_it_names(api: Client) -> None:
    long = "x" * 100_000
    page = "query ($o: ContactOrder) { contacts(orderBy: $o) { totalCount } }"
    calls: list[tuple[str, dict[str, Any]]] = [
        (UPSERT, {"input": {long: 1}}),
        (UPSERT, {"input": {"company": [long]}}),
        (page, {"o": {"field": long}}),
        (f"{{ {long} }}", {}),
        (f'{{ contacts(first: "{long}") {{ totalCount }} }}', {}),
        (f"{{ contacts {long} }}", {}),
        (f"{{ contacts ( }} {long} }}", {}),
    ]
    for document, variables in calls:
        answer = await api.execute(document, **variables)
        assert len(json.dumps(answer)) < 2_000, document[:50]


@on_sqlite
async def test_number_of_many_digits_is_refused_in_plain_words(api: Client) -> None:
    digits = "9" * 5_000
    page = "query ($first: Int) { contacts(first: $first) { totalCount } }"
    documents = [
        f"{{ contacts(first: {digits}) {{ totalCount }} }}",
        f"query ($n: Int = {digits}) {{ contacts(first: $n) {{ totalCount }} }}",
        f"mutation {{ upsertContact(input: {{customFields: {{a: {digits}}}}}) {{ __typename }} }}",
    ]
    contents = [
        f'{{"query": "{page}", "variables": {{"first": {digits}}}}}',
        *(json.dumps({"query": document}) for document in documents),
    ]
    for content in contents:
        answer = await sent(api, content)
        text = json.dumps(answer)
        assert answer["errors"][0]["extensions"]["code"] != "INTERNAL_SERVER_ERROR", text
        for word in ("sys", "set_int", "Exceeds", "conversion", "99999"):
            assert word not in text
