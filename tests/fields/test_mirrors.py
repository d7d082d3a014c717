"""A field is restated in five places, a policy's member in two: whatever forgets one is named."""

from dataclasses import fields
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    print_ast,
)
from pydantic.alias_generators import to_camel
from sqlalchemy import inspect

from app.api.graphql.contact import Contact as ContactType
from app.api.graphql.contact import ContactInput, ContactPatch
from app.api.graphql.filters import ContactFilter
from app.api.graphql.policy import UpsertPolicyInput
from app.api.graphql.schema import schema
from app.contacts.decision.policy import DEFAULT_POLICY, UpsertPolicy
from app.database.sessions import Database
from app.fields.contact import API_NAMES, FIELDS, RULES, IdentifierFields
from app.tables import Contact, ContactTable
from tests.support.mirrors import difference

SCHEMA = build_schema(schema.as_str())
HINTS = get_type_hints(IdentifierFields) | get_type_hints(Contact)
GRAPHQL_TYPES = {
    str: "String",
    bool: "Boolean",
    float: "Float",
    int: "Int",
    datetime: "DateTime",
    UUID: "ID",
    list: "[String!]",
    dict: "JSON",
}
FILTER_TYPES = {
    str: "StringFilter",
    bool: "Boolean",
    float: "FloatFilter",
    int: "IntFilter",
    datetime: "DateTimeFilter",
    UUID: "IDFilter",
}
FILTERED_OTHERWISE = {"tags": "TagsFilter", "custom_fields": "[CustomFieldFilter!]"}
NOT_FILTERED = {
    "meta": "tracking data, by which nobody looks for contacts",
    "email_key": "`email` is compared by it",
    "external_ids": "`externalId` compares that of the source of the key",
    "aliases": "a key finds a contact by its aliases",
    "assignments": "`assignedTo` compares them",
}
FILTERED = [name for name in {**RULES, **Contact.model_fields} if name not in NOT_FILTERED]
# Members that compare no field of that name.
OTHER_MEMBERS = {"and_", "or_", "not_", "assigned_to"}


def object_fields(name: str) -> dict[str, Any]:
    found = SCHEMA.type_map[name]
    assert isinstance(found, GraphQLObjectType | GraphQLInputObjectType)
    return dict(found.fields)


def kind(name: str) -> type:
    """The Python type of a field, beside None."""
    hint = HINTS[name]
    alternatives = {hint} if get_origin(hint) not in (Union, UnionType) else {*get_args(hint)}
    [one] = alternatives - {NoneType}
    found: type = get_origin(one) or one
    return found


def test_difference_names_the_forgotten_field_and_the_place() -> None:
    assert difference("The input", ["email", "emial"], ["email", "name"]) == [
        "The input has forgotten name",
        "The input has emial, which is unknown",
    ]


def test_every_field_of_the_rulebook_has_a_column() -> None:
    columns = inspect(ContactTable).column_attrs.keys()
    beside = [name for name in columns if name not in Contact.model_fields]
    assert difference("The table", columns, [*Contact.model_fields, *beside]) == []


async def test_every_column_is_made_by_a_migration(database: Database) -> None:
    async with database.read_directory() as session:
        connection = await session.connection()
        made = await connection.run_sync(lambda sync: inspect(sync).get_columns("contact"))
    of_sqlite = "number"  # what its text index calls a row
    names = [column["name"] for column in made if column["name"] != of_sqlite]
    columns = [column.name for column in inspect(ContactTable).columns]
    assert difference("The migrated table", names, columns) == []


def test_every_field_of_the_rulebook_is_in_the_graphql_type() -> None:
    names = {field.name for field in fields(ContactType)}
    beside = set(Contact.model_fields) - set(FIELDS) - {"email_key"} | {
        "display_name",
        "assignments",
    }
    assert difference("The type Contact", names, {*FIELDS, *beside}) == []


def test_every_field_of_the_rulebook_is_in_the_input() -> None:
    names = [field.name for field in fields(ContactInput)]
    assert difference("The input ContactInput", names, FIELDS) == []


def test_every_field_that_contacts_can_have_in_common_is_in_the_patch() -> None:
    names = [field.name for field in fields(ContactPatch)]
    of_one = {"external_id", "email", "created_at", "updated_at"}
    assert difference("The input ContactPatch", names, set(FIELDS) - of_one) == []


def test_every_field_of_a_contact_is_in_the_filter() -> None:
    names = [field.name for field in fields(ContactFilter)]
    assert difference("The filter ContactFilter", names, {*FILTERED, *OTHER_MEMBERS}) == []


@pytest.mark.parametrize("name", FILTERED)
def test_field_is_filtered_by_what_its_type_calls_for(name: str) -> None:
    member = object_fields("ContactFilter")[API_NAMES.get(name) or to_camel(name)]
    wanted = FILTERED_OTHERWISE.get(name) or FILTER_TYPES[kind(name)]
    assert str(member.type) == wanted
    rule = RULES.get(name) or Contact.model_fields[name]
    assert member.description == rule.description


@pytest.mark.parametrize("name", FIELDS)
def test_field_has_the_type_of_its_rule_in_the_type_and_in_the_input(name: str) -> None:
    rule = RULES[name]
    wanted = GRAPHQL_TYPES[kind(name)]
    in_type = object_fields("Contact")[API_NAMES[name]]
    in_input = object_fields("ContactInput")[API_NAMES[name]]
    nullable = NoneType in get_args(HINTS[name])
    assert str(in_type.type) == (wanted if nullable else f"{wanted}!")
    assert str(in_input.type) == wanted
    assert (in_type.description, in_input.description) == (rule.description, rule.description)
    assert rule.description


def test_every_member_of_the_policy_is_in_its_input() -> None:
    names = [field.name for field in fields(UpsertPolicyInput)]
    policy = [field.name for field in fields(UpsertPolicy)]
    assert difference("The input UpsertPolicy", names, policy) == []


@pytest.mark.parametrize("name", [field.name for field in fields(UpsertPolicy)])
def test_member_of_the_policy_has_the_same_default_in_the_input(name: str) -> None:
    default = getattr(DEFAULT_POLICY, name)
    sent = getattr(UpsertPolicyInput().policy(), name)
    assert (tuple(sent) if isinstance(default, tuple) else sent) == default


def test_policy_shows_its_defaults_and_takes_no_null() -> None:
    members = object_fields("UpsertPolicy")
    assert all(isinstance(member.type, GraphQLNonNull) for member in members.values())
    defaults = {name: print_ast(member.ast_node.default_value) for name, member in members.items()}
    assert defaults == {
        "matchBy": "[EXTERNAL_ID, EMAIL]",
        "fallback": "UNMATCHED",
        "onMatch": "UPDATE",
        "onMiss": "CREATE",
        "emailOnMatch": "REPLACE",
        "externalIdOnMatch": "FILL",
        "tags": "REPLACE",
        "customFields": "MERGE",
        "metadata": "MERGE",
        "requireOnCreate": "[]",
        "generateExternalId": "false",
    }
