"""Filters through the API: every member, what it holds for, and what it refuses."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.contacts.limits import (
    CONDITION_DEPTH_LIMIT,
    CONDITION_VALUES_LIMIT,
    CONDITIONS_LIMIT,
    LIST_VALUES_LIMIT,
    PATTERN_LENGTH,
    TEXT_LENGTH,
)
from tests.support.client import Client
from tests.support.mirrors import difference

UPSERT_MANY = """
mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created updated } }
"""
FILTERED = """
query ($filter: ContactFilter) {
  contacts(filter: $filter, first: 100, orderBy: {field: EMAIL, direction: ASC}) {
    totalCount nodes { email }
  }
}
"""
ASSIGN = """
mutation ($by: ContactKey!, $to: AssigneeInput!) {
  assignContact(by: $by, to: $to) { __typename }
}
"""
UNSUBSCRIBE = "mutation ($by: ContactKey!) { unsubscribeContact(by: $by) { __typename } }"
MEMBERS = "query ($type: String!) { __type(name: $type) { inputFields { name type { name } } } }"

PROFESSIONAL = "11111111-2222-4333-8444-555555555555"
OTHER_PROFESSIONAL = "99999999-2222-4333-8444-555555555555"

# Two values of each text, no longer one beginning with the shorter.
TEXTS = {
    "externalId": ("crm-1", "erp-2"),
    "name": ("Ada Lovelace", "Bob Noyce"),
    "prefix": ("Dr.", "Prof."),
    "firstName": ("Ada", "Bob"),
    "lastName": ("Lovelace", "Noyce"),
    "suffix": ("Jr.", "Esq."),
    "phone": ("+33 6 12 34 56 78", "020 7946 0018"),
    "phoneE164": ("+33612345678", "+442079460018"),
    "company": ("Analytical Engines", "Noyce & Sons"),
    "jobTitle": ("Countess", "Engineer"),
    "notes": ("Likes cards", "Prefers silicon"),
    "addressLine1": ("12 St James's Square", "1 Oak Road"),
    "addressLine2": ("First floor", "Second floor"),
    "city": ("Paris", "London"),
    "state": ("Île-de-France", "Greater London"),
    "postcode": ("75001", "SW1Y 4LB"),
    "country": ("FR", "GB"),
    "timezone": ("Europe/Paris", "Europe/London"),
    "language": ("fr-FR", "en-GB"),
}
DERIVED = {"phoneE164"}


async def put(api: Client, **people: dict[str, Any]) -> None:
    """Contacts known by what stands before the @ of their emails."""
    inputs = [{"email": f"{name}@example.com"} | given for name, given in people.items()]
    answer = await api(UPSERT_MANY, inputs=inputs)
    assert answer["created"] + answer["updated"] == len(inputs)


async def met(api: Client, condition: Any) -> str:
    """Who meets the filter."""
    page = await api(FILTERED, filter=condition)
    assert page["totalCount"] == len(page["nodes"])
    return " ".join(node["email"].partition("@")[0] for node in page["nodes"])


async def members(api: Client, name: str) -> dict[str, str]:
    found = (await api(MEMBERS, type=name))["inputFields"]
    return {member["name"]: member["type"]["name"] for member in found}


async def test_every_member_of_a_filter_is_tested_here(api: Client) -> None:
    tested = dict.fromkeys(("email", *TEXTS), "StringFilter")
    tested |= {"lifetimeValue": "FloatFilter", "ordersCount": "IntFilter", "version": "IntFilter"}
    tested |= dict.fromkeys(("isActive", "isUnsubscribed"), "Boolean")
    moments = ("createdAt", "updatedAt", "lastOrderAt", "unsubscribedAt")
    tested |= dict.fromkeys(moments, "DateTimeFilter")
    tested |= {
        "id": "IDFilter",
        "professionalId": "IDFilter",
        "tags": "TagsFilter",
        "assignedTo": "AssigneeInput",
    }
    tested |= {"and": "", "or": "", "not": "ContactFilter", "customFields": ""}
    found = {name: kind or "" for name, kind in (await members(api, "ContactFilter")).items()}
    assert difference("TEXTS, or what is tested beside them,", tested, found) == []
    assert found == tested
    # The operators of the other types are in test_operators.py.
    assert set(await members(api, "TagsFilter")) == {"hasAll", "hasAny", "hasNone"}
    assert set(await members(api, "AssigneeInput")) == {"kind", "targetId"}
    custom = {"key", "string", "number", "boolean", "datetime", "exists"}
    assert set(await members(api, "CustomFieldFilter")) == custom


async def of_all_texts(api: Client, conditions: dict[str, Any]) -> str:
    """Who meets the conditions, all of them and any of them alike."""
    each = [{field: condition} for field, condition in conditions.items()]
    found = await met(api, {"and": each})
    assert await met(api, {"or": each}) == found, conditions
    return found


async def test_texts_are_compared_case_sensitively(api: Client) -> None:
    given: list[dict[str, Any]] = [
        {field: values[index] for field, values in TEXTS.items() if field not in DERIVED}
        for index in range(2)
    ]
    await put(api, ada=given[0], bob=given[1], cy={})
    cases: list[tuple[Callable[[str, str], dict[str, Any]], str]] = [
        (lambda one, other: {"eq": one}, "ada"),
        (lambda one, other: {"eq": one[:-1]}, ""),
        (lambda one, other: {"eq": one + " "}, ""),
        (lambda one, other: {"in": [other, "nobody's"]}, "bob"),
        (lambda one, other: {"in": [one, other, one]}, "ada bob"),
        (lambda one, other: {"in": []}, ""),
        (lambda one, other: {"contains": one[1:]}, "ada"),
        (lambda one, other: {"contains": other[1:]}, "bob"),
        (lambda one, other: {"contains": ""}, "ada bob"),
        (lambda one, other: {"startsWith": one[:-1]}, "ada"),
        (lambda one, other: {"startsWith": one}, "ada"),
        (lambda one, other: {"startsWith": one[1:]}, ""),
        (lambda one, other: {"startsWith": ""}, "ada bob"),
        (lambda one, other: {"isNull": True}, "cy"),
        (lambda one, other: {"isNull": False}, "ada bob"),
        (lambda one, other: {"startsWith": one[:-1], "contains": one[-2:]}, "ada"),
        (lambda one, other: {"startsWith": one[:-1], "eq": other}, ""),
        (lambda one, other: {}, "ada bob cy"),
    ]
    for case, expected in cases:
        conditions = {field: case(*values) for field, values in TEXTS.items()}
        assert await of_all_texts(api, conditions) == expected, conditions
    for field, (one, _) in TEXTS.items():
        assert await met(api, {"not": {field: {"eq": one}}}) == "bob cy", field


async def test_the_case_of_a_text_is_significant(api: Client) -> None:
    given = {field: one for field, (one, _) in TEXTS.items() if field not in DERIVED}
    await put(api, ada=given)
    swapped = {field: one.swapcase() for field, (one, _) in TEXTS.items() if one.swapcase() != one}
    for operator in ("eq", "contains", "startsWith"):
        conditions = {field: {operator: value} for field, value in swapped.items()}
        assert await of_all_texts(api, conditions) == "", operator
    assert await of_all_texts(api, {field: {"in": [v]} for field, v in swapped.items()}) == ""
    accents = [{"state": {operator: "Ile-de-France"}} for operator in ("eq", "contains")]
    assert await met(api, {"or": accents}) == ""


async def test_an_email_is_compared_without_regard_to_case(api: Client) -> None:
    await put(api, one={"email": "Ada.Lovelace@Example.com"}, bob={})
    for condition in (
        {"eq": "ADA.lovelace@example.COM"},
        {"eq": " ada.lovelace@example.com\u00a0"},
        {"in": ["nobody@example.com", "ADA.LOVELACE@EXAMPLE.COM"]},
        {"contains": "LOVE"},
        {"startsWith": "aDa."},
        {"startsWith": "a", "contains": "@EXAMPLE"},
    ):
        assert await met(api, {"email": condition}) == "Ada.Lovelace", condition
    assert await met(api, {"email": {"eq": "ada.lovelace"}}) == ""
    assert await met(api, {"email": {"isNull": True}}) == ""
    assert await met(api, {"email": {"isNull": False}}) == "Ada.Lovelace bob"


async def test_wildcards_quotes_and_backslashes_match_only_themselves(api: Client) -> None:
    marks = ["%", "_", "\\", "'", '"', "*", "/", "\\%", "[a]", "$1", ":x", "?"]
    people = {f"p{index:02}": {"company": f"za{mark}bcd"} for index, mark in enumerate(marks)}
    await put(api, **people, plain={"company": "zaxbcd"})
    for name, mark in zip(people, marks, strict=True):
        held = f"za{mark}bcd"
        assert await met(api, {"company": {"eq": held}}) == name, mark
        assert await met(api, {"company": {"in": [held]}}) == name, mark
        assert await met(api, {"company": {"contains": held[1:-1]}}) == name, mark
        assert await met(api, {"company": {"startsWith": held[:-1]}}) == name, mark
        custom = {"key": "k", "string": {"contains": f"a{mark}b"}}
        await put(api, **{name: {"customFields": {"k": held}}})
        assert await met(api, {"customFields": [custom]}) == name, mark


async def test_a_prefix_may_end_in_any_letter(api: Client) -> None:
    ends = {"last": "\U0010ffff", "below": "\ud7ff", "above": "\ue000", "high": "\U0001f600"}
    await put(api, **{name: {"city": f"x{end}y"} for name, end in ends.items()}, plain={})
    for name, end in ends.items():
        assert await met(api, {"city": {"startsWith": f"x{end}"}}) == name, name
        assert await met(api, {"city": {"startsWith": f"x{end}y"}}) == name, name
    assert await met(api, {"city": {"startsWith": "\U0010ffff"}}) == ""
    assert await met(api, {"city": {"startsWith": "x"}}) == "above below high last"


async def test_numbers_are_compared_as_numbers(api: Client) -> None:
    await put(
        api,
        ada={"lifetimeValue": 9, "ordersCount": 9},
        bob={"lifetimeValue": 10, "ordersCount": 10},
        cy={},
    )
    for field in ("lifetimeValue", "ordersCount"):
        for condition, expected in [
            ({"eq": 9}, "ada"),
            ({"eq": 11}, ""),
            ({"gt": 9}, "bob"),
            ({"gte": 9}, "ada bob"),
            ({"lt": 10}, "ada"),
            ({"lte": 10}, "ada bob"),
            ({"gt": 9, "lt": 10}, ""),
            ({"gte": 9, "lt": 10}, "ada"),
            ({"isNull": True}, "cy"),
            ({"isNull": False}, "ada bob"),
        ]:
            assert await met(api, {field: condition}) == expected, (field, condition)
        assert await met(api, {"not": {field: {"gt": 9}}}) == "ada cy"
    assert await met(api, {"lifetimeValue": {"gt": 9.5, "lt": 1e300}}) == "bob"
    assert await met(api, {"lifetimeValue": {"gt": -1.5}}) == "ada bob"


async def test_versions_are_compared_as_numbers(api: Client) -> None:
    await put(api, ada={}, bob={})
    await put(api, bob={"city": "London"})
    for condition, expected in [
        ({"eq": 2}, "bob"),
        ({"gt": 1}, "bob"),
        ({"gte": 1}, "ada bob"),
        ({"lt": 2}, "ada"),
        ({"lte": 1}, "ada"),
        ({"isNull": True}, ""),
        ({"isNull": False}, "ada bob"),
    ]:
        assert await met(api, {"version": condition}) == expected, condition


async def test_moments_are_compared_whatever_their_offsets(api: Client) -> None:
    early, late = "2024-03-01T12:00:00.000001Z", "2024-03-01T12:00:00.000002Z"
    moments = ("createdAt", "updatedAt", "lastOrderAt")
    await put(api, ada=dict.fromkeys(moments, early), bob=dict.fromkeys(moments, late), cy={})
    for field in moments:
        young = " cy" if field != "lastOrderAt" else ""
        for condition, expected in [
            ({"gt": early}, "bob" + young),
            ({"gte": early}, "ada bob" + young),
            ({"lt": late}, "ada"),
            ({"lte": late}, "ada bob"),
            ({"gt": "2024-03-01T14:00:00.000001+02:00"}, "bob" + young),
            ({"lte": "2024-03-01T06:30:00.000001-05:30"}, "ada"),
            ({"gte": "2024-03-01t12:00:00.000002z", "lte": late}, "bob"),
            ({"isNull": False}, "ada bob" + young),
        ]:
            assert await met(api, {field: condition}) == expected, (field, condition)
    assert await met(api, {"lastOrderAt": {"isNull": True}}) == "cy"
    assert await met(api, {"createdAt": {"isNull": True}}) == ""
    assert await met(api, {"not": {"lastOrderAt": {"gt": early}}}) == "ada cy"


async def test_flags_and_the_moment_of_unsubscribing_are_filtered(api: Client) -> None:
    await put(api, ada={}, bob={"isActive": False}, cy={"isActive": False})
    await api(UNSUBSCRIBE, by={"email": "cy@example.com"})
    for condition, expected in [
        ({"isActive": True}, "ada"),
        ({"isActive": False}, "bob cy"),
        ({"isUnsubscribed": True}, "cy"),
        ({"isUnsubscribed": False}, "ada bob"),
        ({"isActive": False, "isUnsubscribed": False}, "bob"),
        ({"not": {"isActive": False}}, "ada"),
        ({"not": {"isUnsubscribed": True}}, "ada bob"),
        ({"unsubscribedAt": {"isNull": True}}, "ada bob"),
        ({"unsubscribedAt": {"isNull": False}}, "cy"),
        ({"unsubscribedAt": {"gt": "2020-01-01T00:00:00Z"}}, "cy"),
        ({"unsubscribedAt": {"gte": "2020-01-01T00:00:00Z"}}, "cy"),
        ({"unsubscribedAt": {"lt": "2020-01-01T00:00:00Z"}}, ""),
        ({"unsubscribedAt": {"lte": "2020-01-01T00:00:00Z"}}, ""),
    ]:
        assert await met(api, condition) == expected, condition


async def test_professional_ids_are_the_same_in_any_spelling(api: Client) -> None:
    await put(
        api, ada={"professionalId": PROFESSIONAL}, bob={"professionalId": OTHER_PROFESSIONAL}, cy={}
    )
    for condition, expected in [
        ({"eq": PROFESSIONAL}, "ada"),
        ({"eq": PROFESSIONAL.replace("-", "").upper()}, "ada"),
        ({"eq": "00000000-0000-0000-0000-000000000000"}, ""),
        ({"in": [PROFESSIONAL, OTHER_PROFESSIONAL]}, "ada bob"),
        ({"in": []}, ""),
        ({"isNull": True}, "cy"),
        ({"isNull": False}, "ada bob"),
    ]:
        assert await met(api, {"professionalId": condition}) == expected, condition
    assert await met(api, {"not": {"professionalId": {"eq": PROFESSIONAL}}}) == "bob cy"


async def test_tags_are_filtered_by_all_any_and_none(api: Client) -> None:
    await put(api, ada={"tags": ["vip", "new"]}, bob={"tags": ["VIP", "new%"]}, cy={})
    for condition, expected in [
        ({"hasAll": ["vip", "new"]}, "ada"),
        ({"hasAll": ["vip", "old"]}, ""),
        ({"hasAll": ["new", "new"]}, "ada"),
        ({"hasAll": []}, "ada bob cy"),
        ({"hasAny": ["vip", "VIP", "old"]}, "ada bob"),
        ({"hasAny": ["new_", "ne", "new%"]}, "bob"),
        ({"hasAny": []}, ""),
        ({"hasNone": ["vip", "old"]}, "bob cy"),
        ({"hasNone": []}, "ada bob cy"),
        ({"hasAny": ["vip", "VIP"], "hasNone": ["new"]}, "bob"),
        ({}, "ada bob cy"),
    ]:
        assert await met(api, {"tags": condition}) == expected, condition
    assert await met(api, {"not": {"tags": {"hasAll": ["vip"]}}}) == "bob cy"
    assert await met(api, {"not": {"tags": {"hasAny": []}}}) == "ada bob cy"
    await put(api, ada={"tags": ["old"]})
    assert await met(api, {"tags": {"hasAny": ["vip", "new"]}}) == ""
    assert await met(api, {"tags": {"hasAll": ["old"]}}) == "ada"


async def test_assignments_are_filtered_by_kind_and_id(api: Client, stranger: Client) -> None:
    await put(api, ada={}, bob={}, cy={})
    await put(stranger, eve={})
    for client, name, kind, target in [
        (api, "ada", "client", "42"),
        (api, "bob", "client", "43"),
        (api, "bob", "fund", "42"),
        (stranger, "eve", "client", "42"),
    ]:
        by = {"email": f"{name}@example.com"}
        await client(ASSIGN, by=by, to={"kind": kind, "targetId": target})
    assert await met(api, {"assignedTo": {"kind": "client", "targetId": "42"}}) == "ada"
    assert await met(api, {"assignedTo": {"kind": " fund ", "targetId": 42}}) == "bob"
    assert await met(api, {"assignedTo": {"kind": "Client", "targetId": "42"}}) == ""
    assert await met(api, {"not": {"assignedTo": {"kind": "client", "targetId": "42"}}}) == "bob cy"
    both = [
        {"assignedTo": {"kind": kind, "targetId": one}}
        for kind, one in (("client", 43), ("fund", 42))
    ]
    assert await met(api, {"and": both}) == "bob"


async def test_conditions_nest(api: Client) -> None:
    ada, bob, cy = ({"firstName": {"eq": name}} for name in ("Ada", "Bob", "Cy"))
    named = {"ada": {"firstName": "Ada"}, "bob": {"firstName": "Bob"}, "cy": {"firstName": "Cy"}}
    await put(api, **named, dan={})
    everybody = "ada bob cy dan"
    condition: Any
    for condition, expected in [
        (None, everybody),
        ({}, everybody),
        ({"and": []}, everybody),
        ({"or": []}, ""),
        ({"not": {}}, ""),
        ({"not": {"or": []}}, everybody),
        ({"and": [{}]}, everybody),
        ({"or": [{}]}, everybody),
        ({"or": [{"not": {}}]}, ""),
        ({"and": [ada, bob]}, ""),
        ({"and": [ada, {"not": bob}]}, "ada"),
        ({"or": [ada, bob]}, "ada bob"),
        ({"or": [ada, {"and": [bob, cy]}]}, "ada"),
        ({"not": {"or": [ada, bob]}}, "cy dan"),
        ({"not": {"and": [ada, bob]}}, everybody),
        ({"not": {"not": ada}}, "ada"),
        ({"not": {"not": {"not": ada}}}, "bob cy dan"),
        ({"or": [ada, bob], "not": bob}, "ada"),
        ({"or": [ada, bob], "and": [{"or": [bob, cy]}]}, "bob"),
        ({"or": [ada, bob], "email": {"startsWith": "b"}}, "bob"),
        ({"or": [{"firstName": {"isNull": True}}, cy]}, "cy dan"),
    ]:
        assert await met(api, condition) == expected, condition


async def test_a_field_without_a_value_meets_is_null_alone(api: Client) -> None:
    moment = "2024-03-01T12:00:00Z"
    await put(api, cy={})
    for condition in [
        {"city": {"eq": ""}},
        {"city": {"contains": ""}},
        {"city": {"startsWith": ""}},
        {"city": {"in": ["", "null", "None"]}},
        {"name": {"eq": ""}},
        {"name": {"in": [""]}},
        {"name": {"contains": "abc"}},
        {"externalId": {"contains": ""}},
        {"lifetimeValue": {"eq": 0}},
        {"lifetimeValue": {"lte": 0}},
        {"ordersCount": {"gte": 0}},
        {"lastOrderAt": {"lt": moment}},
        {"unsubscribedAt": {"gt": moment}},
        {"professionalId": {"in": [PROFESSIONAL]}},
        {"customFields": [{"key": "k", "string": {"contains": ""}}]},
        {"customFields": [{"key": "k", "string": {"in": [""]}}]},
        {"customFields": [{"key": "k", "number": {"lte": 0}}]},
        {"customFields": [{"key": "k", "boolean": False}]},
        {"customFields": [{"key": "k", "datetime": {"lt": moment}}]},
    ]:
        assert await met(api, condition) == "", condition
        assert await met(api, {"not": condition}) == "cy", condition
        assert await met(api, {"not": {"not": condition}}) == "", condition
        assert await met(api, {"or": [condition, {"not": condition}]}) == "cy", condition


async def test_an_empty_custom_text_is_a_value(api: Client) -> None:
    await put(api, ada={"customFields": {"k": ""}}, bob={})
    for condition in [
        {"customFields": [{"key": "k", "string": {"eq": ""}}]},
        {"customFields": [{"key": "k", "string": {"contains": ""}}]},
        {"customFields": [{"key": "k", "exists": True}]},
    ]:
        assert await met(api, condition) == "ada", condition


async def of_custom(api: Client, key: str, **condition: Any) -> str:
    return await met(api, {"customFields": [{"key": key} | condition]})


async def test_a_custom_field_meets_a_condition_of_its_own_type_alone(api: Client) -> None:
    values: dict[str, Any] = {
        "number": 5,
        "real": 5.5,
        "one": 1,
        "text": "5",
        "word": "true",
        "yes": True,
        "no": False,
        "null": None,
        "list": ["5", 5, True],
        "object": {"k": "5"},
    }
    await put(api, absent={}, **{name: {"customFields": {"k": v}} for name, v in values.items()})
    condition: Any
    for condition, expected in [
        ({"string": {"eq": "5"}}, "text"),
        ({"string": {"in": ["5", "true"]}}, "text word"),
        ({"string": {"in": []}}, ""),
        ({"string": {"contains": "5"}}, "text"),
        ({"string": {"startsWith": "t"}}, "word"),
        ({"string": {"startsWith": ""}}, "text word"),
        ({"number": {"eq": 5}}, "number"),
        ({"number": {"eq": 5.5}}, "real"),
        ({"number": {"gt": 5}}, "real"),
        ({"number": {"gte": 5}}, "number real"),
        ({"number": {"lt": 5}}, "one"),
        ({"number": {"lte": 5}}, "number one"),
        ({"number": {"eq": 1}}, "one"),
        ({"number": {"gt": 0, "lt": 2}}, "one"),
        ({"boolean": True}, "yes"),
        ({"boolean": False}, "no"),
        ({"exists": True}, "list no number object one real text word yes"),
        ({"exists": False}, "absent null"),
        ({"string": {"isNull": True}}, "absent null"),
        ({"number": {"isNull": False}}, "list no number object one real text word yes"),
        ({"string": {"eq": "5"}, "number": {"eq": 5}}, ""),
        ({}, "absent list no null number object one real text word yes"),
    ]:
        assert await of_custom(api, "k", **condition) == expected, condition
    negated = {"not": {"customFields": [{"key": "k", "number": {"gte": 1}}]}}
    assert await met(api, negated) == "absent list no null object text word yes"


async def test_custom_datetimes_are_compared_regardless_of_offset(api: Client) -> None:
    values: dict[str, Any] = {
        "early": "2024-03-01T14:00:00+02:00",
        "late": "2024-03-01t12:00:00.5z",
        "west": "2024-03-01T08:00:00-05:30",
        "naive": "2024-03-01T12:00:00",
        "day": "2024-03-01",
        "impossible": "2024-02-30T12:00:00Z",
        "prose": "at noon",
        "number": 1709294400,
        "list": ["2024-03-01T12:00:00Z"],
    }
    await put(api, absent={}, **{name: {"customFields": {"at": v}} for name, v in values.items()})
    for condition, expected in [
        ({"gt": "2024-03-01T12:00:00Z"}, "late west"),
        ({"gte": "2024-03-01T13:00:00+01:00"}, "early late west"),
        ({"lt": "2024-03-01T12:00:00.5Z"}, "early"),
        ({"lte": "2024-03-01T12:00:00.5Z"}, "early late"),
        ({"gte": "2024-03-01T13:30:00Z", "lte": "2024-03-01T13:30:00Z"}, "west"),
        ({"lt": "9999-12-31T23:59:59Z"}, "early late west"),
    ]:
        assert await of_custom(api, "at", datetime=condition) == expected, condition


async def test_custom_numbers_are_compared_exactly(api: Client) -> None:
    values = {"below": 2**53 - 1, "even": 2**53, "above": 2**53 + 1, "tenth": 0.1, "huge": 1e300}
    await put(api, **{name: {"customFields": {"n": value}} for name, value in values.items()})
    for condition, expected in [
        ({"eq": 2**53}, "even"),
        ({"gt": 2**53}, "above huge"),
        ({"gte": 2**53}, "above even huge"),
        ({"lt": 2**53}, "below tenth"),
        ({"lte": 2**53}, "below even tenth"),
        ({"eq": 0.1}, "tenth"),
        ({"gte": 0.1, "lte": 0.1}, "tenth"),
        ({"lt": 0.1}, ""),
        ({"gte": 1e300}, "huge"),
        ({"gt": 1e300}, ""),
    ]:
        assert await of_custom(api, "n", number=condition) == expected, condition


# What DateTime takes is a moment in a custom field as well, and nothing else is.
ODD_MOMENTS = {
    "far": "2024-03-01T12:00:00+17:00",
    "nano": "2024-03-01T12:00:00.1234567Z",
    "space": "\u00a02024-03-01T12:00:00Z\n",
    "leap": "2016-12-31T23:59:60Z",
    "midnight": "2024-03-01T24:00:00Z",
    "year0": "0001-01-01T00:00:00+02:00",
    "year10000": "9999-12-31T23:59:59-02:00",
}


async def test_odd_custom_moments_are_read_alike_on_both_databases(api: Client) -> None:
    people = {name: {"customFields": {"at": value}} for name, value in ODD_MOMENTS.items()}
    await put(api, **people)
    every = {"gte": "0001-01-01T00:00:00Z"}
    assert await of_custom(api, "at", datetime=every) == "far nano space"
    nano = {"gte": ODD_MOMENTS["nano"], "lte": ODD_MOMENTS["nano"]}
    assert await of_custom(api, "at", datetime=nano) == "nano"
    far = {"gte": "2024-02-29T19:00:00Z", "lte": "2024-02-29T19:00:00Z"}
    assert await of_custom(api, "at", datetime=far) == "far"


async def test_custom_key_is_compared_exactly(api: Client) -> None:
    plain = ["a", "a.b", "$.a", "a[0]", "0", "", "%", "with space", "é\n\t", "\U0001f600"]
    keys = [*plain, 'say "so"', "it's", "\\", "#", "?", ":x", "b"]
    people: dict[str, Any] = {}
    for index, key in enumerate(keys):
        people[f"t{index:02}"] = {"customFields": {key: "text"}}
        people[f"u{index:02}"] = {"customFields": {key: index}}
    await put(api, **people, other={"customFields": {"z": {"b": "text"}, "y": [{"": "text"}]}})
    everybody = set(people) | {"other"}
    for index, key in enumerate(keys):
        text, number = f"t{index:02}", f"u{index:02}"
        assert await of_custom(api, key, string={"eq": "text"}) == text, key
        assert await of_custom(api, key, string={"contains": "ext"}) == text, key
        assert await of_custom(api, key, number={"gt": -1}) == number, key
        assert await of_custom(api, key, number={"eq": index}) == number, key
        assert await of_custom(api, key, exists=True) == f"{text} {number}", key
        without = await of_custom(api, key, exists=False)
        assert set(without.split()) == everybody - {text, number}, key


async def test_a_long_custom_text_is_found_like_a_short_one(api: Client) -> None:
    edge = "é" * TEXT_LENGTH
    people = {"long": f"{edge}e", "edge": edge, "short": "é"}
    await put(api, **{name: {"customFields": {"k": text}} for name, text in people.items()})
    assert await of_custom(api, "k", string={"eq": edge}) == "edge"
    assert await of_custom(api, "k", string={"in": ["é", edge]}) == "edge short"
    assert await of_custom(api, "k", string={"startsWith": edge[:PATTERN_LENGTH]}) == "edge long"
    assert await of_custom(api, "k", string={"contains": "ée"}) == "long"


async def test_custom_filters_follow_every_write(api: Client) -> None:
    await put(api, ada={"customFields": {"k": "old", "n": 1, "b": True}})
    await put(api, ada={"customFields": {"k": "new", "n": 1.5, "b": None}})
    assert await of_custom(api, "k", string={"eq": "old"}) == ""
    assert await of_custom(api, "k", string={"eq": "new"}) == "ada"
    assert await of_custom(api, "n", number={"eq": 1}) == ""
    assert await of_custom(api, "n", number={"eq": 1.5}) == "ada"
    assert await of_custom(api, "n", number={"lt": 1.2}) == ""
    assert await of_custom(api, "n", number={"gt": 1.2}) == "ada"
    assert await of_custom(api, "b", boolean=True) == ""
    await api('mutation { deleteContact(by: {email: "ada@example.com"}) { __typename } }')
    await put(api, bob={})
    assert await of_custom(api, "k", string={"eq": "new"}) == ""


async def test_filters_never_reach_another_workspace(api: Client, stranger: Client) -> None:
    secret = {"name": "Ada", "tags": ["vip"], "customFields": {"k": "x"}, "isActive": False}
    await put(stranger, ada=secret)
    await put(api, bob={})
    for condition in [
        {"name": {"eq": "Ada"}},
        {"name": {"contains": "Ada"}},
        {"tags": {"hasAny": ["vip"]}},
        {"customFields": [{"key": "k", "string": {"eq": "x"}}]},
        {"isActive": False},
    ]:
        assert await met(api, condition) == "", condition
        assert await met(stranger, condition) == "ada", condition
        assert await met(api, {"not": condition}) == "bob", condition


NAIVE = "2024-03-01T12:00:00"
BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"createdAt": {"gt": NAIVE}}, "INVALID_FORMAT", "createdAt.gt"),
    ({"unsubscribedAt": {"lte": "soon"}}, "INVALID_FORMAT", "unsubscribedAt.lte"),
    ({"lastOrderAt": {"gte": 5}}, "INVALID_FORMAT", "lastOrderAt.gte"),
    ({"professionalId": {"eq": "x"}}, "INVALID_FORMAT", "professionalId.eq"),
    ({"professionalId": {"in": [PROFESSIONAL, ""]}}, "INVALID_FORMAT", "professionalId.in"),
    ({"name": {"eq": "a\x00"}}, "INVALID_FORMAT", "name.eq"),
    ({"email": {"startsWith": "a\x00"}}, "INVALID_FORMAT", "email.startsWith"),
    ({"phoneE164": {"in": ["a\x00"]}}, "INVALID_FORMAT", "phoneE164.in"),
    ({"addressLine1": {"contains": "a\ud800"}}, "INVALID_FORMAT", "addressLine1.contains"),
    ({"tags": {"hasAll": ["a", "a\x00"]}}, "INVALID_FORMAT", "tags.hasAll"),
    ({"tags": {"hasAny": ["a\x00"]}}, "INVALID_FORMAT", "tags.hasAny"),
    ({"tags": {"hasNone": ["a\x00"]}}, "INVALID_FORMAT", "tags.hasNone"),
    ({"assignedTo": {"kind": "", "targetId": "1"}}, "INVALID_FORMAT", "assignedTo.kind"),
    ({"assignedTo": {"kind": "a", "targetId": "i" * 256}}, "TOO_LONG", "assignedTo.targetId"),
    ({"not": {"or": [{}, {"name": {"eq": "\x00"}}]}}, "INVALID_FORMAT", "not.or.1.name.eq"),
    ({"and": [{"createdAt": {"lt": NAIVE}}]}, "INVALID_FORMAT", "and.0.createdAt.lt"),
    ({"customFields": [{"key": "\x00"}]}, "INVALID_FORMAT", "customFields.0.key"),
    (
        {"customFields": [{"key": "a"}, {"key": "b", "string": {"eq": "\x00"}}]},
        "INVALID_FORMAT",
        "customFields.1.string.eq",
    ),
    (
        {"customFields": [{"key": "a", "datetime": {"gt": NAIVE}}]},
        "INVALID_FORMAT",
        "customFields.0.datetime.gt",
    ),
    ({"name": {"in": ["a"] * (LIST_VALUES_LIMIT + 1)}}, "TOO_MANY", "name.in"),
    ({"tags": {"hasAny": ["a"] * (LIST_VALUES_LIMIT + 1)}}, "TOO_MANY", "tags.hasAny"),
]


async def test_a_broken_value_is_refused_by_its_path(api: Client) -> None:
    headers = {"x-api-key": api.key, "content-type": "application/json"}
    for condition, code, field in BROKEN:
        # Not by the client's own JSON, which would refuse the lone surrogate.
        body = json.dumps({"query": FILTERED, "variables": {"filter": condition}})
        answer = (await api.http.post("/graphql", content=body, headers=headers)).json()
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT", field
        [broken] = error["extensions"]["errors"]
        assert (broken["code"], broken["field"]) == (code, f"filter.{field}")


def nested(levels: int) -> dict[str, Any]:
    """A filter of so many levels, the first of which is the filter itself."""
    return {"not": nested(levels - 1)} if levels > 1 else {}


async def test_a_filter_has_a_limited_number_of_levels(api: Client) -> None:
    await put(api, ada={})
    assert await met(api, nested(CONDITION_DEPTH_LIMIT)) == ""
    deep = "filter" + ".not" * CONDITION_DEPTH_LIMIT
    assert await api.errors(FILTERED, filter=nested(CONDITION_DEPTH_LIMIT + 1)) == [
        ("TOO_MANY", deep)
    ]


async def test_a_filter_has_a_limited_number_of_conditions(api: Client) -> None:
    await put(api, ada={"name": "Ada"})
    too_many = [("TOO_MANY", "filter")]
    ones: list[dict[str, Any]] = [
        {"name": {"eq": "Ada"}},
        {"not": {"name": {"eq": "Ada"}}},
        {"not": {}},
        {"or": []},
        {},
        {"tags": {"hasAny": []}},
        {"customFields": [{"key": "k", "number": {"gt": 1}}]},
    ]
    for one in ones:
        assert await met(api, {"or": [one] * CONDITIONS_LIMIT}) == await met(api, one), one
        beyond = {"or": [one] * (CONDITIONS_LIMIT + 1)}
        assert await api.errors(FILTERED, filter=beyond) == too_many, one
        split = {"and": [one] * CONDITIONS_LIMIT, "email": {"contains": "a"}}
        assert await api.errors(FILTERED, filter=split) == too_many, one


async def test_each_tag_of_has_all_counts_as_a_condition(api: Client) -> None:
    tags = [str(number) for number in range(CONDITIONS_LIMIT // 2)]
    await put(api, ada={"tags": tags}, bob={"tags": tags[1:]})
    assert await met(api, {"tags": {"hasAll": tags * 2}}) == "ada"
    too_many = {"tags": {"hasAll": [*tags, *tags, "more"]}}
    assert await api.errors(FILTERED, filter=too_many) == [("TOO_MANY", "filter")]


async def test_every_list_may_be_as_long_as_the_limit(api: Client) -> None:
    values = [f"v{number}" for number in range(LIST_VALUES_LIMIT)]
    await put(
        api,
        ada={"name": "v7", "company": "v7", "tags": ["v7"], "customFields": {"k": "v7"}},
        bob={},
    )
    for condition in (
        {"name": {"in": values}},
        {"company": {"in": values}},
        {"tags": {"hasAny": values}},
        {"customFields": [{"key": "k", "string": {"in": values}}]},
        {"not": {"tags": {"hasNone": values}}},
    ):
        assert await met(api, condition) == "ada", next(iter(condition))
        assert await met(api, {"not": condition}) == "bob", next(iter(condition))


async def test_all_lists_of_a_filter_together_are_limited(api: Client) -> None:
    values = [f"v{number}" for number in range(LIST_VALUES_LIMIT)]
    await put(api, ada={"name": "v7"})
    full = [{"name": {"in": values}}] * (CONDITION_VALUES_LIMIT // LIST_VALUES_LIMIT)
    assert await met(api, {"or": full}) == "ada"
    assert await met(api, {"and": full}) == "ada"
    beyond = {"or": [*full, {"email": {"in": ["ada@example.com"]}}]}
    assert await api.errors(FILTERED, filter=beyond) == [("TOO_MANY", "filter")]


async def test_all_filters_of_an_operation_together_are_limited(api: Client) -> None:
    document = """
    query ($filter: ContactFilter, $other: ContactFilter) {
      one: contacts(filter: $filter) { nodes { id } }
      other: contacts(filter: $other) { nodes { id } }
    }
    """
    half = [{"name": {"eq": "Ada"}}] * (CONDITIONS_LIMIT // 2)
    answer = await api.execute(document, filter={"or": half}, other={"or": half})
    assert "errors" not in answer
    answer = await api.execute(document, filter={"or": half}, other={"or": [*half, {}]})
    [error] = answer["errors"]
    assert error["extensions"]["errors"] == [
        {
            "code": "TOO_MANY",
            "field": "filter",
            "message": "must have at most 200 conditions in an operation, has 201",
        }
    ]


@pytest.mark.parametrize(
    ("member", "length"),
    [
        ("contains", PATTERN_LENGTH),
        ("startsWith", PATTERN_LENGTH),
        ("eq", TEXT_LENGTH),
        ("in", TEXT_LENGTH),
    ],
)
async def test_a_text_to_compare_with_has_a_limited_length(
    api: Client, member: str, length: int
) -> None:
    def comparing(text: str) -> dict[str, Any]:
        return {"notes": {member: [text] if member == "in" else text}}

    text = "n" * length
    await put(api, ada={"notes": text})
    assert await met(api, comparing(text)) == "ada"
    for filter_, path in (
        (comparing(f"{text}n"), f"filter.notes.{member}"),
        ({"not": comparing(f"{text}n")}, f"filter.not.notes.{member}"),
    ):
        assert await api.errors(FILTERED, filter=filter_) == [("TOO_LONG", path)]


async def test_null_is_refused_and_not_treated_as_a_missing_member(api: Client) -> None:
    await put(api, ada={})
    nulls: list[tuple[dict[str, Any], str]] = [
        ({"name": None}, "filter.name"),
        ({"name": {"eq": None}}, "filter.name.eq"),
        ({"name": {"in": None}}, "filter.name.in"),
        ({"and": None}, "filter.and"),
        ({"or": [{"not": None}]}, "filter.or.0.not"),
        ({"isActive": None}, "filter.isActive"),
        ({"tags": {"hasAny": None}}, "filter.tags.hasAny"),
        ({"lifetimeValue": {"gt": None}}, "filter.lifetimeValue.gt"),
        ({"createdAt": {"isNull": None}}, "filter.createdAt.isNull"),
        ({"assignedTo": None}, "filter.assignedTo"),
        ({"customFields": None}, "filter.customFields"),
        ({"customFields": [{"key": "k", "exists": None}]}, "filter.customFields.0.exists"),
        (
            {"customFields": [{"key": "k", "number": {"lt": None}}]},
            "filter.customFields.0.number.lt",
        ),
    ]
    for condition, field in nulls:
        assert await api.errors(FILTERED, filter=condition) == [("INVALID_FORMAT", field)]
    for condition in ({"name": {"in": [None]}}, {"or": [None]}, {"customFields": [{"key": None}]}):
        answer = await api.execute(FILTERED, filter=condition)
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT", condition
        assert not answer.get("data"), condition


async def test_literal_that_overflows_a_float_is_refused(api: Client) -> None:
    for condition, field in (
        ("lifetimeValue: {gt: 1e400}", "filter.lifetimeValue.gt"),
        ('customFields: {key: "k", number: {eq: -1e400}}', "filter.customFields.0.number.eq"),
    ):
        document = f"{{ contacts(filter: {{{condition}}}) {{ totalCount }} }}"
        assert await api.errors(document) == [("OUT_OF_RANGE", field)]


async def test_contacts_are_filtered_by_id(api: Client) -> None:
    await put(api, ada={}, bob={}, cy={})
    find = "query ($by: ContactKey!) { contact(by: $by) { id } }"
    ada, bob = [
        (await api(find, by={"email": f"{name}@example.com"}))["id"] for name in ("ada", "bob")
    ]
    nobody = "01890000-0000-7000-8000-000000000000"
    assert await met(api, {"id": {"eq": ada.upper()}}) == "ada"
    assert await met(api, {"id": {"in": [ada, bob, nobody]}}) == "ada bob"
    assert await met(api, {"not": {"id": {"in": [ada, bob]}}}) == "cy"
    assert await met(api, {"id": {"isNull": True}}) == ""


async def test_numbers_are_met_in_a_list(api: Client) -> None:
    await put(
        api,
        ada={"lifetimeValue": 1.5, "ordersCount": 3, "customFields": {"n": 2}},
        bob={"lifetimeValue": 2, "ordersCount": 4, "customFields": {"n": 2.5}},
        cy={"customFields": {"n": "2"}},
    )
    for condition, expected in (
        ({"lifetimeValue": {"in": [1.5, 7]}}, "ada"),
        ({"lifetimeValue": {"in": [2, 1.5]}}, "ada bob"),
        ({"ordersCount": {"in": [4, 5]}}, "bob"),
        ({"ordersCount": {"in": []}}, ""),
        ({"version": {"in": [1]}}, "ada bob cy"),
        ({"customFields": [{"key": "n", "number": {"in": [2, 9]}}]}, "ada"),
        ({"customFields": [{"key": "n", "number": {"in": [2, 2.5]}}]}, "ada bob"),
        ({"customFields": [{"key": "n", "number": {"in": []}}]}, ""),
    ):
        assert await met(api, condition) == expected, condition


async def test_texts_are_compared_regardless_of_case_where_asked(api: Client) -> None:
    given = {"company": "Ärzte GmbH", "customFields": {"t": "Ärzte GmbH"}}
    await put(api, ada=given, bob={"company": "arzte", "customFields": {"t": "arzte"}}, cy={})
    for condition, expected in (
        ({"eq": "ÄRZTE gmbh"}, "ada"),
        ({"eq": "ÄRZTE"}, ""),
        ({"in": ["ärzte gmbh", "ARZTE"]}, "ada bob"),
        ({"contains": "TE"}, "ada bob"),
        ({"startsWith": "ä"}, "ada"),
        ({"startsWith": "A"}, "bob"),
    ):
        asked = condition | {"ignoreCase": True}
        assert await met(api, {"company": asked}) == expected, condition
        custom = {"customFields": [{"key": "t", "string": asked}]}
        assert await met(api, custom) == expected, condition
    assert await met(api, {"company": {"eq": "ärzte gmbh", "ignoreCase": False}}) == ""
