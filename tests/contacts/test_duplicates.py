"""Likely duplicates: which pairs, and why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contacts.store.duplicate_keys import similar_email_key
from tests.support.client import Client
from tests.support.pairs import DELETE, create, group, walk


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"phone": "+1 202-456-1111"}, {"phone": "+12024561111"}),
        ({"phone": "+1 202-456-1111"}, {"phone": "(202) 456 1111", "country": "us"}),
    ],
)
async def test_same_phone_in_any_format(
    api: Client, one: dict[str, Any], other: dict[str, Any]
) -> None:
    await create(api, {"email": "a@example.com", **one}, {"email": "b@example.com", **other})
    assert await walk(api) == [("a", "b", ["SAME_PHONE"])]


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Ada Lovelace", "company": "Acme"},
        {"name": " ADA \t lovelace", "company": "acmé"},
        {"firstName": "Ada", "lastName": "Lovelace", "company": "Acme"},
        {"firstName": "Ada Lovelace", "company": "ACME"},
    ],
)
async def test_same_name_and_company_ignore_case_accents_and_space(
    api: Client, other: dict[str, Any]
) -> None:
    ada = {"email": "a@example.com", "name": "Ada Lovelace", "company": "Acme"}
    await create(api, ada, {"email": "b@example.com", **other})
    assert await walk(api) == [("a", "b", ["SAME_NAME_AND_COMPANY"])]


async def test_name_and_company_as_long_as_they_may_be(api: Client) -> None:
    long = dict.fromkeys(("firstName", "lastName", "company"), "ΐ" * 255)
    await create(api, {"email": "a@example.com", **long}, {"email": "b@example.com", **long})
    assert await walk(api) == [("a", "b", ["SAME_NAME_AND_COMPANY"])]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada.lovelace@example.com", "adalovelace@example.com"),
        ("ada+news@example.com", "Ada@example.com"),
        ("a.d.a+x+y@example.com", "ada+z@EXAMPLE.com"),
    ],
)
async def test_emails_that_differ_only_in_dots_and_plus_tags_are_duplicates(
    api: Client, one: str, other: str
) -> None:
    await create(api, {"email": one}, {"email": other})
    [(*_, reasons)] = await walk(api)
    assert reasons == ["SIMILAR_EMAIL"]


async def test_contacts_that_are_not_duplicates(api: Client) -> None:
    await create(
        api,
        {"email": "ada@example.com", "name": "Ada", "phone": "12", "company": "Acme"},
        {"email": "ada@example.org", "name": "Ada", "phone": "12"},
        {"email": "+ada@example.com", "company": "Acme"},
        {"email": "+bob@example.com", "name": "Ada", "company": "Ada"},
        {"email": "adaexample.c@om.com", "company": " "},
    )
    assert await walk(api) == []


@pytest.mark.parametrize("size", [1, 2, None])
async def test_contacts_with_several_shared_values_are_one_pair(
    api: Client, size: int | None
) -> None:
    phone, work = {"phone": "+1 202-456-1111"}, {"name": "Ada", "company": "Acme"}
    await create(
        api,
        {"email": "switchboard@example.com", **phone},
        {"email": "ada@example.com", **phone, **work},
        {"email": "a.da@example.com", **phone, **work},
        {"email": "eve@example.com", **work},
    )
    assert await walk(api, size) == [
        ("switchboard", "ada", ["SAME_PHONE"]),
        ("switchboard", "a.da", ["SAME_PHONE"]),
        # Not listed by their phone, where both make a pair with the first of the group.
        ("ada", "a.da", ["SAME_PHONE", "SAME_NAME_AND_COMPANY", "SIMILAR_EMAIL"]),
        ("ada", "eve", ["SAME_NAME_AND_COMPANY"]),
    ]


async def test_duplicates_follow_changes_of_contacts(api: Client) -> None:
    await group(api, "+1 202-456-1111", "a", "b")
    await api(
        'mutation { updateContact(by: {email: "b@example.com"}, input: {phone: null, '
        'email: "a+b@example.com"}) { __typename } }'
    )
    assert await walk(api) == [("a", "a+b", ["SIMILAR_EMAIL"])]
    await api(DELETE, by={"email": "a@example.com"})
    assert await walk(api) == []


async def test_another_workspace_makes_no_pairs(api: Client, stranger: Client) -> None:
    await group(api, "+1 202-456-1111", "a")
    await group(stranger, "+1 202-456-1111", "b")
    assert await walk(api) == await walk(stranger) == []


@given(st.text("a.+", min_size=1), st.text("a.+", min_size=1))
def test_emails_that_differ_in_plus_tag_or_dots_are_similar(local: str, tag: str) -> None:
    plain = similar_email_key(f"b{local}@example.com")
    assert similar_email_key(f"b.{local}@example.com") == plain
    assert similar_email_key(plain) == plain
    if "+" not in local:
        assert similar_email_key(f"b{local}+{tag}@example.com") == plain
