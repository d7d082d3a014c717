"""Filters on custom fields: which values and keys meet a condition."""

from typing import Any

from app.contacts.limits import PATTERN_LENGTH, TEXT_LENGTH
from tests.support.client import Client
from tests.support.filters import met, put


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
