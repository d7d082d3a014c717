"""What README.md and docs/ say is so: their commands are run and their tables compared."""

import asyncio
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import httpx
import orjson
import pytest
import typer.main
from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    OperationDefinitionNode,
    build_schema,
    parse,
)
from pydantic.alias_generators import to_camel

from app.cli import cli
from app.contacts.decision.policy import DEFAULT_POLICY, UpsertPolicy
from app.contacts.listing.order import Direction, OrderField
from app.errors import CommandFailed, FieldErrorCode, RollcallError
from app.server.asgi import create_app
from app.settings import Settings
from app.workspaces.keys import HELD_SECONDS, new_key
from tests.support.examples import Generated, examples, run
from tests.support.mirrors import difference
from tests.support.programs import program
from tests.support.server import Server

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
DOCUMENTS = [README, *sorted((ROOT / "docs").glob("*.md"))]
API = ROOT / "docs" / "api.md"
FIRST_TAB = ROOT / "app" / "graphiql" / "first-tab.graphql"
RUN = [
    *(README, FIRST_TAB, ROOT / "docs" / "five-systems.md", API),
    ROOT / "docs" / "import-export.md",
]
SCHEMA = build_schema((ROOT / "schema.graphql").read_text())

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, ENVIRONMENT="development")
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("documents", [RUN, RUN[::-1]], ids=["in order", "in reverse order"])
def test_commands_are_answered_as_written(documents: list[Path], server: Server) -> None:
    """One after another on one database, so that each document must use names of its own."""
    program("curl")
    for document in documents:
        if document == FIRST_TAB:
            check_first_tab(server)
        else:
            check_examples(server, document)


def check_examples(server: Server, document: Path) -> None:
    written, seen = Generated(), Generated()
    found = examples(document)
    assert found
    for example in found:
        sent = seen.sent_by(written, example.command)
        answer = run(server, sent.replace("http://127.0.0.1:8000", server.url))
        wanted = written.name(_compact(example.answer), example.command)
        if '"cost"' not in wanted:  # which nearly all examples leave out
            answer = _without_cost(answer)
        assert seen.name(_compact(answer), sent) == wanted, f"{document.name}:{example.line}"


def check_first_tab(server: Server) -> None:
    """The first tab of GraphiQL, as its comments describe it."""
    document = FIRST_TAB.read_text()

    def answer(operation: str) -> Any:
        told = httpx.post(
            f"{server.url}/graphql",
            json={"query": document, "operationName": operation},
            headers={"x-api-key": server.key},
        ).json()
        assert "errors" not in told
        [data] = told["data"].values()
        return data

    created, updated = answer("UpsertContact"), answer("UpsertContact")
    assert created["__typename"] == "ContactCreated"
    assert (updated["__typename"], updated["changes"]) == ("ContactUpdated", [])
    assert updated["contact"] == created["contact"]
    assert answer("ListContacts")["nodes"][0]["id"] == created["contact"]["id"]


def test_every_root_field_has_an_example() -> None:
    shown = {
        field
        for document in RUN
        for example in examples(document)
        if "curl " in example.command
        for field in root_fields(example.command)
    }
    assert difference("The documentation by example", shown, root_field_names()) == []


def test_every_root_field_is_in_the_table_of_calls() -> None:
    named = [name for row in table("To") for name in re.findall(r"`(\w+)`", row[1])]
    fields = {name.partition(".")[2] for name in root_field_names()}
    assert difference("README's table of all calls", set(named) - {"aliases"}, fields) == []


@pytest.mark.parametrize(
    ("row", "inputs"),
    [
        ("text", ["StringFilter"]),
        ("`id`, `professionalId`", ["IDFilter"]),
        ("numbers", ["IntFilter", "FloatFilter"]),
        ("timestamps", ["DateTimeFilter"]),
        ("`tags`", ["TagsFilter"]),
        ("`customFields`", ["CustomFieldFilter"]),
        ("`assignedTo`", ["AssigneeInput"]),
    ],
)
def test_every_condition_of_a_filter_is_in_the_docs(row: str, inputs: list[str]) -> None:
    [conditions] = [cells[1] for cells in table("Field", API) if cells[0] == row]
    named = re.findall(r"`(\w+)`", conditions)
    for name in inputs:
        members = filter_members(name)
        assert difference(f"The row {row} of docs/api.md", named, members) == [], name


def test_links_have_targets() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
            path, _, anchor = target.partition("#")
            file = (document.parent / path) if path else document
            assert file.exists(), target
            assert not anchor or anchor in _anchors(file), target


def test_settings_table_is_the_settings() -> None:
    rows = {name: default for name, default, _ in table("Setting")}
    assert rows == {
        f"`{name.upper()}`": "none" if field.default in ((), None) else f"`{field.default}`"
        for name, field in Settings.model_fields.items()
    }


def test_commands_table_is_the_command_line() -> None:
    written = {re.sub(r" (?=-|\[|[A-Z]).*", "", usage): usage for (usage,) in _codes("Command")}
    commands = dict(_commands("rollcall", typer.main.get_command(cli)))
    assert list(written) == list(commands)
    for path, parameters in commands.items():
        usage = path
        for one in parameters:
            word = one.metavar or one.name.upper()
            if one.param_type_name == "option":
                word = one.opts[0] if one.is_flag else f"{one.opts[0]} {word}"
            usage += f" {word}" if one.required else f" [{word}]"
        assert _without_values(written[path]) == _without_values(usage)


def test_scripts_table_is_the_folder() -> None:
    assert sorted(name for (name,) in _codes("Script")) == sorted(
        f"scripts/{path.name}" for path in (ROOT / "scripts").iterdir()
    )


def test_policy_table_is_the_policy() -> None:
    types = get_type_hints(UpsertPolicy)
    rows = {row[0]: re.findall(r"`([^`]+)`", row[1]) for row in table("Member")}
    assert list(rows) == [f"`{to_camel(name)}`" for name in types]
    for (name, kind), values in zip(types.items(), rows.values(), strict=True):
        default = getattr(DEFAULT_POLICY, name)
        if isinstance(default, bool):
            assert values == ["false", "true"], name
        elif isinstance(default, Enum):
            others = [member.name for member in kind if member is not default]
            assert values == [default.name, *others], name
        else:
            names = [member.name for member in default]
            [members, _] = get_args(kind)
            assert values[0] == f"[{', '.join(names)}]", name
            assert [*names, *values[1:]] == [member.name for member in members], name


def test_orders_are_those_of_the_schema() -> None:
    orders = re.search(r"`orderBy`\*\* takes (.+?)\.", README.read_text())
    assert orders
    names = [value.name for value in (*OrderField, *Direction)]
    assert sorted(re.findall(r"`([A-Z_]+)`", orders[1])) == sorted(names)


def test_error_table_has_every_code() -> None:
    raised = codes_of(RollcallError) - {CommandFailed.code}
    prepared = {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "INTERNAL_SERVER_ERROR"}
    rows = table("Code")
    assert {row[0].strip("`") for row in rows} == raised | prepared
    [broken] = [row[1] for row in rows if "{code, field, message}" in row[1]]
    named = re.findall(r"`([A-Z_]+)`", broken)
    assert named == [code.value for code in FieldErrorCode]


def codes_of(kind: type[RollcallError]) -> set[str]:
    below = kind.__subclasses__()
    return {code for one in below for code in codes_of(one)} if below else {kind.code}


def test_error_table_has_the_statuses(live_server: Server) -> None:
    made = live_server.rollcall(
        *["key", "create", "--workspace", "demo", "--name", "reader", "--scope", "contacts:read"]
    )
    upsert = "mutation ($input: ContactInput!) { upsertContact(input: $input) { __typename } }"
    requests: list[tuple[str, str, Any]] = [
        ("no key", "UNAUTHENTICATED", {"query": "{ __typename }"}),
        (live_server.key, "BAD_REQUEST", {"query": 1}),
        (live_server.key, "GRAPHQL_PARSE_FAILED", {"query": "{"}),
        (live_server.key, "GRAPHQL_VALIDATION_FAILED", {"query": "{ nothing }"}),
        (live_server.key, "LIMIT_EXCEEDED", {"query": "{ a " * 16 + "}" * 16}),
        (live_server.key, "BAD_USER_INPUT", {"query": upsert, "variables": {"input": 1}}),
        (live_server.key, "BAD_USER_INPUT", {"query": upsert, "variables": {"input": {}}}),
        (made.stdout.strip(), "FORBIDDEN", {"query": upsert, "variables": {"input": {}}}),
        (live_server.key, "PERSISTED_QUERY_NOT_SUPPORTED", {"documentId": "x"}),
    ]
    for row, (key, code, body) in zip(table("Code"), requests, strict=False):
        for media_type, status in ((JSON, row[2]), (RESPONSE_JSON, row[3])):
            answer = httpx.post(
                f"{live_server.url}/graphql",
                json=body,
                headers={"x-api-key": key, "accept": media_type},
            )
            seen = answer.json()["errors"][0]["extensions"]["code"]
            assert (seen, str(answer.status_code)) == (code, status), row
            assert row[0] == f"`{code}`"


def test_unexpected_errors_have_a_request_id(server: Server) -> None:
    for broken, status in (("contact", 200), ("api_key", 500)):
        with closing(sqlite3.connect(server.folder / "rollcall.db")) as database:
            database.execute(f"DROP TABLE {broken}")
        time.sleep(HELD_SECONDS)  # for which the key is known
        answer = httpx.post(
            f"{server.url}/graphql",
            json={"query": '{ contact(by: {id: "00000000-0000-7000-8000-000000000000"}) { id } }'},
            headers={"x-api-key": server.key},
        )
        extensions = answer.json()["errors"][0]["extensions"]
        assert answer.status_code == status
        assert extensions["code"] == "INTERNAL_SERVER_ERROR"
        assert extensions["requestId"] == answer.headers["x-request-id"]
        assert extensions["requestId"] in server.log


def test_unreachable_database_is_unavailable() -> None:
    nowhere = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
    app = create_app(Settings(_env_file=None, database_url=nowhere))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://rollcall.test") as http:
            headers = {"x-api-key": new_key()}
            return await http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)

    answer = asyncio.run(ask())
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


def root_fields(command: str) -> Iterator[str]:
    """Of the operations that a curl command sends, such as `Query.contact`."""
    body = command.partition(" -d '")[2].rpartition("'")[0].replace("'", "")
    for definition in parse(orjson.loads(body)["query"]).definitions:
        if isinstance(definition, OperationDefinitionNode):
            for selection in definition.selection_set.selections:
                assert isinstance(selection, FieldNode)
                yield f"{definition.operation.value.capitalize()}.{selection.name.value}"


def filter_members(name: str) -> set[str]:
    found = SCHEMA.type_map[name]
    assert isinstance(found, GraphQLInputObjectType)
    return set(found.fields)


def root_field_names() -> set[str]:
    """Such as `Query.contact`."""
    roots = [kind for kind in (SCHEMA.query_type, SCHEMA.mutation_type) if kind is not None]
    return {f"{kind.name}.{field}" for kind in roots for field in kind.fields}


def table(header: str, document: Path = README) -> list[list[str]]:
    """The rows of a document's table whose first column has that header."""
    _, _, rest = document.read_text().partition(f"\n| {header} |")
    lines = rest.split("\n\n")[0].splitlines()[2:]
    assert lines, header
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def _codes(header: str) -> list[list[str]]:
    return [re.findall(r"`([^`]+)`", row[0]) for row in table(header)]


def _without_values(usage: str) -> str:
    return re.sub(r"(--[\w-]+) [A-Z]+", r"\1", usage)


def _compact(answer: str) -> str:
    return orjson.dumps(orjson.loads(answer)).decode() if answer.startswith("{") else answer


def _without_cost(answer: str) -> str:
    if not answer.startswith("{"):
        return answer
    told = orjson.loads(answer)
    told.pop("extensions", None)
    return orjson.dumps(told).decode()


def _commands(path: str, command: Any) -> Iterator[tuple[str, list[Any]]]:
    if children := getattr(command, "commands", None):
        for name, child in children.items():
            yield from _commands(f"{path} {name}", child)
    else:
        yield path, command.params


def _anchors(document: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
