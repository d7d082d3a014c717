"""Documents that a client names by their ids, from a manifest that the server may demand."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from hashlib import md5, sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.database.sessions import Database
from app.errors import CommandFailed
from app.server.asgi import create_app
from app.settings import Settings
from tests.conftest import client_of
from tests.support.client import InProcess
from tests.support.commands import Rollcall, refused

# Where what is tested never meets the database but to look the key up.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"

WORKSPACE = "query Workspace { viewer { workspace { name } } }"
SCOPES = "query Scopes {\n  viewer {\n    scopes\n  }\n}"
WRITE = 'mutation Write { upsertContact(input: {email: "ada@example.com"}) { __typename } }'
DOCUMENTS = [WORKSPACE, SCOPES, WRITE]
BROKEN = "query {"


def digest(document: str) -> str:
    return sha256(document.encode()).hexdigest()


def apollo(**bodies: str) -> dict[str, Any]:
    """As `generate-persisted-query-manifest` writes it."""
    return {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [
            {"id": identity, "name": "Name", "type": "query", "body": body}
            for identity, body in bodies.items()
        ],
    }


BY_SHA256 = {digest(document): document for document in DOCUMENTS}
BY_PREFIXED_SHA256 = {f"sha256:{identity}": document for identity, document in BY_SHA256.items()}
BY_MD5 = {md5(one.encode()).hexdigest(): one for one in DOCUMENTS}  # noqa: S324  # as Relay does

Ask = Callable[..., Any]
Serve = Callable[..., Any]


@pytest.fixture
async def serve(
    database: Database, database_url: str, tmp_path: Path
) -> AsyncIterator[Callable[..., Any]]:
    """Returns a function that posts parameters to a server with this manifest."""
    async with AsyncExitStack() as stack:

        async def serving(manifest: Any = None, trusted_documents: str = "optional") -> Ask:
            path = None
            if manifest is not None:
                path = tmp_path / "manifest.json"
                path.write_text(json.dumps(manifest))
            settings = Settings(
                _env_file=None,
                database_url=database_url,
                trusted_documents=trusted_documents,
                trusted_documents_manifest=path,
            )
            app = create_app(settings)
            await stack.enter_async_context(app.router.lifespan_context(app))
            http = await stack.enter_async_context(InProcess(app))
            client = await client_of(http, database, "ours")

            async def ask(accept: str = JSON, *, get: bool = False, **body: Any) -> httpx.Response:
                headers = {"x-api-key": client.key, "accept": accept}
                if get:
                    return await http.get("/graphql", params=body, headers=headers)
                return await http.post("/graphql", json=body, headers=headers)

            return ask

        yield serving


def persisted(identity: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": identity}}


def told(response: httpx.Response) -> tuple[int, str, str]:
    [error] = response.json()["errors"]
    return response.status_code, error["extensions"]["code"], error["message"]


@pytest.mark.parametrize(
    "manifest",
    [apollo(**BY_SHA256), BY_SHA256, BY_PREFIXED_SHA256, BY_MD5, apollo(**BY_MD5)],
    ids=["apollo", "sha256", "sha256:", "md5", "apollo by md5"],
)
async def test_trusted_document_is_found_by_its_id_and_by_its_sha256(
    manifest: Any, serve: Serve
) -> None:
    ask = await serve(manifest, "only")
    entries = manifest.get("operations")
    listed = [one["id"] for one in entries] if entries else list(manifest)
    for identity in (listed[0], digest(WORKSPACE), f"sha256:{digest(WORKSPACE)}"):
        for body in ({"documentId": identity}, {"extensions": persisted(identity)}):
            answer = await ask(**body)
            assert answer.json()["data"] == {"viewer": {"workspace": {"name": "ours"}}}


async def test_trusted_query_may_be_asked_by_get_and_a_mutation_may_not(serve: Serve) -> None:
    ask = await serve(BY_SHA256, "only")
    by_hash = {"extensions": json.dumps(persisted(digest(WORKSPACE)))}
    for parameters in (by_hash, {"documentId": f"sha256:{digest(WORKSPACE)}"}):
        answer = await ask(get=True, **parameters)
        assert answer.json()["data"] == {"viewer": {"workspace": {"name": "ours"}}}
    assert (await ask(get=True, documentId=digest(WRITE))).status_code == 405
    written = await ask(documentId=digest(WRITE))
    assert written.json()["data"] == {"upsertContact": {"__typename": "ContactCreated"}}


async def test_variables_and_operation_name_go_with_an_id(serve: Serve) -> None:
    document = """
        query Other { viewer { scopes } }
        query One($name: Boolean!) { viewer { workspace { name @include(if: $name) } } }
    """
    ask = await serve({"a": document}, "only")
    answer = await ask(documentId="a", operationName="One", variables={"name": False})
    assert answer.json()["data"] == {"viewer": {"workspace": {}}}


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
async def test_hash_without_a_manifest_tells_clients_to_send_the_document(
    accept: str, serve: Serve
) -> None:
    """Apollo's link looks for this code or message, urql's exchange for this message alone."""
    ask = await serve()
    for body in (
        {"extensions": persisted(digest(WORKSPACE))},
        {"extensions": persisted(digest(WORKSPACE)), "operationName": "Workspace"},
        {"documentId": f"sha256:{digest(WORKSPACE)}"},
        {"documentId": "x", "query": ""},
    ):
        assert told(await ask(accept, **body)) == (
            200 if accept == JSON else 400,
            "PERSISTED_QUERY_NOT_SUPPORTED",
            "PersistedQueryNotSupported",
        )
    answer = await ask(accept, extensions=persisted(digest(WORKSPACE)), query=WORKSPACE)
    assert answer.json()["data"] == {"viewer": {"workspace": {"name": "ours"}}}


@pytest.mark.parametrize("demanded", ["optional", "only"])
@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
async def test_unknown_id_is_not_found(accept: str, demanded: str, serve: Serve) -> None:
    ask = await serve(BY_SHA256, demanded)
    for body in (
        {"extensions": persisted(digest("{ other }"))},
        {"documentId": "x" * 100_000},
        {"documentId": ""},
    ):
        assert told(await ask(accept, **body)) == (
            200 if accept == JSON else 400,
            "PERSISTED_QUERY_NOT_FOUND",
            "PersistedQueryNotFound",
        )


async def test_documents_may_be_sent_beside_those_of_a_manifest(serve: Serve) -> None:
    ask = await serve(BY_SHA256)
    other = "{ viewer { apiKey { name } } }"
    for body in ({}, {"documentId": "unknown"}, {"extensions": persisted(digest(other))}):
        answer = await ask(query=other, **body)
        assert answer.json()["data"] == {"viewer": {"apiKey": {"name": "test"}}}


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
async def test_sent_document_is_refused_before_it_is_parsed_where_trusted_ones_are_demanded(
    accept: str, serve: Serve
) -> None:
    ask = await serve(BY_SHA256, "only")
    for query in (BROKEN, "{ viewer { scopes } }", WORKSPACE):
        status, code, message = told(await ask(accept, query=query))
        assert (status, code) == (200 if accept == JSON else 400, "PERSISTED_QUERY_ID_REQUIRED")
        assert "documentId" in message
    body = {"query": BROKEN, "extensions": persisted(digest(BROKEN))}
    assert told(await ask(accept, **body))[1] == "PERSISTED_QUERY_NOT_FOUND"


async def test_trusted_document_is_executed_whatever_is_sent_beside_its_id(serve: Serve) -> None:
    ask = await serve(BY_SHA256, "only")
    answer = await ask(query=BROKEN, documentId=digest(WORKSPACE))
    assert answer.json()["data"] == {"viewer": {"workspace": {"name": "ours"}}}


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": 1},
        {"documentId": ["x"]},
        {"extensions": {"persistedQuery": 1}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": {"sha256Hash": 1}}},
        {"documentId": "x", "query": 1},
    ],
    ids=json.dumps,
)
async def test_malformed_id_is_a_bad_request(body: dict[str, Any], serve: Serve) -> None:
    status, code, message = told(await (await serve(BY_SHA256))(**body))
    assert (status, code) == (400, "BAD_REQUEST")
    assert "must be a string" in message


WRONG_MANIFESTS: dict[str, tuple[str, str]] = {
    "not json": ("{", "must be JSON"),
    "a list": ("[]", "the manifest"),
    "not text": (json.dumps({"a": 1}), "a: "),
    "empty": ("{}", "no documents"),
    "another format": (json.dumps(apollo() | {"format": "other"}), "format: "),
    "another version": (json.dumps(apollo() | {"version": 2}), "version: "),
    "no body": (json.dumps(apollo() | {"operations": [{"id": "x"}]}), "operations.0.body: "),
    "another hash": (
        json.dumps(apollo(**{digest("{ x }"): WORKSPACE})),
        f"{digest('{ x }')}: it is not the SHA-256",
    ),
    "another prefixed hash": (json.dumps({"sha256:x": WORKSPACE}), "sha256:x: it is not"),
    "one id twice": (
        json.dumps(
            {
                **apollo(a=WORKSPACE),
                "operations": [{"id": "a", "body": WORKSPACE}, {"id": "a", "body": SCOPES}],
            }
        ),
        "a: two documents",
    ),
    "a syntax error": (json.dumps(BY_SHA256 | {"bad": BROKEN}), "bad: Syntax Error"),
    "an unknown field": (json.dumps({"bad": "{ nothing }"}), "bad: Cannot query field 'nothing'"),
    "many": (json.dumps({str(one): "{ nothing }" for one in range(7)}), "; and 2 more"),
}


@pytest.mark.parametrize("name", WRONG_MANIFESTS)
def test_server_does_not_start_on_a_wrong_manifest(
    name: str, database_url: str, rollcall: Rollcall, tmp_path: Path
) -> None:
    text, reason = WRONG_MANIFESTS[name]
    path = tmp_path / "manifest.json"
    path.write_text(text)
    environment = {"TRUSTED_DOCUMENTS": "only", "TRUSTED_DOCUMENTS_MANIFEST": str(path)}
    line = refused(rollcall("serve", DATABASE_URL=database_url, **environment))
    assert str(path) in line
    assert reason in line
    assert line.endswith(".")
    assert ".." not in line
    assert ".;" not in line


def test_server_does_not_start_without_the_manifest_that_it_demands(
    database_url: str, rollcall: Rollcall, tmp_path: Path
) -> None:
    environment = {"DATABASE_URL": database_url, "TRUSTED_DOCUMENTS": "only"}
    assert "TRUSTED_DOCUMENTS_MANIFEST" in refused(rollcall("serve", **environment))
    environment["TRUSTED_DOCUMENTS_MANIFEST"] = str(tmp_path / "missing.json")
    line = refused(rollcall("serve", **environment))
    assert "missing.json: No such file" in line


def test_documents_of_the_manifest_are_validated_as_in_production(
    database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"a": "{ __schema { queryType { name } } }"}))
    settings = Settings(
        _env_file=None,
        environment="production",
        database_url=database_url,
        trusted_documents_manifest=path,
    )
    with pytest.raises(CommandFailed, match="introspection"):
        create_app(settings)
