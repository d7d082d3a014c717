"""Which operations are compiled, and what their resolvers are told."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLObjectType, execute
from strawberry.types.field import StrawberryField

from app.api.graphql.context import Context, Info
from app.api.graphql.execution import execute as execution
from app.api.graphql.execution.documents import Document, Documents
from app.api.graphql.execution.execute import Executor
from app.api.graphql.execution.operation import Compiler
from app.api.graphql.schema import schema
from app.errors import Unavailable
from app.tables import Contact
from tests.support.outcomes import CALLER, WHOLE

FIELDS = "id externalId email firstName lastName company city country tags customFields version"
MANY = f"{FIELDS} name prefix suffix phone phoneE164 jobTitle notes addressLine1 addressLine2 state"
TEN_ALIASES = " ".join(f"a{i}: contact(by: {{id: $id}}) {{ {FIELDS} }}" for i in range(10))
WORKLOADS = {
    "one contact": f"query ($id: ID!) {{ contact(by: {{id: $id}}) {{ {FIELDS} }} }}",
    "one contact by a key": f"query ($by: ContactKey!) {{ contact(by: $by) {{ {FIELDS} }} }}",
    "page": f"""
        query ($first: Int!, $after: String) {{
          contacts(first: $first, after: $after) {{
            edges {{ cursor node {{ {FIELDS} }} }} pageInfo {{ hasNextPage endCursor }}
          }}
        }}""",
    "upsert": """
        mutation ($input: ContactInput!) {
          upsertContact(input: $input) {
            __typename
            ... on ContactCreated { contact { ...Fields } warnings { code message } }
            ... on ContactUpdated { contact { ...Fields } changes { path before after } }
            ... on ContactConflict { message reasons { code identifier contact { id } } }
          }
        }
        fragment Fields on Contact { id version }""",
    "bulk": """
        mutation ($inputs: [ContactInput!]!) {
          upsertContacts(inputs: $inputs) {
            created updated unchanged
            rows { index result { __typename ... on ContactInvalid { errors { field } } } }
          }
        }""",
    "ten aliases": f"query ($id: ID!) {{ {TEN_ALIASES} }}",
    "interface": 'query { node(id: "x") { id ... on Contact { email } } }',
    "filter": """
        query ($filter: ContactFilter, $text: String) {
          contacts(filter: $filter) { nodes { email } }
          other: contacts(filter: {or: [{email: {eq: $text}}, {tags: {hasAny: ["a"]}}]}) {
            nodes { email @include(if: true) name @skip(if: true) }
          }
        }""",
}
LEFT_TO_GRAPHQL_CORE = {
    "a field that waits": "{ contacts { totalCount } }",
    "introspection": "{ __schema { queryType { name } } }",
    "a directive with a variable": """
        query ($all: Boolean!) { viewer { scopes @include(if: $all) } }""",
    "a variable in a JSON value": """
        mutation ($plan: JSON) {
          createContact(input: {email: "a@example.com", customFields: {plan: $plan}}) {
            __typename
          }
        }""",
    "more fields than tokens, by fragments": f"""
        {{ contacts {{ {" ".join(f"a{i}: nodes {{ ...F }}" for i in range(30))} }} }}
        fragment F on Contact {{ {MANY} }}""",
}


def prepared(text: str) -> Document:
    document = Documents(schema._schema, introspection=True).prepare(text)
    assert not document.errors, document.errors
    return document


def is_compiled(text: str) -> bool:
    document = prepared(text)
    operation = document.operation(None)
    assert operation is not None
    compiler = Compiler(schema)
    assert document.compiled(operation, compiler) is None, "it might never come again"
    return document.compiled(operation, compiler) is not None


@pytest.mark.parametrize("name", WORKLOADS)
def test_operation_is_compiled(name: str) -> None:
    assert is_compiled(WORKLOADS[name])


@pytest.mark.parametrize("name", LEFT_TO_GRAPHQL_CORE)
def test_operation_is_left_to_graphql_core(name: str) -> None:
    assert not is_compiled(LEFT_TO_GRAPHQL_CORE[name])


def documents_of_the_readme() -> Iterator[str]:
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text()
    for quoted in re.findall(r'"query": "((?:[^"\\]|\\.)*)"', readme):
        yield quoted.replace('\\"', '"')


def test_operations_of_the_readme_are_compiled_unless_they_count() -> None:
    found = list(documents_of_the_readme())
    assert len(found) > 4
    assert [text for text in found if not is_compiled(text) and "totalCount" not in text] == []


SELECTED = {
    '{ contact(by: {id: "x"}) { id a: email displayName } }': {
        *("id", "email", "name", "first_name", "last_name")
    },
    '{ node(id: "x") { id ... on Contact { externalId metadata } } }': {
        *("id", "external_ids", "meta")
    },
    "{ contacts { edges { node { id } } nodes { ...F } } } fragment F on Contact { tags }": {
        *("id", "tags")
    },
    "{ contactsByKey(keys: []) { __typename } }": set(),
    "{ viewer { scopes } }": set(),
}


@pytest.mark.parametrize("text", SELECTED)
async def test_resolver_is_told_which_attributes_of_contacts_the_answer_reads(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[frozenset[str]] = []

    async def resolver(_: None, info: Info, **arguments: Any) -> None:
        told.append(info.contact_attributes)

    query = schema._schema.query_type
    assert query is not None
    for field in query.fields.values():
        definition = field.extensions["strawberry-definition"]
        monkeypatch.setattr(definition.base_resolver, "wrapped_func", resolver)
    document, context = prepared(text), Context(None, CALLER)  # type: ignore[arg-type]  # unused
    operation = document.operation(None)
    assert operation is not None
    assert document.ast is not None
    result: Any = execute(schema._schema, document.ast, context_value=context)
    await result
    executor = Executor(schema, hide_suggestions=False)
    for _ in range(2):
        await executor.execute(document, operation, {}, context)
    assert told == [SELECTED[text]] * 3


Resolve = Callable[..., Awaitable[Any]]


@pytest.fixture
def resolve_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Resolve], None]:
    """Lets one function stand in for all resolvers, and graphql-core execute nothing."""

    def resolve_by(resolver: Resolve) -> None:
        for root in (schema._schema.query_type, schema._schema.mutation_type):
            assert root is not None
            for field in root.fields.values():
                definition = field.extensions["strawberry-definition"]
                monkeypatch.setattr(definition.base_resolver, "wrapped_func", resolver)
        monkeypatch.setattr(execution, "execute_root_selection_set", None)

    return resolve_by


async def answer(text: str) -> ExecutionResult:
    document, compiler = prepared(text), Compiler(schema)
    operation = document.operation(None)
    assert operation is not None
    for _ in range(2):
        document.compiled(operation, compiler)
    context = Context(None, CALLER)  # type: ignore[arg-type]  # unused
    executor = Executor(schema, hide_suggestions=False)
    return await executor.execute(document, operation, {}, context)


async def test_error_of_a_resolver_is_located_without_graphql_core(
    resolve_by: Callable[[Resolve], None],
) -> None:
    async def resolver(_: None, info: Info, **arguments: Any) -> Any:
        if arguments:
            raise Unavailable("The database cannot be reached.")

    resolve_by(resolver)
    result = await answer('{ viewer { scopes } a: node(id: "x") { id } b: node(id: "y") { id } }')
    assert result.data == {"viewer": None, "a": None, "b": None}
    assert result.errors is not None
    assert [error.path for error in result.errors] == [["a"], ["b"]]
    assert all(isinstance(error.original_error, Unavailable) for error in result.errors)


async def test_only_root_field_runs_in_the_task_of_its_request(
    resolve_by: Callable[[Resolve], None],
) -> None:
    tasks: list[Any] = []

    async def resolver(_: None, info: Info, **arguments: Any) -> None:
        tasks.append(asyncio.current_task())

    resolve_by(resolver)
    await answer("{ viewer { scopes } }")
    assert tasks == [asyncio.current_task()]


async def test_root_fields_of_a_query_run_at_the_same_time(
    resolve_by: Callable[[Resolve], None],
) -> None:
    both = asyncio.Barrier(2)

    async def resolver(_: None, info: Info, **arguments: Any) -> None:
        await both.wait()

    resolve_by(resolver)
    result = await answer("{ a: viewer { scopes } b: viewer { scopes } }")
    assert result == ExecutionResult({"a": None, "b": None}, None)


async def test_root_fields_of_a_mutation_run_one_after_another(
    resolve_by: Callable[[Resolve], None],
) -> None:
    steps: list[str] = []

    async def resolver(_: None, info: Info, key: str) -> None:
        steps.append(f"{key} begins")
        await asyncio.sleep(0)
        steps.append(f"{key} ends")

    resolve_by(resolver)
    await answer(
        'mutation { a: removeCustomField(key: "a") { key } b: removeCustomField(key: "b") { key } }'
    )
    assert steps == ["a begins", "a ends", "b begins", "b ends"]


async def test_cancelled_query_cancels_its_resolvers(
    resolve_by: Callable[[Resolve], None],
) -> None:
    cancelled: list[bool] = []
    begun = asyncio.Barrier(3)

    async def resolver(_: None, info: Info, **arguments: Any) -> None:
        await begun.wait()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    resolve_by(resolver)
    running = asyncio.create_task(answer("{ a: viewer { scopes } b: viewer { scopes } }"))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert cancelled == [True, True]


class Spy:
    """A record that notes which of its attributes are read."""

    def __init__(self) -> None:
        self.record = Contact.model_construct(
            **{name: one.get_default(call_default_factory=True) for name, one in ATTRIBUTES} | WHOLE
        )
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name == "display_name":
            return Contact.display_name.fget(self)  # type: ignore[attr-defined]  # a property
        self.read.add(name)
        return getattr(self.record, name)


ATTRIBUTES = list(Contact.model_fields.items())


def contact_fields() -> dict[str, StrawberryField]:
    kind = schema._schema.type_map["Contact"]
    assert isinstance(kind, GraphQLObjectType)
    return {name: field.extensions["strawberry-definition"] for name, field in kind.fields.items()}


@pytest.mark.parametrize("name", contact_fields())
async def test_field_of_a_contact_reads_the_attributes_that_it_declares(name: str) -> None:
    field = contact_fields()[name]
    declared = field.metadata.get("reads", {field.python_name})
    spy = Spy()
    if field.base_resolver is None:
        getattr(spy, field.python_name)
    elif field.base_resolver.info_parameter is None:
        field.base_resolver(spy)  # type: ignore[arg-type]  # stands in for a record
    else:
        info = Info(_raw_info=RawInfo(), _field=field)  # type: ignore[arg-type]  # nor is more read
        field.base_resolver(spy, info)  # type: ignore[arg-type]  # nor here
    assert spy.read <= set(declared)


class RawInfo:
    context = Context(None, CALLER)  # type: ignore[arg-type]  # no database is read
