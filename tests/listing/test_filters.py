"""Filters on a contact's own fields: every member, and what it holds for."""

from collections.abc import Callable
from typing import Any

from tests.support.client import Client
from tests.support.filters import PROFESSIONAL, met, put
from tests.support.mirrors import difference

ASSIGN = """
mutation ($by: ContactKey!, $to: AssigneeInput!) {
  assignContact(by: $by, to: $to) { __typename }
}
"""
UNSUBSCRIBE = "mutation ($by: ContactKey!) { unsubscribeContact(by: $by) { __typename } }"
MEMBERS = "query ($type: String!) { __type(name: $type) { inputFields { name type { name } } } }"

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
    # Those of custom fields are tested in test_custom_filters.py.
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
