"""Reading contacts: pages, look-ups by key, node and viewer."""

from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.client import Client
from tests.support.statements import statements

CREATE = """
mutation ($inputs: [ContactInput!]!) {
    upsertContacts(inputs: $inputs) {
        created rows { result { ... on ContactCreated { contact { id email } } } }
    }
}
"""
PAGE = """
query ($orderBy: ContactOrder, $first: Int, $after: String, $last: Int, $before: String) {
    contacts(orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { email } }
        nodes { email }
        pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
    }
}
"""
DELETE = "mutation ($email: String!) { deleteContact(by: {email: $email}) { __typename } }"
KEYS = "query ($keys: [ContactKey!]!) { contactsByKey(keys: $keys) { email } }"

FIELDS = {
    "CREATED_AT": "createdAt",
    "UPDATED_AT": "updatedAt",
    "EMAIL": "email",
    "NAME": "name",
    "LIFETIME_VALUE": "lifetimeValue",
    "LAST_ORDER_AT": "lastOrderAt",
}
# Ties in every field, and contacts that have no value in some.
CONTACTS: list[dict[str, Any]] = [
    {
        "email": f"{letter}@example.com",
        "createdAt": f"2026-01-0{created}T08:00:00{offset}",
        "updatedAt": f"2026-02-0{updated}T08:00:00.{micros}Z",
        "name": name,
        "lifetimeValue": value,
        "lastOrderAt": None if ordered is None else f"2025-03-0{ordered}T08:00:00+05:30",
    }
    for letter, created, offset, updated, micros, name, value, ordered in [
        ("d", 3, "Z", 1, "000001", "Ada", 10.5, 2),
        ("a", 1, "Z", 1, "000001", "ada", -1.0, None),
        ("f", 3, "Z", 2, "5", None, None, 2),
        ("c", 2, "+02:00", 3, "000002", "Éva", None, None),
        ("b", 3, "-08:00", 1, "000002", "Bob", 1e300, 1),
        ("g", 2, "Z", 1, "0", "Eva", 10.5, 2),
        ("e", 2, "Z", 9, "999999", None, 0.0, 1),
    ]
]
ORDERS = [
    {"field": field, "direction": direction}
    for field, direction in product(FIELDS, ("ASC", "DESC"))
]


@pytest.fixture
async def listed(api: Client) -> dict[str, str]:
    """The ids of CONTACTS by their emails."""
    made = await api(CREATE, inputs=CONTACTS)
    assert made["created"] == len(CONTACTS)
    contacts = [row["result"]["contact"] for row in made["rows"]]
    return {contact["email"]: contact["id"] for contact in contacts}


def expected(order: dict[str, str], ids: dict[str, str]) -> list[str]:
    """By value and then by id, either way; contacts without a value behind, either way."""
    descending = order["direction"] == "DESC"
    name = FIELDS[order["field"]]

    def value(contact: dict[str, Any]) -> Any:
        found = contact[name]
        if name.endswith("At") and found:
            return datetime.fromisoformat(found)
        return found.replace("É", "e").lower() if name == "name" and found else found

    def place(contact: dict[str, Any]) -> tuple[Any, UUID]:
        return value(contact), UUID(ids[contact["email"]])

    with_value = [contact for contact in CONTACTS if contact[name] is not None]
    without = [contact for contact in CONTACTS if contact[name] is None]
    with_value.sort(key=place, reverse=descending)
    without.sort(key=lambda contact: UUID(ids[contact["email"]]), reverse=descending)
    return [contact["email"] for contact in [*with_value, *without]]


def emails(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["email"] for edge in page["edges"]]


async def test_walk_returns_each_contact_once_in_order(api: Client, listed: dict[str, str]) -> None:
    for order, size in product(ORDERS, (3, 7)):
        everyone = expected(order, listed)
        seen: list[str] = []
        after = None
        while True:
            page = await api(PAGE, orderBy=order, first=size, after=after)
            info = page["pageInfo"]
            assert info["hasPreviousPage"] == bool(seen)
            seen += emails(page)
            assert info["hasNextPage"] == (len(seen) < len(everyone))
            assert info["startCursor"] == page["edges"][0]["cursor"]
            assert info["endCursor"] == page["edges"][-1]["cursor"]
            assert page["nodes"] == [edge["node"] for edge in page["edges"]]
            if not info["hasNextPage"]:
                break
            assert len(page["edges"]) == size
            after = info["endCursor"]
        assert seen == everyone, order


async def test_walk_backwards_is_the_reverse_of_the_list(
    api: Client, listed: dict[str, str]
) -> None:
    for order, size in product(ORDERS, (3, 7)):
        everyone = expected(order, listed)
        seen: list[str] = []
        before = None
        while True:
            page = await api(PAGE, orderBy=order, last=size, before=before)
            info = page["pageInfo"]
            assert info["hasNextPage"] == bool(seen)
            seen = emails(page) + seen
            assert info["hasPreviousPage"] == (len(seen) < len(everyone))
            if not info["hasPreviousPage"]:
                break
            before = info["startCursor"]
        assert seen == everyone, order


async def test_cursor_of_any_contact_leads_to_its_neighbours(
    api: Client, listed: dict[str, str]
) -> None:
    for order in ORDERS:
        everyone = expected(order, listed)
        edges = (await api(PAGE, orderBy=order, first=100))["edges"]
        for at, edge in enumerate(edges):
            following = await api(PAGE, orderBy=order, after=edge["cursor"])
            assert emails(following) == everyone[at + 1 :]
            preceding = await api(PAGE, orderBy=order, before=edge["cursor"])
            assert emails(preceding) == everyone[:at]
        bounds = {"after": edges[1]["cursor"], "before": edges[-2]["cursor"]}
        assert emails(await api(PAGE, orderBy=order, **bounds)) == everyone[2:-2]


async def test_contacts_come_newest_first_unless_ordered_otherwise(
    api: Client, listed: dict[str, str]
) -> None:
    newest = expected({"field": "CREATED_AT", "direction": "DESC"}, listed)
    for order in (None, {}, {"field": "CREATED_AT"}, {"direction": "DESC"}):
        assert emails(await api(PAGE, orderBy=order)) == newest


async def test_empty_page_has_no_cursors(api: Client, listed: dict[str, str]) -> None:
    for arguments, following, preceding in (
        ({"first": 0}, True, False),
        ({"last": 0}, False, True),
    ):
        page = await api(PAGE, **arguments)
        assert page["edges"] == []
        assert page["pageInfo"] == {
            "startCursor": None,
            "endCursor": None,
            "hasNextPage": following,
            "hasPreviousPage": preceding,
        }


async def test_list_without_contacts_is_one_empty_page(api: Client) -> None:
    page = await api(PAGE)
    assert page["edges"] == []
    assert page["pageInfo"]["hasNextPage"] is False
    assert page["pageInfo"]["hasPreviousPage"] is False


async def test_page_past_the_end_knows_that_contacts_stand_before_it(
    api: Client, listed: dict[str, str]
) -> None:
    last = (await api(PAGE, last=1))["pageInfo"]["endCursor"]
    page = await api(PAGE, after=last)
    assert page["edges"] == []
    assert page["pageInfo"]["hasPreviousPage"] is True
    assert page["pageInfo"]["hasNextPage"] is False


async def test_cursor_is_stable_when_contacts_are_created_and_deleted(
    api: Client, listed: dict[str, str]
) -> None:
    order = {"field": "EMAIL", "direction": "ASC"}
    page = await api(PAGE, orderBy=order, first=3)
    assert emails(page) == ["a@example.com", "b@example.com", "c@example.com"]
    await api(CREATE, inputs=[{"email": "aa@example.com"}, {"email": "dd@example.com"}])
    for gone in ("b@example.com", "c@example.com"):
        await api(DELETE, email=gone)
    after = page["pageInfo"]["endCursor"]
    following = await api(PAGE, orderBy=order, first=3, after=after)
    assert emails(following) == ["d@example.com", "dd@example.com", "e@example.com"]
    assert following["pageInfo"]["hasPreviousPage"] is True
    preceding = await api(PAGE, orderBy=order, last=9, before=after)
    assert emails(preceding) == ["a@example.com", "aa@example.com"]


async def test_page_holds_50_unless_asked_for_up_to_100(api: Client) -> None:
    await api(CREATE, inputs=[{"email": f"{number}@example.com"} for number in range(101)])
    for arguments, size in (({}, 50), ({"first": 100}, 100), ({"last": 100}, 100)):
        assert len((await api(PAGE, **arguments))["edges"]) == size


async def test_total_is_counted_only_where_it_is_selected(
    api: Client, listed: dict[str, str]
) -> None:
    for selection, times in (
        ("edges { cursor }", 0),
        ("pageInfo { hasNextPage hasPreviousPage }", 0),
        ("nodes { id } totalCount @include(if: false)", 0),
        ("totalCount", 1),
        ("nodes { id } totalCount", 1),
        ("totalCountIsExact", 1),
    ):
        with statements() as sent:
            answer = await api(f"{{ contacts(first: 2) {{ {selection} }} }}")
        counts = [statement for statement in sent if "count(" in statement.lower()]
        assert len(counts) == times, selection
        assert answer.get("totalCount", 7) == 7


@pytest.mark.parametrize(("limit", "total", "is_exact"), [(7, 7, True), (6, 6, False)])
async def test_total_of_more_contacts_than_are_counted_is_the_limit_and_not_exact(
    api: Client,
    listed: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
    total: int,
    is_exact: bool,
) -> None:
    monkeypatch.setattr("app.contacts.listing.page.COUNT_LIMIT", limit)
    answer = await api("{ contacts { totalCount totalCountIsExact } }")
    assert answer == {"totalCount": total, "totalCountIsExact": is_exact}


async def test_page_reads_what_it_shows_and_one_more(api: Client, listed: dict[str, str]) -> None:
    with statements() as sent:
        await api("{ contacts(first: 2) { nodes { id email } } }")
    assert len([statement for statement in sent if "FROM contact" in statement]) == 1


async def test_contacts_by_key_are_in_the_order_of_keys_with_null_for_missing_ones(
    api: Client, listed: dict[str, str]
) -> None:
    await api(CREATE, inputs=[{"email": "x@example.com", "externalId": "x-1"}])
    keys = [
        {"email": "G@EXAMPLE.com "},
        {"email": "nobody@example.com"},
        {"id": listed["a@example.com"]},
        {"externalId": "x-1"},
        {"externalId": "X-1"},
        {"id": str(uuid4())},
        {"id": listed["g@example.com"].upper()},
        {"email": "g@example.com"},
    ]
    found = await api(KEYS, keys=keys)
    names = [contact and contact["email"][0] for contact in found]
    assert names == ["g", None, "a", "x", None, None, "g", "g"]
    assert await api(KEYS, keys=[]) == []


async def test_contacts_by_key_takes_100_keys_in_one_read_and_no_more(
    api: Client, listed: dict[str, str]
) -> None:
    keys = [{"email": f"{number}@example.com"} for number in range(99)] + [
        {"email": "a@example.com"}
    ]
    with statements() as sent:
        found = await api(KEYS, keys=keys)
    assert found == [None] * 99 + [{"email": "a@example.com"}]
    assert len([statement for statement in sent if "FROM contact " in statement]) <= 1
    assert await api.errors(KEYS, keys=[*keys, keys[0]]) == [("TOO_MANY", "keys")]


async def test_contact_is_found_by_each_of_its_keys(api: Client) -> None:
    made = await api(CREATE, inputs=[{"email": "Ada@Example.com", "externalId": "Ada"}])
    identity = made["rows"][0]["result"]["contact"]["id"]
    find = "query ($by: ContactKey!) { contact(by: $by) { id } }"
    for by in (
        {"id": identity},
        {"id": identity.upper()},
        {"externalId": "Ada"},
        {"externalId": " Ada\u00a0"},
        {"email": "ada@example.COM"},
        {"email": " ADA@example.com "},
    ):
        assert await api(find, by=by) == {"id": identity}
    for by in ({"externalId": "ada"}, {"email": "bob@example.com"}, {"id": str(uuid4())}):
        assert await api(find, by=by) is None


MALFORMED: list[tuple[dict[str, str], str]] = [
    ({"id": "nobody"}, "INVALID_FORMAT"),
    ({"id": ""}, "INVALID_FORMAT"),
    ({"id": "\x00"}, "INVALID_FORMAT"),
    ({"externalId": "\u00a0"}, "INVALID_FORMAT"),
    ({"externalId": "a\x00"}, "INVALID_FORMAT"),
    ({"externalId": "x" * 256}, "TOO_LONG"),
    ({"email": ""}, "INVALID_FORMAT"),
    ({"email": "nobody"}, "INVALID_FORMAT"),
    ({"email": f"{'x' * 64}@{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 60}"}, "TOO_LONG"),
]


@pytest.mark.parametrize(("key", "code"), MALFORMED)
async def test_malformed_key_is_an_error_in_every_read_and_write(
    api: Client, key: dict[str, str], code: str
) -> None:
    [name] = key
    for operation in (
        "query ($key: ContactKey!) { contact(by: $key) { id } }",
        "mutation ($key: ContactKey!) { updateContact(by: $key, input: {}) { __typename } }",
        "mutation ($key: ContactKey!) { deleteContact(by: $key) { __typename } }",
    ):
        assert await api.errors(operation, key=key) == [(code, f"by.{name}")]
    well_formed = {"email": "bob@example.com"}
    listed = [well_formed, key, key]
    wanted = [(code, f"keys.{index}.{name}") for index in (1, 2)]
    assert await api.errors(KEYS, keys=listed) == wanted
    if name == "id":
        node = "query ($id: ID!) { node(id: $id) { id } }"
        assert await api.errors(node, id=key["id"]) == [(code, "id")]
        assert await api.errors(NODES, ids=[str(uuid4()), key["id"]]) == [(code, "ids.1")]


NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Contact { email } } }"


async def test_nodes_are_in_the_order_of_ids_with_null_for_missing_ones(
    api: Client, stranger: Client, listed: dict[str, str]
) -> None:
    one, other = listed["a@example.com"], listed["g@example.com"]
    ids = [other, str(uuid4()), one.upper(), other]
    with statements() as sent:
        found = await api(NODES, ids=ids)
    assert [node and (node["__typename"], node["id"]) for node in found] == [
        ("Contact", other),
        None,
        ("Contact", one),
        ("Contact", other),
    ]
    assert len([statement for statement in sent if "FROM contact " in statement]) <= 1
    assert await stranger(NODES, ids=ids) == [None] * 4
    assert await api(NODES, ids=[]) == []
    assert await api.errors(NODES, ids=[one] * 101) == [("TOO_MANY", "ids")]


async def test_node_is_a_contact_by_its_id(api: Client, listed: dict[str, str]) -> None:
    document = "query ($id: ID!) { node(id: $id) { __typename id ... on Contact { email } } }"
    identity = listed["a@example.com"]
    assert await api(document, id=identity) == {
        "__typename": "Contact",
        "id": identity,
        "email": "a@example.com",
    }
    assert await api(document, id=str(uuid4())) is None


async def test_viewer_is_the_caller(api: Client, stranger: Client) -> None:
    document = "{ viewer { workspace { id name } apiKey { id prefix expiresAt } scopes } }"
    ours, theirs = await api(document), await stranger(document)
    assert (ours["workspace"]["name"], theirs["workspace"]["name"]) == ("ours", "theirs")
    assert ours["workspace"]["id"] != theirs["workspace"]["id"]
    assert api.key.startswith(ours["apiKey"]["prefix"])
    assert ours["apiKey"]["expiresAt"] is None
    assert ours["scopes"] == ["CONTACTS_READ", "CONTACTS_WRITE", "ADMIN"]


async def test_page_between_two_cursors_tells_of_what_lies_outside_on_both_sides(
    api: Client, listed: dict[str, str]
) -> None:
    order = {"field": "EMAIL", "direction": "ASC"}
    whole = await api(PAGE, orderBy=order, first=100)
    second, fifth = whole["edges"][1]["cursor"], whole["edges"][4]["cursor"]
    for size in ("first", "last"):
        inner = await api(PAGE, orderBy=order, after=second, before=fifth, **{size: 100})
        assert emails(inner) == ["c@example.com", "d@example.com"]
        info = inner["pageInfo"]
        assert (info["hasPreviousPage"], info["hasNextPage"]) == (True, True)
