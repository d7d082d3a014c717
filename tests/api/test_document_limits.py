"""Documents that ask for too much are refused before they are validated; those of tools pass."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_introspection_query,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from app.api.graphql.execution.document_limits import Counts, document_counts
from app.server.asgi import create_app
from app.settings import Settings
from tests.support.client import Client, InProcess
from tests.support.databases import on_sqlite

RESPONSE_JSON = "application/graphql-response+json"


@asynccontextmanager
async def serving(database_url: str, api: Client, **settings: Any) -> AsyncIterator[Client]:
    """The application with limits of the test's own."""
    app = create_app(Settings(_env_file=None, database_url=database_url, **settings))
    async with app.router.lifespan_context(app), InProcess(app) as http:
        yield Client(http, api.key)


def aliases(count: int) -> str:
    return "{ viewer { " + " ".join(f"a{index}: scopes" for index in range(count)) + " } }"


def levels(count: int) -> str:
    """Only validation would know that a field of the document does not exist."""
    return "{ " + "a { " * (count - 1) + "a" + " }" * count


def root_fields(count: int) -> str:
    return "{ " + " ".join(["viewer { scopes }"] * count) + " }"


def directives(count: int) -> str:
    pairs = "... @include(if: true) @skip(if: false) { scopes } " * (count // 2)
    return "{ viewer { " + pairs + "scopes @skip(if: false) " * (count % 2) + "} }"


def operations(count: int) -> str:
    return " ".join(f"query Q{index} {{ __typename }}" for index in range(count))


def repeats(count: int) -> str:
    return "{ viewer { " + "scopes " * count + "} }"


LIMITS = {
    "aliases": (aliases, 30),
    "depth": (levels, 15),
    "root_fields": (root_fields, 20),
    "directives": (directives, 50),
    "operations": (operations, 10),
    "repeats": (repeats, 30),
}


async def refusal(client: Client, document: str, accept: str = "application/json") -> Any:
    response = await client.http.post(
        "/graphql",
        json={"query": document},
        headers={"x-api-key": client.key, "accept": accept},
    )
    assert response.status_code == (400 if accept == RESPONSE_JSON else 200)
    answer = response.json()
    assert "data" not in answer
    [error] = answer["errors"]
    return error


@on_sqlite
@pytest.mark.parametrize("name", LIMITS)
async def test_document_over_a_limit_is_refused_and_the_limit_named(
    database_url: str, api: Client, name: str
) -> None:
    document, allowed = LIMITS[name]
    setting = f"max_document_{name}"
    async with serving(database_url, api, **{setting: allowed}) as client:
        assert "LIMIT_EXCEEDED" not in json.dumps(await client.execute(document(allowed)))
        for accept in ("application/json", RESPONSE_JSON):
            error = await refusal(client, document(allowed + 1), accept)
            assert error["extensions"] == {
                "code": "LIMIT_EXCEEDED",
                "limit": setting.upper(),
                "allowed": allowed,
                "found": allowed + 1,
            }
            assert f"at most {allowed} " in error["message"]
            assert f"it has {allowed + 1}. The limit is {setting.upper()}" in error["message"]
            assert "docs/api.md" in error["message"]


@on_sqlite
@pytest.mark.parametrize("name", LIMITS)
async def test_limits_have_the_documented_defaults(api: Client, name: str) -> None:
    document, _ = LIMITS[name]
    allowed = Settings.model_fields[f"max_document_{name}"].default
    assert "LIMIT_EXCEEDED" not in json.dumps(await api.execute(document(allowed)))
    assert (await refusal(api, document(allowed + 1)))["extensions"]["code"] == "LIMIT_EXCEEDED"


@on_sqlite
async def test_document_of_too_many_tokens_is_refused_and_the_limit_named(api: Client) -> None:
    document = "{ " + "viewer { scopes } " * 250 + "}"
    error = await refusal(api, document)
    assert error["extensions"] == {
        "code": "LIMIT_EXCEEDED",
        "limit": "MAX_DOCUMENT_TOKENS",
        "allowed": 1_000,
    }
    assert "at most 1,000 tokens" in error["message"]


@on_sqlite
async def test_document_that_is_too_large_for_the_cache_is_judged_each_time(
    database_url: str, api: Client
) -> None:
    async with serving(database_url, api, max_document_tokens=100_000) as client:
        for _ in range(2):
            answer = await client.execute("{")
            assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


@on_sqlite
async def test_fragments_are_expanded_by_count(api: Client) -> None:
    doubled = " ".join(
        f"fragment F{index} on Viewer {{ ...F{index + 1} ...F{index + 1} }}" for index in range(60)
    )
    query = f"{{ viewer {{ ...F0 }} }} {doubled} fragment F60 on Viewer {{ a: scopes }}"
    error = await refusal(api, query)
    assert error["extensions"]["limit"] == "MAX_DOCUMENT_ALIASES"
    assert error["extensions"]["found"] == 1_000_000_000  # where counting ends


@on_sqlite
@pytest.mark.parametrize(
    "document",
    [
        "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }",
        "{ ...A } fragment A on Query { viewer { scopes } ...A }",
        "{ ...Nowhere }",
    ],
)
async def test_fragments_that_cannot_be_expanded_are_left_to_validation(
    api: Client, document: str
) -> None:
    error = (await api.execute(document))["errors"][0]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


INTROSPECTION = [
    get_introspection_query(),
    get_introspection_query(descriptions=False),
    get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    ),
]


@on_sqlite
@pytest.mark.parametrize("query", INTROSPECTION)
async def test_introspection_of_tools_passes(api: Client, query: str) -> None:
    """GraphiQL and the generators of code send the query of graphql-js, whose Python port this
    is."""
    assert "__schema" in (await api.execute(query))["data"]


@on_sqlite
async def test_introspection_is_bounded(api: Client) -> None:
    repeated = " ".join(
        f"a{index}: fields {{ type {{ fields {{ name }} }} }}" for index in range(9)
    )
    error = await refusal(api, f"{{ __schema {{ types {{ {repeated} }} }} }}")
    assert error["extensions"]["limit"] == "MAX_OPERATION_COST"


# --- Counting is expansion


names = st.sampled_from("abc")


@st.composite
def documents(draw: st.DrawFn) -> DocumentNode:
    """Each fragment spreads only later ones."""
    size = draw(st.integers(0, 4))

    def selection(first: int, depth: int = 0) -> str:
        kinds = ["field", "directive", "alias"]
        kinds += ["below", "inline"] if depth < 3 else []
        kinds += ["spread"] if first < size else []
        parts = []
        for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4)):
            name = draw(names)
            match kind:
                case "field":
                    parts.append(name)
                case "directive":
                    parts.append(f"{name} @skip(if: false) @include(if: true)")
                case "alias":
                    parts.append(f"x: {name}")
                case "below":
                    parts.append(f"{name} {selection(first, depth + 1)}")
                case "inline":
                    parts.append(f"... @skip(if: false) {selection(first, depth + 1)}")
                case "spread":
                    parts.append(f"...F{draw(st.integers(first, size - 1))} @skip(if: false)")
        return "{ " + " ".join(parts) + " }"

    queries = [f"query Q{index} {selection(0)}" for index in range(draw(st.integers(1, 2)))]
    fragments = [f"fragment F{index} on T {selection(index + 1)}" for index in range(size)]
    return parse(" ".join([*queries, *fragments]))


def expanded(
    selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], depth: int
) -> list[tuple[int, int, int, int]]:
    """Of each node: its depth, and whether it is a root field and has an alias and directives."""
    found = []
    for node in selections.selections:
        directives = len(node.directives or ())
        if isinstance(node, FieldNode):
            is_root = int(depth == 1)
            found.append((depth, is_root, int(node.alias is not None), directives))
            if node.selection_set:
                found += expanded(node.selection_set, fragments, depth + 1)
        elif isinstance(node, FragmentSpreadNode):
            found.append((0, 0, 0, directives))
            found += expanded(fragments[node.name.value].selection_set, fragments, depth)
        elif isinstance(node, InlineFragmentNode):
            found.append((0, 0, 0, directives))
            found += expanded(node.selection_set, fragments, depth)
    return found


@given(document=documents())
def test_counts_are_those_of_the_expanded_document(document: DocumentNode) -> None:
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    queries = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    nodes = [node for one in queries for node in expanded(one.selection_set, fragments, 1)]
    depths, roots, with_alias, directives = zip(*nodes, strict=True)
    assert document_counts(queries, fragments.values()) == Counts(
        max(depths), sum(roots), sum(with_alias), sum(directives)
    )
