"""Tags, custom fields and metadata go by their modes; the server's stamps go by none."""

from typing import Any

import pytest

from app.contacts.decision.apply import merge_patch
from app.contacts.decision.policy import ObjectMode, TagsMode
from app.tables import Contact
from tests.decision.examples import (
    STAMPS,
    changed,
    contact,
    created,
    errors,
    updated,
    warned,
)

KEY = {"external_id": "a"}
MERGE, REPLACE_KEYS, REPLACE = ObjectMode.MERGE, ObjectMode.REPLACE_KEYS, ObjectMode.REPLACE
OWN = {"created_via": "import", "api_key_id": "k1"}  # the stamps of the contacts below


def tagged(*tags: str) -> Contact:
    return contact(1, "ada@example.com", "a", tags=list(tags))


def holding(custom_fields: dict[str, Any]) -> Contact:
    return contact(1, "ada@example.com", "a", custom_fields=custom_fields)


def tracked(metadata: dict[str, Any]) -> Contact:
    return contact(1, "ada@example.com", "a", meta=metadata)


@pytest.mark.parametrize(
    ("mode", "given", "expected"),
    [
        (TagsMode.REPLACE, ["c", "a"], ["c", "a"]),
        (TagsMode.REPLACE, ["b", "a"], ["a", "b"]),
        (TagsMode.REPLACE, [], []),
        (TagsMode.ADD, ["c", "a"], ["a", "b", "c"]),
        (TagsMode.ADD, ["B"], ["a", "b", "B"]),
        (TagsMode.ADD, [], ["a", "b"]),
        (TagsMode.REMOVE, ["a", "z"], ["b"]),
        (TagsMode.REMOVE, ["A"], ["a", "b"]),
        (TagsMode.REMOVE, [], ["a", "b"]),
    ],
)
def test_tags_follow_their_mode(mode: TagsMode, given: list[str], expected: list[str]) -> None:
    outcome = updated(KEY | {"tags": given}, tagged("a", "b"), tags=mode)
    assert outcome.contact.tags == expected
    differs = expected != ["a", "b"]
    assert changed(outcome) == ({"tags": (["a", "b"], expected)} if differs else {})


@pytest.mark.parametrize("mode", TagsMode)
def test_tags_are_cleared_by_null_in_every_mode(mode: TagsMode) -> None:
    outcome = updated(KEY | {"tags": None}, tagged("a", "b"), tags=mode)
    assert changed(outcome) == {"tags": (["a", "b"], [])}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(TagsMode.REPLACE, ["x", "y"]), (TagsMode.ADD, ["x", "y"]), (TagsMode.REMOVE, [])],
)
def test_tags_of_a_created_contact_follow_their_mode(mode: TagsMode, expected: list[str]) -> None:
    given = {"email": "new@example.com", "tags": ["x", "y", "x"]}
    assert created(given, tags=mode).contact.tags == expected


def test_tags_added_beyond_a_hundred_are_too_many() -> None:
    full = tagged(*map(str, range(99)))
    assert len(updated(KEY | {"tags": ["x", "0"]}, full, tags=TagsMode.ADD).contact.tags) == 100
    assert errors(KEY | {"tags": ["x", "y"]}, full, tags=TagsMode.ADD) == [("TOO_MANY", "tags")]


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [  # RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_as_in_rfc_7396(target: Any, patch: Any, merged: Any) -> None:
    assert merge_patch(target, patch) == merged


@pytest.mark.parametrize(
    ("mode", "given", "expected"),
    [
        (MERGE, {"seats": 5}, {"plan": {"name": "pro", "until": 2027}, "seats": 5}),
        (MERGE, {"plan": {"until": None}}, {"plan": {"name": "pro"}, "seats": 3}),
        (MERGE, {"plan": None, "new": [1]}, {"seats": 3, "new": [1]}),
        (MERGE, {}, {"plan": {"name": "pro", "until": 2027}, "seats": 3}),
        (REPLACE_KEYS, {"seats": 5}, {"plan": {"name": "pro", "until": 2027}, "seats": 5}),
        (REPLACE_KEYS, {"plan": {"until": None}}, {"plan": {"until": None}, "seats": 3}),
        (REPLACE_KEYS, {"plan": None, "new": [1]}, {"seats": 3, "new": [1]}),
        (REPLACE_KEYS, {}, {"plan": {"name": "pro", "until": 2027}, "seats": 3}),
        (REPLACE_KEYS, None, {}),
        (REPLACE, {"seats": 5}, {"seats": 5}),
        (REPLACE, {"plan": None}, {"plan": None}),
        (REPLACE, {}, {}),
        (MERGE, None, {}),
        (REPLACE, None, {}),
    ],
)
def test_custom_fields_follow_their_mode(
    mode: ObjectMode, given: Any, expected: dict[str, Any]
) -> None:
    held = holding({"plan": {"name": "pro", "until": 2027}, "seats": 3})
    outcome = updated(KEY | {"custom_fields": given}, held, custom_fields=mode)
    assert outcome.contact.custom_fields == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (MERGE, {"b": {"c": 1}}),
        (REPLACE_KEYS, {"b": {"c": 1, "d": None}}),
        (REPLACE, {"a": None, "b": {"c": 1, "d": None}}),
    ],
)
def test_custom_fields_of_a_created_contact_follow_their_mode(
    mode: ObjectMode, expected: dict[str, Any]
) -> None:
    given = {"email": "new@example.com", "custom_fields": {"a": None, "b": {"c": 1, "d": None}}}
    assert created(given, custom_fields=mode).contact.custom_fields == expected


def test_custom_fields_changes_are_told_by_key() -> None:
    held = holding({"kept": 1, "gone": [2], "other": {"a": 1}})
    given = {"gone": None, "other": {"b": 2}, "new": "x"}
    assert changed(updated(KEY | {"custom_fields": given}, held)) == {
        "customFields.gone": ([2], None),
        "customFields.other": ({"a": 1}, {"a": 1, "b": 2}),
        "customFields.new": (None, "x"),
    }


@pytest.mark.parametrize(
    ("stored", "given", "differs"),
    [
        (1, 1.0, False),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}, False),
        (1, True, True),
        (0, False, True),
        ([1], [True], True),
        ([1], [1, 1], True),
        ({"a": 1}, {"a": 1, "b": 1}, True),
        ("1", 1, True),
        (None, 0, True),
    ],
)
def test_custom_field_differs_as_json_does(stored: Any, given: Any, differs: bool) -> None:
    outcome = updated(
        KEY | {"custom_fields": {"x": given}}, holding({"x": stored}), custom_fields=REPLACE
    )
    assert list(changed(outcome)) == (["customFields.x"] if differs else [])
    assert outcome.contact.version == (4 if differs else 3)


@pytest.mark.parametrize("stored", [{}, {"x": None}])
def test_custom_field_that_is_null_is_not_one_that_is_absent(stored: dict[str, Any]) -> None:
    given = {"x": None} if not stored else {}
    outcome = updated(KEY | {"custom_fields": given}, holding(stored), custom_fields=REPLACE)
    assert (outcome.contact.custom_fields, outcome.contact.version) == (given, 4)
    assert changed(outcome) == {"customFields.x": (None, None)}


@pytest.mark.parametrize(
    ("stored", "given", "error"),
    [
        ({str(n): n for n in range(99)}, {"x": 1, "y": 2}, ("TOO_MANY", "")),
        ({"a": "x" * 40_000}, {"b": "x" * 40_000}, ("TOO_LONG", "")),
    ],
)
@pytest.mark.parametrize("field", ["custom_fields", "meta"])
def test_object_beyond_its_limits_only_once_merged_is_invalid(
    stored: dict[str, Any], given: dict[str, Any], error: tuple[str, str], field: str
) -> None:
    held = contact(1, "ada@example.com", "a", **{field: stored})
    path = {"custom_fields": "customFields", "meta": "metadata"}[field]
    assert errors(KEY | {field: given}, held) == [(error[0], path)]
    replaced = updated(KEY | {field: given}, held, custom_fields=REPLACE, metadata=REPLACE)
    assert getattr(replaced.contact, field) == given


def test_limits_after_merging_are_all_reported() -> None:
    held = contact(
        1,
        "ada@example.com",
        "a",
        tags=[str(n) for n in range(100)],
        custom_fields={str(n): n for n in range(100)},
        meta={str(n): n for n in range(100)},
    )
    given = {"tags": ["x"], "custom_fields": {"x": 1}, "meta": {"x": 1}}
    assert errors(KEY | given, held, tags=TagsMode.ADD) == [
        ("TOO_MANY", "tags"),
        ("TOO_MANY", "customFields"),
        ("TOO_MANY", "metadata"),
    ]


def test_stamps_count_towards_no_limit() -> None:
    full = {str(n): n for n in range(100)}
    assert created({"email": "new@example.com", "meta": full}).contact.meta == full | STAMPS
    held = tracked(OWN | full)
    assert updated(KEY | {"meta": {"0": "x"}}, held).contact.meta == OWN | full | {"0": "x"}


@pytest.mark.parametrize(
    ("mode", "given", "expected"),
    [
        (MERGE, {"a": None, "b": {"c": 1}}, {"b": {"c": 1}, "kept": 1}),
        (REPLACE_KEYS, {"a": None, "b": {"c": None}}, {"b": {"c": None}, "kept": 1}),
        (REPLACE, {"b": 1}, {"b": 1}),
        (MERGE, None, {}),
        (REPLACE_KEYS, None, {}),
        (REPLACE, None, {}),
    ],
)
def test_metadata_follows_its_mode_and_keeps_its_stamps(
    mode: ObjectMode, given: Any, expected: dict[str, Any]
) -> None:
    held = tracked(OWN | {"a": 1, "kept": 1})
    outcome = updated(KEY | {"meta": given}, held, metadata=mode)
    assert outcome.contact.meta == OWN | expected
    assert warned(outcome) == []


@pytest.mark.parametrize("mode", ObjectMode)
@pytest.mark.parametrize("value", ["me", None, {"nested": 1}])
@pytest.mark.parametrize("stamp", ["created_via", "api_key_id"])
def test_stamp_cannot_be_changed_and_trying_is_a_warning(
    stamp: str, value: Any, mode: ObjectMode
) -> None:
    outcome = updated(KEY | {"meta": {stamp: value, "b": 1}}, tracked(OWN), metadata=mode)
    assert outcome.contact.meta == OWN | {"b": 1}
    assert warned(outcome) == [("RESERVED_METADATA", f"metadata.{stamp}")]
    assert changed(outcome) == {"metadata.b": (None, 1)}


@pytest.mark.parametrize("mode", ObjectMode)
def test_stamp_cannot_be_set_where_there_is_none(mode: ObjectMode) -> None:
    outcome = updated(KEY | {"meta": {"api_key_id": "me"}}, tracked({}), metadata=mode)
    assert (outcome.contact.meta, outcome.changes) == ({}, ())
    assert warned(outcome) == [("RESERVED_METADATA", "metadata.api_key_id")]


def test_stamps_sent_back_as_they_are_need_no_warning() -> None:
    assert warned(updated(KEY | {"meta": OWN | {"b": 1}}, tracked(OWN))) == []


@pytest.mark.parametrize("mode", ObjectMode)
def test_stamps_of_a_created_contact_cannot_be_set(mode: ObjectMode) -> None:
    given = {"email": "new@example.com", "meta": {"created_via": "me", "api_key_id": 1, "b": 1}}
    outcome = created(given, metadata=mode)
    assert outcome.contact.meta == STAMPS | {"b": 1}
    assert warned(outcome) == [
        ("RESERVED_METADATA", "metadata.created_via"),
        ("RESERVED_METADATA", "metadata.api_key_id"),
    ]


def test_stamps_of_a_created_contact_may_be_sent_and_not_cleared() -> None:
    given = {"email": "new@example.com"}
    assert warned(created(given | {"meta": {"created_via": "api_key"}})) == []
    cleared = created(given | {"meta": {"created_via": None}})
    assert cleared.contact.meta == STAMPS
    assert warned(cleared) == [("RESERVED_METADATA", "metadata.created_via")]


@pytest.mark.parametrize("mode", ObjectMode)
def test_metadata_at_its_limit_may_be_sent_back_with_its_stamps(mode: ObjectMode) -> None:
    full = created({"email": "new@example.com", "meta": {f"k{n}": n for n in range(100)}}).contact
    again = updated({"email": full.email, "meta": full.meta}, full, metadata=mode)
    assert (again.changes, again.warnings) == ((), ())
