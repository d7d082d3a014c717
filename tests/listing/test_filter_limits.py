"""Filters that are refused: broken values, null, and what is beyond a limit."""

import json
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
from tests.support.filters import FILTERED, PROFESSIONAL, met, put

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
