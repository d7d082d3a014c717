"""Search: what is found, what is a letter, and that the index keeps in step."""

from string import digits, punctuation
from typing import Any

import pytest
from sqlalchemy import text

from app.contacts.limits import PATTERN_LENGTH, SEARCH_LENGTH
from app.database.sessions import Database
from tests.support.client import Client

UPSERT_MANY = """
mutation ($inputs: [ContactInput!]!) {
  upsertContacts(inputs: $inputs) { created updated invalid conflicts }
}
"""
SEARCH = """
query ($search: String, $filter: ContactFilter, $by: ContactOrder, $first: Int, $after: String) {
  contacts(search: $search, filter: $filter, orderBy: $by, first: $first, after: $after) {
    totalCount
    nodes { email }
    pageInfo { hasNextPage endCursor }
  }
}
"""
BY_EMAIL = {"field": "EMAIL", "direction": "ASC"}


async def put(api: Client, **people: dict[str, Any]) -> None:
    inputs = [{"email": f"{name}@example.com"} | given for name, given in people.items()]
    answer = await api(UPSERT_MANY, inputs=inputs)
    assert answer["created"] + answer["updated"] == len(inputs)


async def found(api: Client, search: str | None, **variables: Any) -> str:
    page = await api(SEARCH, search=search, **{"by": BY_EMAIL} | variables)
    if "first" not in variables:
        assert page["totalCount"] == len(page["nodes"])
    return " ".join(node["email"].partition("@")[0] for node in page["nodes"])


async def test_each_searched_field_is_found_by_any_part_of_it(api: Client) -> None:
    people: dict[str, dict[str, Any]] = {
        "extid": {"externalId": "Crm-4711"},
        "mail": {"email": "mail@Postbox.io"},
        "whole": {"name": "Grace Brewster Hopper"},
        "first": {"firstName": "Katherine"},
        "last": {"lastName": "Johnson"},
        "both": {"firstName": "Mary", "lastName": "Jackson"},
        "firm": {"company": "Vaughan Computing"},
        "phone": {"phone": "020 7946 0018", "country": "GB"},
    }
    await put(api, **people, other={"city": "Hopperville", "notes": "Katherine", "tags": ["Crm"]})
    for name, texts in {
        "extid": ["Crm-4711", "crm", "-47", "711"],
        "mail": ["mail@postbox.io", "postbox", "l@P", "x.i"],
        "whole": ["grace", "BREWSTER", "ster hop", "Grace Brewster Hopper", "per"],
        "first": ["katherine", "ath", "INE"],
        "last": ["johnson", "ohn"],
        "both": ["mary jackson", "ry ja", "jackson"],
        "firm": ["vaughan computing", "n c", "PUTING"],
        "phone": ["020 7946", "946 0", "+442079460018", "79460018"],
    }.items():
        for part in texts:
            assert await found(api, part) == name, part
            assert await found(api, f"  {part}\u00a0\n") == name, part
    assert await found(api, "Hopperville") == ""
    assert await found(api, "jackson mary") == ""
    assert await found(api, "Crm-4712") == ""
    assert await found(api, "example.com") == "both extid firm first last other phone whole"


async def test_all_are_listed_where_no_search_is_given(api: Client) -> None:
    await put(api, ada={}, bob={})
    assert await found(api, None) == "ada bob"


async def test_search_ignores_case_and_accents(api: Client) -> None:
    people = {
        "eva": "Éva Ångström",
        "combined": "E\u0301va A\u030angstro\u0308m",
        "street": "Große Straße",
        "turkish": "İSTANBUL DIŞ",
        "greek": "ΟΔΥΣΣΕΥΣ",
        "polish": "Łódź",
        "wide": "ＦＵＬＬ",  # noqa: RUF001  # full width is what is tested
        "ligature": "ﬁnal oﬃce",
        "cjk": "東京都港区",
        "korean": "한국어",
        "emoji": "a\U0001f600\U0001f680b",
    }
    await put(api, **{name: {"company": company} for name, company in people.items()})
    for search, expected in [
        ("eva", "combined eva"),
        ("ÉVÀ ÅNG", "combined eva"),
        ("e\u0301va", "combined eva"),
        ("ngstrom", "combined eva"),
        ("grosse", "street"),
        ("STRASSE", "street"),
        ("straße", "street"),
        ("STRAẞE", "street"),
        ("istanbul", "turkish"),
        ("İstanbul", "turkish"),
        ("d\u0131s", ""),  # the dotless i is a letter of its own
        ("dis", "turkish"),
        ("οδυσσεύς", "greek"),
        ("ΔΥΣΣΕΎΣ", "greek"),
        ("łodz", "polish"),
        ("lodz", ""),  # a stroke is no accent
        ("full", "wide"),
        ("ＦＵＬ", "wide"),  # noqa: RUF001
        ("final", "ligature"),
        ("office", "ligature"),
        ("東京都", "cjk"),
        ("京都港", "cjk"),
        ("京都区", ""),
        ("한국어", "korean"),
        ("a\U0001f600\U0001f680", "emoji"),
        ("\U0001f600\U0001f680b", "emoji"),
    ]:
        assert await found(api, search) == expected, search


async def test_wildcards_match_only_themselves(api: Client) -> None:
    marks = ["%", "_", "\\", "*", "?", "/", "%%", "\\%", "[a-z]", "^", "$", "'", '"', '""']
    people = {f"p{number:02}": f"10{mark}off" for number, mark in enumerate(marks)}
    await put(api, plain={"name": "10xoff"}, **{key: {"name": one} for key, one in people.items()})
    for name, held in people.items():
        assert await found(api, held) == name, held
        assert name in (await found(api, held[1:])).split(), held
    assert await found(api, "10%") == "p00 p06"
    assert await found(api, "%%%") == ""
    assert await found(api, "___") == ""


async def test_punctuation_between_words_is_matched_literally(api: Client) -> None:
    marks = punctuation + digits + " \n"
    people = {f"p{number:02}": f"Ab{mark}cd" for number, mark in enumerate(marks)}
    await put(api, **{name: {"notes": held} for name, held in people.items()})
    for name, held in people.items():
        assert await found(api, None, filter={"notes": {"contains": held[1:]}}) == name
        await put(api, **{name: {"company": held, "notes": None}})
    for name, held in people.items():
        assert await found(api, held[1:]) == name


async def test_syntax_of_full_text_search_is_matched_literally(api: Client) -> None:
    people = {
        "phrase": 'say "hello" twice',
        "boolean": "salt AND pepper OR sugar NOT honey",
        "prefix": "begin*",
        "minus": "well-known -secret",
        "near": "NEAR(salt pepper, 5)",
        "column": "search_text : salt",
        "braces": "{a b} : c + d ^e",
        "paren": "(((",
    }
    await put(api, **{name: {"company": company} for name, company in people.items()})
    for name, company in people.items():
        assert await found(api, company) == name, company
    for search, expected in [
        ('"hello"', "phrase"),
        ('hello"', "phrase"),
        ('"""', ""),
        ("salt AND pepper", "boolean"),
        ("pepper AND salt", ""),
        ("salt OR nothing", ""),
        ("NOT honey", "boolean"),
        ("NOT salt", ""),
        ("begin*", "prefix"),
        ("beg*", ""),
        ("-secret", "minus"),
        ("-known", "minus"),
        ("-honey", ""),
        ("NEAR(", "near"),
        ("search_text :", "column"),
        ("search_text:salt", ""),
        ("contact_text", ""),
        ("{a b}", "braces"),
        ("+ d ^e", "braces"),
        ("salt + pepper", ""),
        ("((", None),
        ("(((", "paren"),
        ("salt; DROP TABLE contact; --", ""),
        ("' OR 1=1 --", ""),
    ]:
        if expected is None:
            assert await api.errors(SEARCH, search=search) == [("OUT_OF_RANGE", "search")]
        else:
            assert await found(api, search) == expected, search


async def test_a_search_of_fewer_than_three_letters_is_refused(api: Client) -> None:
    await put(api, ada={"name": "Ada", "company": "東京"})
    for search in ("", " ", "ad", " ad ", "é\u0301a", "東京", "\u0301\u0301\u0301", "\U0001f600a"):
        refused = await api.errors(SEARCH, search=search)
        assert refused == [("OUT_OF_RANGE", "search")], search
    for search, expected in (("ada", "ada"), ("ßa", ""), ("½", "")):  # as they fold, so they count
        assert await found(api, search) == expected, search
    assert SEARCH_LENGTH == 3
    assert await api.errors(SEARCH, search="ada\x00") == [("INVALID_FORMAT", "search")]


async def test_the_longest_search_is_answered(api: Client) -> None:
    name = "".join(chr(0x4E00 + number) for number in range(PATTERN_LENGTH + 1))
    await put(api, ada={"name": name})
    assert await found(api, name[:-1]) == "ada"
    assert await found(api, name[1:]) == "ada"
    assert await api.errors(SEARCH, search=name) == [("TOO_LONG", "search")]
    assert await api.errors(SEARCH, search="n" * 900_000) == [("TOO_LONG", "search")]


async def test_search_follows_every_write(api: Client) -> None:
    await put(api, ada={"name": "Augusta Byron", "company": "Analytical"}, bob={})
    assert await found(api, "byron") == "ada"
    await put(api, ada={"name": "Ada Lovelace"})
    assert await found(api, "byron") == ""
    assert await found(api, "lovelace") == "ada"
    assert await found(api, "analytical") == "ada"
    await api(
        'mutation { updateContact(by: {email: "ada@example.com"}, input: {company: null}) '
        "{ __typename } }"
    )
    assert await found(api, "analytical") == ""
    await put(api, ada={"tags": ["vip"], "city": "London"})
    assert await found(api, "lovelace") == "ada"
    await api(
        'mutation { updateContact(by: {email: "ada@example.com"}, input: {email: "countess@x.io"}) '
        "{ __typename } }"
    )
    assert await found(api, "ada@ex") == ""
    assert await found(api, "countess") == "countess"
    await api('mutation { deleteContact(by: {email: "countess@x.io"}) { __typename } }')
    assert await found(api, "lovelace") == ""
    await put(api, eve={"name": "Eve Lovelace"})
    assert await found(api, "lovelace") == "eve"


async def test_a_search_never_finds_another_workspaces_contact(
    api: Client, stranger: Client
) -> None:
    await put(stranger, eve={"name": "Common Secret"})
    assert await found(api, "secret") == ""
    await put(api, ada={"name": "Common"}, eve={"name": "Eve"})
    assert await found(api, "common") == "ada"
    assert await found(stranger, "common") == "eve"
    assert await found(api, "secret") == ""
    assert await found(api, "secret", filter={"not": {"name": {"eq": "x"}}}) == ""
    await put(api, ada={"name": "Secret"})
    await api('mutation { deleteContact(by: {email: "ada@example.com"}) { __typename } }')
    assert await found(stranger, "secret") == "eve"


async def test_search_filter_and_order_go_together(api: Client) -> None:
    people: dict[str, dict[str, Any]] = {
        "ada": {"company": "Acme", "lifetimeValue": 1, "tags": ["vip"]},
        "bob": {"company": "ACME Corp", "lifetimeValue": 3, "tags": ["vip"]},
        "cy": {"name": "Mr Acmeson", "lifetimeValue": 2},
        "dan": {"company": "Acme", "tags": ["vip"]},
        "eve": {"company": "Other", "lifetimeValue": 9, "tags": ["vip"]},
    }
    await put(api, **people)
    by = {"field": "LIFETIME_VALUE", "direction": "DESC"}
    vip = {"tags": {"hasAny": ["vip"]}}
    assert await found(api, "acme", by=by) == "bob cy ada dan"
    assert await found(api, "acme", by=by, filter=vip) == "bob ada dan"
    assert await found(api, "acme", by=by, filter={"not": vip}) == "cy"
    assert await found(api, "acme", by=by, filter={}) == "bob cy ada dan"
    assert await found(api, "acme", filter={"lifetimeValue": {"gt": 1}}) == "bob cy"
    assert await found(api, "corp", filter={"company": {"contains": "Corp"}}) == "bob"
    seen, after = [], None
    for _ in range(3):
        variables = {"search": "acme", "filter": vip, "by": by, "first": 1, "after": after}
        page = await api(SEARCH, **variables)
        assert page["totalCount"] == 3
        seen += [node["email"][:3] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"] == (len(seen) < 3)
    assert seen == ["bob", "ada", "dan"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_text_that_is_no_longer_there_leaves_the_index(
    api: Client, database: Database
) -> None:
    async def held(phrase: str) -> int:
        match = text("SELECT count(*) FROM contact_text WHERE contact_text MATCH :phrase")
        async with database.read_directory() as session:
            connection = await session.connection()
            count: int = (await connection.execute(match, {"phrase": phrase})).scalar_one()
        return count

    await put(api, ada={"name": "Byron", "notes": "Called twice"})
    assert (await held("byron"), await held("Called")) == (1, 1)
    await put(api, ada={"city": "London"})
    assert (await held("byron"), await held("Called")) == (1, 1)
    await put(api, ada={"name": "Ada", "notes": "Wrote"})
    assert (await held("byron"), await held("Called"), await held("Wrote")) == (0, 0, 1)
    await put(api, ada={"name": "Byron", "notes": None})
    assert (await held("byron"), await held("Wrote")) == (1, 0)
    await api('mutation { deleteContact(by: {email: "ada@example.com"}) { __typename } }')
    assert await held("byron") == 0
