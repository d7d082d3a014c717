"""Requests that ask for much: cases of `scripts/bench attacks` that limits refuse, and the most
that limits allow."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPConnection
from typing import Any, Protocol

ANSWER_SECONDS = 120

SCALARS = (
    "id email name displayName prefix firstName lastName suffix phone phoneE164 company jobTitle "
    "notes addressLine1 addressLine2 city state postcode country timezone language tags isActive "
    "isUnsubscribed unsubscribedAt lifetimeValue ordersCount lastOrderAt professionalId "
    "customFields metadata createdAt updatedAt version externalId"
)
BULK = "mutation ($inputs: [ContactInput!]!) { upsertContacts(inputs: $inputs) { created } }"
DRY_BULK = BULK.replace("(inputs: $inputs)", "(inputs: $inputs, dryRun: true)")
UNKNOWN_ARGUMENT = BULK.replace("(inputs: $inputs)", "(inputs: $inputs, unknown: true)")
LOUD_BULK = f"""
mutation ($inputs: [ContactInput!]!) {{
  upsertContacts(inputs: $inputs) {{
    rows {{
      index
      result {{
        ... on ContactCreated {{ contact {{ {SCALARS} }} }}
        ... on ContactInvalid {{ errors {{ code field message }} }}
      }}
    }}
  }}
}}
"""
LIST = "query ($filter: ContactFilter) { contacts(filter: $filter) { nodes { id } } }"
UPDATE = """
mutation ($selection: ContactSelection!, $input: ContactPatch) {
  updateContacts(selection: $selection, input: $input) { updated }
}
"""
DELETE = "mutation ($by: ContactSelection!) { deleteContacts(selection: $by) { deleted } }"


class Target(Protocol):
    @property
    def port(self) -> int: ...

    @property
    def key(self) -> str: ...


Case = Callable[[Target], None]


def ask(target: Target, query: str, seconds: float = ANSWER_SECONDS, /, **variables: Any) -> None:
    """Raises TimeoutError without an answer in this time, and leaves."""
    connection = HTTPConnection("127.0.0.1", target.port, timeout=seconds)
    headers = {"x-api-key": target.key, "content-type": "application/json"}
    body = json.dumps({"query": query, "variables": variables}, separators=(",", ":"))
    with closing(connection):
        connection.request("POST", "/graphql", body.encode(), headers)
        connection.getresponse().read()


def emails(count: int) -> list[dict[str, Any]]:
    return [{"email": f"p{index}@example.com"} for index in range(count)]


_JSON = "contactsByKey(keys: $keys) { customFields metadata }"
ONE_LIST = f"query ($keys: [ContactKey!]!) {{ {_JSON} }}"
TWO_LISTS = f"query ($keys: [ContactKey!]!) {{ a: {_JSON} b: {_JSON} }}"
LONG_ANSWER = json.dumps({"query": ONE_LIST, "variables": {"keys": emails(100)}}).encode()


# --- Refused by a limit


def broken_tags(target: Target) -> None:
    """1,000 rows of 900 broken tags each"""
    ask(target, BULK, inputs=[one | {"tags": [""] * 900} for one in emails(1_000)])


def long_in(target: Target) -> None:
    """a filter `in` with 1.9 million values"""
    ask(target, LIST, filter={"professionalId": {"in": [1] * 1_900_000}})


def empty_tags(target: Target) -> None:
    """a contact with 1.3 million empty tags"""
    ask(target, BULK, inputs=[{"tags": [""] * 1_300_000}])


def rows_of_numbers(target: Target) -> None:
    """1,000 rows of 1,900 numbers each"""
    ask(target, BULK, inputs=[one | {"customFields": {"a": [1] * 1_900}} for one in emails(1_000)])


def unknown_variable(target: Target) -> None:
    """an unknown variable of 1.3 million empty lists"""
    ask(target, "{ viewer { scopes } }", unknown=[[]] * 1_300_000)


def repeated_fields(target: Target) -> None:
    """10 documents that select a field 240 times"""
    for number in range(10):
        ask(target, f"{{ a{number}: contacts {{ {'nodes { id } ' * 240} }} }}")


def many_counts(target: Target) -> None:
    """60 aliases of totalCount, of 20,000 contacts"""
    ask(target, f"{{ contacts {{ {' '.join(f'a{i}: totalCount' for i in range(60))} }} }}")


def many_filters(target: Target) -> None:
    """40 lists with 90 conditions `contains` each, of 20,000 contacts"""
    lists = " ".join(f"a{i}: contacts(filter: $filter) {{ nodes {{ id }} }}" for i in range(40))
    contains = [{"name": {"contains": f"q{index}"}} for index in range(90)]
    ask(target, f"query ($filter: ContactFilter) {{ {lists} }}", filter={"or": contains})


def large_contacts(target: Target) -> None:
    """10 times contactsByKey of 100 contacts of 130 KB"""
    fields = " ".join(
        f"a{i}: contactsByKey(keys: $keys) {{ customFields metadata }}" for i in range(10)
    )
    ask(target, f"query ($keys: [ContactKey!]!) {{ {fields} }}", keys=emails(100))


def ten_bulks(target: Target) -> None:
    """10 bulks of 1,000 rows in one document"""
    fields = " ".join(f"a{i}: upsertContacts(inputs: $inputs) {{ created }}" for i in range(10))
    ask(target, f"mutation ($inputs: [ContactInput!]!) {{ {fields} }}", inputs=emails(1_000))


# --- The most that limits allow


def full_bulk(target: Target) -> None:
    """3 bulks of 1,000 new contacts, answered with all their fields"""
    for number in range(3):
        ask(target, LOUD_BULK, inputs=[_whole(number, index) for index in range(1_000)])


def broken_tags_allowed(target: Target) -> None:
    """270 rows of 900 broken tags each"""
    ask(target, LOUD_BULK, inputs=[one | {"tags": [""] * 900} for one in emails(270)])


def rows_of_numbers_allowed(target: Target) -> None:
    """1,000 rows of 240 numbers each"""
    ask(target, BULK, inputs=[one | {"customFields": {"a": [1] * 240}} for one in emails(1_000)])


def wrong_at_the_end(target: Target) -> None:
    """248,000 tags, the last of another type"""
    ask(target, BULK, inputs=[{"tags": ["a"] * 248_000 + [1]}])


def invalid_emails(target: Target) -> None:
    """1,000 rows with an invalid Unicode email each"""
    ask(target, LOUD_BULK, inputs=[{"email": f"é{i}@exämple..{i}é.com"} for i in range(1_000)])


def invalid_keys(target: Target) -> None:
    """2,000 keys with a Unicode email each, in 20 root fields"""
    fields = " ".join(f"a{i}: contactsByKey(keys: $keys) {{ id }}" for i in range(20))
    keys = [{"email": f"é{index}@{'ä' * 50}.{'ö' * 50}.com"} for index in range(100)]
    ask(target, f"query ($keys: [ContactKey!]!) {{ {fields} }}", keys=keys)


def deleted_keys(target: Target) -> None:
    """1,000 deletions by Unicode emails"""
    ask(target, DELETE, by={"keys": [{"email": f"é{i}@exämple.com"} for i in range(1_000)]})


def full_updates(target: Target) -> None:
    """3 times updateContacts of 1,000 contacts, with 22 tags and 22 custom fields"""
    fields = {
        "tags": [f"tag {index}" for index in range(22)],
        "customFields": {f"field {index}": f"text {index}" for index in range(22)},
    }
    for number in range(3):
        keys = [{"externalId": f"c{number}-{index}"} for index in range(1_000)]
        ask(target, UPDATE, selection={"keys": keys}, input=fields)


def full_tags(target: Target) -> None:
    """4 bulks of 1,000 rows of 49 tags each, two at once"""
    with ThreadPoolExecutor(2) as callers:
        for number in range(4):
            callers.submit(ask, target, BULK, inputs=_tagged(number))


def dry_tags(target: Target) -> None:
    """40 dry runs of 1,000 rows of 49 tags each, 8 at once"""
    with ThreadPoolExecutor(8) as callers:
        for number in range(40):
            callers.submit(ask, target, DRY_BULK, inputs=_tagged(number))


def refused_tags(target: Target) -> None:
    """80 bulks of 1,000 rows of 49 tags each with an unknown argument, 8 at once"""
    with ThreadPoolExecutor(8) as callers:
        for _ in range(80):
            callers.submit(ask, target, UNKNOWN_ARGUMENT, inputs=_tagged(0))


def cancelled_tags(target: Target) -> None:
    """60 bulks of 1,000 rows of 49 tags each, whose client leaves after 0.4 s"""
    for number in range(60):
        with suppress(OSError):  # a place for the body may be missing
            ask(target, BULK, 0.4, inputs=_tagged(number))


def _tagged(number: int) -> list[dict[str, Any]]:
    tags = [f"tag {number} {index}" for index in range(49)]
    return [one | {"tags": tags} for one in emails(1_000)]


def bulk_over_large(target: Target) -> None:
    """a bulk over 1,000 contacts of 130 KB"""
    ask(target, BULK, inputs=[one | {"customFields": {"a": 1}} for one in emails(1_000)])


def bulk_over_large_allowed(target: Target) -> None:
    """4 bulks over 60 contacts of 130 KB at once"""
    with ThreadPoolExecutor(4) as callers:
        for number in range(4):
            rows = [one | {"customFields": {"a": number}} for one in emails(60)]
            callers.submit(ask, target, BULK, inputs=rows)


def large_contacts_allowed(target: Target) -> None:
    """an answer of 13 MB: contactsByKey of 100 contacts of 130 KB"""
    ask(target, ONE_LIST, keys=emails(100))


def long_answers(target: Target) -> None:
    """8 answers of 13 MB, 4 at once"""
    with ThreadPoolExecutor(4) as callers:
        for _ in range(8):
            callers.submit(ask, target, ONE_LIST, keys=emails(100))


def too_long_answers(target: Target) -> None:
    """8 queries of 25 MB, whose answers are too long, 4 at once"""
    with ThreadPoolExecutor(4) as callers:
        for _ in range(8):
            callers.submit(ask, target, TWO_LISTS, keys=emails(95))


def many_names(target: Target) -> None:
    """16 objects of 120,000 members with names of their own, 8 at once"""
    names = {f"name {number}": number for number in range(120_000)}
    with ThreadPoolExecutor(8) as callers:
        for _ in range(16):
            callers.submit(ask, target, BULK, inputs=[{"metadata": names}])


def many_counts_allowed(target: Target) -> None:
    """9 times totalCount, of 20,000 contacts"""
    ask(target, f"{{ contacts {{ {' '.join(f'a{i}: totalCount' for i in range(9))} }} }}")


def many_bulks(target: Target) -> None:
    """32 bulks of 1,000 new contacts at once"""
    with ThreadPoolExecutor(32) as callers:
        for number in range(32):
            callers.submit(
                ask, target, BULK, inputs=[_whole(100 + number, index) for index in range(1_000)]
            )


def slow_filters(target: Target) -> None:
    """60 filters that no index serves, of 20,000 contacts, at once"""
    filters = [{"city": {"contains": f"nowhere {index}"}} for index in range(60)]
    with ThreadPoolExecutor(len(filters)) as pool:
        list(pool.map(lambda one: ask(target, LIST, filter=one), filters))


def duplicates(target: Target) -> None:
    """60 pages of likely duplicates, of 20,000 contacts, at once"""
    query = "{ duplicateContacts(first: 100) { nodes { reasons } } }"
    with ThreadPoolExecutor(60) as pool:
        list(pool.map(lambda _: ask(target, query), range(60)))


def _whole(number: int, index: int) -> dict[str, Any]:
    return {
        "externalId": f"c{number}-{index}",
        "email": f"person.{number}.{index}@example.com",
        "firstName": "Ada",
        "lastName": f"Lovelace {index}",
        "phone": f"+4420794{index:05}",
        "company": f"Analytical Engines {index % 50}",
        "jobTitle": "Mathematician",
        "city": "London",
        "country": "GB",
        "tags": ["founder", f"tag {index % 20}"],
        "lifetimeValue": index / 4,
        "customFields": {"plan": "gold", "seats": index},
    }


# --- What a case needs to be there


def twenty_thousand(target: Target) -> None:
    for number in range(20):
        ask(target, BULK, inputs=[_whole(number, index) for index in range(1_000)])


def hundred_large(target: Target) -> None:
    _large(target, 100)


def thousand_large(target: Target) -> None:
    _large(target, 1_000)


def _large(target: Target, count: int) -> None:
    large = {f"k{index}": "x" * 1_000 for index in range(64)}
    rows = [one | {"customFields": large, "metadata": large} for one in emails(count)]
    for start in range(0, count, 25):
        ask(target, BULK, inputs=rows[start : start + 25])


NEEDS: dict[Case, Callable[[Target], None]] = {
    many_counts: twenty_thousand,
    many_filters: twenty_thousand,
    many_counts_allowed: twenty_thousand,
    slow_filters: twenty_thousand,
    duplicates: twenty_thousand,
    full_updates: twenty_thousand,
    large_contacts: hundred_large,
    bulk_over_large: thousand_large,
    bulk_over_large_allowed: hundred_large,
    large_contacts_allowed: hundred_large,
    long_answers: hundred_large,
    too_long_answers: hundred_large,
}
CASES: Sequence[Case] = [
    broken_tags,
    long_in,
    empty_tags,
    rows_of_numbers,
    unknown_variable,
    repeated_fields,
    many_counts,
    many_filters,
    large_contacts,
    ten_bulks,
    full_bulk,
    broken_tags_allowed,
    rows_of_numbers_allowed,
    wrong_at_the_end,
    invalid_emails,
    invalid_keys,
    deleted_keys,
    full_updates,
    full_tags,
    dry_tags,
    refused_tags,
    cancelled_tags,
    bulk_over_large,
    bulk_over_large_allowed,
    large_contacts_allowed,
    long_answers,
    too_long_answers,
    many_names,
    many_counts_allowed,
    many_bulks,
    slow_filters,
    duplicates,
]
