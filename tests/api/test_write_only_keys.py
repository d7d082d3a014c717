"""A key without `contacts:read` is told no data of a contact that it did not send.

Every mutation is aimed, by dry runs and for real, at a contact whose data is secret, and selects
everything that such a key may select.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLField

from app.api.graphql.execution.answers import ERRORS_LIMIT
from app.api.graphql.schema import schema
from app.contacts.assignee import Assignee
from app.database.sessions import Database
from app.tables import Workspace
from app.workspaces.keys import Scope
from tests.conftest import client_of
from tests.support.client import Client, InProcess
from tests.support.probes import (
    CREATE,
    DELETE_MANY,
    MISSING,
    OWN,
    PROBES,
    UPDATE,
    UPDATE_MANY,
    UPSERT,
    Probe,
    Target,
)
from tests.support.selections import Path, leaves, reselected, reselected_often, selection
from tests.support.stored import add, assigned_to, caller_of, contact_of, remove

assert schema._schema.mutation_type is not None
MUTATIONS: dict[str, GraphQLField] = dict(schema._schema.mutation_type.fields)
LEAVES = {name: list(leaves(schema._schema, field.type)) for name, field in MUTATIONS.items()}
WITHOUT_READING = tuple(scope for scope in Scope if scope is not Scope.CONTACTS_READ)

# Everything that mutations tell a key without contacts:read.
TOLD = {
    *("Contact.id", "ContactUpdated.matchedBy", "ContactDeleted.deletedId"),
    *("ContactConflict.message", "Warning.code", "Warning.field", "Warning.message"),
    *("ConflictReason.code", "ConflictReason.message", "ConflictReason.identifier"),
    *("FieldError.code", "FieldError.field", "FieldError.message"),
    *("ContactWithheld.message", "ContactWithheld.failedIndex"),
    *("UpsertRow.index", "UpsertContactsPayload.created", "UpsertContactsPayload.conflicts"),
    *("UpsertContactsPayload.invalid", "UpsertContactsPayload.withheld"),
    *("DeleteRow.index", "DeleteContactsPayload.deleted", "DeleteContactsPayload.conflicts"),
    "DeleteContactsPayload.hasMore",
    *("UpdateRow.index", "UpdateContactsPayload.conflicts", "UpdateContactsPayload.invalid"),
    "UpdateContactsPayload.hasMore",
    *("CustomFieldDefinition.key", "CustomFieldDefinition.type"),
    *("CreateKeyPayload.key", "ApiKey.id", "ApiKey.name", "ApiKey.prefix", "ApiKey.scopes"),
    *("ApiKey.source", "ApiKey.createdAt", "ApiKey.expiresAt", "ApiKey.revokedAt"),
    "ApiKey.lastUsedAt",
    *("CustomFieldDefinition.label", "CustomFieldDefinition.description"),
}

TARGET = Target(
    id="01890a5d-ac96-774b-bcce-b302099a8057",
    external_id="hush-external-id",
    email="Hush@Example.com",
    former_email="hush-former@example.com",
    cursor="aHVzaA==",
    pair_cursor="aHVzaC10b28=",
    company="hush-company",
)
TEXTS = (
    *("name", "prefix", "first_name", "last_name", "suffix", "company", "job_title", "notes"),
    *("address_line1", "address_line2", "city", "state", "postcode", "country"),
)
AT = datetime(2021, 4, 13, 7, 11, 29, tzinfo=UTC)
SECRET = contact_of(
    UUID(TARGET.id).int,
    **{name: f"hush-{name}" for name in TEXTS},
    email=TARGET.email,
    external_id=TARGET.external_id,
    phone=TARGET.phone,
    timezone="Antarctica/Troll",
    language="gsw-LI",
    tags=[TARGET.tag, *(f"hush-{number}" for number in range(99))],
    lifetime_value=918273.5,
    orders_count=918274,
    last_order_at=AT,
    professional_id=UUID("01890a5d-ac96-774b-bcce-b302099a9999"),
    custom_fields={f"hush-key-{number}": "hush-value" for number in range(100)},
    meta={"hush-meta": "hush-meta-value", "api_key_id": "hush-key-id"},
    created_at=AT,
    updated_at=AT,
    version=918276,
    aliases=[["email", "", TARGET.former_email]],
    assignments=assigned_to(Assignee("agent", TARGET.agent)),
)
OTHER = contact_of(2, **OWN)
# An answer that tells one of its values has one of these.
TRACES = ["hush", "troll", "gsw-li", "46095", "918273", "918274", "918276", "07:11:29", "9a9999"]


def call(document: str, **variables: Any) -> Probe:
    return Probe(document, lambda _: variables)


KEEP = {"emailOnMatch": "KEEP", "externalIdOnMatch": "KEEP"}
OWN_EMAIL, OWN_EXTERNAL_ID = {"email": TARGET.email}, {"externalId": TARGET.external_id}
CHANGES: list[dict[str, Any]] = [{"email": "x@example.com"}, {"tags": []}, {"externalId": None}, {}]
PATCHES: list[dict[str, Any]] = [{"tags": []}, {"metadata": {"api_key_id": "x"}}, {}]
# Calls whose answers are about stored values, beside those of the probes.
PRYING: dict[str, list[Probe]] = {
    "upsertContact": [
        call(UPSERT, input=given, policy=policy, ifVersion=version)
        for version in (None, 7)
        for given, policy in (
            (OWN_EXTERNAL_ID | {"email": "x@example.com"}, KEEP),
            (OWN_EMAIL | {"externalId": "x"}, KEEP),
            (OWN_EMAIL | {"externalId": "x"}, {}),
            (OWN_EMAIL | {"externalId": None}, {}),
            (OWN_EMAIL | {"tags": ["x"]}, {"tags": "ADD"}),
            (OWN_EMAIL | {"customFields": {"x": 1}}, {}),
            (OWN_EMAIL | {"metadata": {"api_key_id": "x"}}, {}),
            ({"email": TARGET.former_email, "createdAt": "2020-01-01T00:00:00Z"}, {}),
        )
    ],
    "updateContact": [call(UPDATE, by={"id": TARGET.id}, input=given) for given in CHANGES],
    "updateContacts": [
        call(UPDATE_MANY, selection={"keys": [{"id": TARGET.id}]}, input=given) for given in PATCHES
    ],
    "deleteContacts": [call(DELETE_MANY, selection={"keys": [{"id": TARGET.id}]})],
    "createContact": [call(CREATE, input=given) for given in (OWN_EMAIL, OWN_EXTERNAL_ID)],
}


@pytest.fixture
async def writer(api: Client, http: InProcess, database: Database) -> Client:
    """A client of the workspace `ours` with every scope but contacts:read."""
    return await client_of(http, database, "ours", WITHOUT_READING, is_new=False)


async def restore(database: Database, client: Client) -> None:
    """The secret contact as it was at first, and one to merge it with."""
    found = (await client("{ viewer { workspace { id } } }"))["workspace"]
    caller = caller_of(Workspace(id=UUID(found["id"]), name="ours"))
    await remove(database, caller, [SECRET.id, OTHER.id])
    await add(database, caller, [SECRET, OTHER])


def is_told(path: Path) -> bool:
    return ".".join(path[-1]) in TOLD and "changes" not in [name for _, name in path]


def traces(answer: Any, variables: Any) -> set[str]:
    """What the answer tells of the secret contact that was not sent."""
    text, sent = (json.dumps(one).lower() for one in (answer, variables))
    for word in sorted(map(str.lower, asdict(TARGET).values()), key=len, reverse=True):
        if word in sent:
            text = text.replace(word, "")
    return {trace for trace in TRACES if trace in text}


async def told(
    client: Client, database: Database, name: str, paths: list[Path], *refusals: str
) -> set[str]:
    """What all calls of a mutation together tell of the secret contact. `refusals` are codes of
    errors that may be answered."""
    found: set[str] = set()
    field, selected = MUTATIONS[name], selection(paths)
    for probe in [*PROBES[name], *PRYING.get(name, [])]:
        for dry_run in (True, False):
            if dry_run or "dryRun" not in field.args:  # a dry run leaves all as it was
                await restore(database, client)
            document = reselected(probe.document, field, selected, dry_run=dry_run)
            variables = probe.aim(TARGET)
            answer = await client.execute(document, **variables)
            codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
            assert codes <= {"BAD_USER_INPUT", *refusals}, answer
            found |= traces(answer, variables)
    return found


@pytest.mark.parametrize("name", MUTATIONS)
async def test_no_mutation_tells_a_writer_what_is_stored(
    name: str, writer: Client, database: Database
) -> None:
    paths = [path for path in LEAVES[name] if is_told(path)]
    assert await told(writer, database, name, paths, "FORBIDDEN") == set()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", MUTATIONS)
async def test_the_same_calls_tell_a_reader(name: str, api: Client, database: Database) -> None:
    """Else the test above would show nothing."""
    found = await told(api, database, name, LEAVES[name], "LIMIT_EXCEEDED")
    assert found or not any(path[-1] == ("Contact", "email") for path in LEAVES[name])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_writer_may_select_what_is_listed_here_and_nothing_else(writer: Client) -> None:
    """Each leaf on its own, as each root field is refused on its own."""
    selectable = set()
    for name, field in MUTATIONS.items():
        for start in range(0, len(LEAVES[name]), ERRORS_LIMIT):
            paths = {
                f"leaf{number}": path
                for number, path in enumerate(LEAVES[name][start : start + ERRORS_LIMIT])
            }
            document = reselected_often(
                PROBES[name][0].document,
                field,
                {alias: selection([path]) for alias, path in paths.items()},
                dry_run=True,
            )
            answer = await writer.execute(document, **PROBES[name][0].aim(MISSING))
            assert answer["data"].keys() == paths.keys()
            refused = {
                error["path"][0]
                for error in answer.get("errors", [])
                if error["extensions"]["code"] == "FORBIDDEN"
            }
            selectable |= {
                ".".join(path[-1]) for alias, path in paths.items() if alias not in refused
            }
    assert selectable == TOLD


async def test_refused_selection_writes_nothing_and_names_the_scope(
    writer: Client, api: Client
) -> None:
    document = """mutation { upsertContact(input: {email: "a@example.com"}) { %s } }"""
    refused = await writer.execute(document % "... on ContactCreated { contact { email } }")
    [error] = refused["errors"]
    assert refused["data"] == {"upsertContact": None}
    assert error["extensions"] == {"code": "FORBIDDEN"}
    assert "contacts:read" in error["message"]
    page = "{ contacts { totalCount } }"
    assert (await api(page)) == {"totalCount": 0}
    created = await writer(document % "... on ContactCreated { contact { id } }")
    assert UUID(created["contact"]["id"])
    assert (await api(page)) == {"totalCount": 1}


async def test_skipped_field_is_not_refused(writer: Client) -> None:
    document = """mutation ($seen: Boolean!) {
        upsertContact(input: {email: "a@example.com"}) {
            ... on ContactCreated { contact { id email @include(if: $seen) } }
        }
    }"""
    for _ in range(2):  # the second time it would be compiled
        refused = await writer.execute(document, seen=True)
        assert refused["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
    assert "contact" in await writer(document, seen=False)


async def test_writer_deletes_by_key_and_not_by_filter(writer: Client, database: Database) -> None:
    await restore(database, writer)
    by_filter = {"filter": {"company": {"eq": "hush-company"}}}
    document = """mutation ($selection: ContactSelection!) {
        deleteContacts(selection: $selection) {
            deleted rows { result { ... on ContactDeleted { deletedId } } }
        }
    }"""
    refused = await writer.execute(document, selection=by_filter)
    assert refused["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
    by_key = {"keys": [{"externalId": TARGET.external_id}]}
    assert (await writer(document, selection=by_key))["deleted"] == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_writer_is_told_that_an_identifier_is_taken_and_not_by_whom(
    writer: Client, api: Client, database: Database
) -> None:
    await restore(database, writer)
    document = """mutation ($input: ContactInput!) {
        createContact(input: $input) {
            ... on ContactConflict { reasons { code identifier contact { id } } }
        }
    }"""
    reason = {"code": "ALREADY_EXISTS", "identifier": "EMAIL"}
    for client, contact in ((writer, None), (api, {"id": TARGET.id})):
        for _ in range(2):  # the second time it is compiled
            told = await client(document, input={"email": TARGET.email})
            assert told == {"reasons": [reason | {"contact": contact}]}
