"""What the curves ask of Rollcall: each question with variables made anew for every asking."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from app.contacts.listing.order import Direction, Order, OrderField
from app.fields.contact import API_NAMES
from bench.people import company, event_tag, people

SEED = 1
PAGE = 50
PAGES = 1_000

CONTACT = """{
  id externalId email name company jobTitle phoneE164 country tags lifetimeValue customFields
  createdAt
}"""
CONTACTS = f"""
query ($filter: ContactFilter, $search: String, $orderBy: ContactOrder, $after: String) {{
  answer: contacts(
    filter: $filter, search: $search, orderBy: $orderBy, first: {PAGE}, after: $after
  ) {{ edges {{ cursor node {CONTACT} }} pageInfo {{ hasNextPage endCursor }} }}
}}"""
COUNT = "query ($filter: ContactFilter) { answer: contacts(filter: $filter) { totalCount } }"
BY_KEY = f"query ($by: ContactKey!) {{ answer: contact(by: $by) {CONTACT} }}"
BY_KEYS = f"query ($keys: [ContactKey!]!) {{ answer: contactsByKey(keys: $keys) {CONTACT} }}"
DUPLICATES = f"""
query ($after: String) {{
  answer: duplicateContacts(first: {PAGE}, after: $after) {{
    edges {{ node {{ reasons contact {CONTACT} duplicate {CONTACT} }} }} pageInfo {{ endCursor }}
  }}
}}"""
TAGS = "{ answer: tags(first: 100) { tag count } }"
UPSERT = f"""
mutation ($input: ContactInput!) {{
  answer: upsertContact(input: $input) {{
    __typename
    ... on ContactCreated {{ contact {CONTACT} }}
    ... on ContactUpdated {{ contact {CONTACT} changes {{ path before after }} }}
  }}
}}"""
BULK = """
mutation ($inputs: [ContactInput!]!) {
  answer: upsertContacts(inputs: $inputs) {
    created updated unchanged conflicts invalid
    rows {
      index
      result {
        __typename
        ... on ContactCreated { contact { id } }
        ... on ContactUpdated { contact { id } changes { path } }
      }
    }
  }
}"""

Variables = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    group: str
    name: str
    document: str
    variables: Callable[[], Variables]
    runs: int | None = None


def questions(size: int, cursors: dict[Order, str | None]) -> Iterator[Question]:
    """For a workspace of `size`, with the cursor that its far page starts behind in each order."""
    made = people(size, SEED)
    known = [next(made) for _ in range(min(size, 1_000))]
    yield from _pages(cursors)
    yield from _filters(known)
    yield from _searches(known)
    yield from _others(known)
    yield from _writes(known)


def _pages(cursors: dict[Order, str | None]) -> Iterator[Question]:
    for order, cursor in cursors.items():
        by = {"field": order.field.name, "direction": order.direction.name}
        name = order.name.replace("_", " ").lower()
        yield _asked("Pages", f"{name}, page 1", CONTACTS, orderBy=by)
        yield _asked("Pages", f"{name}, page {PAGES:,}", CONTACTS, orderBy=by, after=cursor)


def orders() -> list[Order]:
    return [Order(field, direction) for field in OrderField for direction in Direction]


def _filters(known: list[Variables]) -> Iterator[Question]:
    person = _whole(known)
    rare = company(20)
    filters: dict[str, Variables] = {
        "company eq, one in 25": {"company": {"eq": company(0)}},
        "company eq, some twenty": {"company": {"eq": rare}},
        "company eq, nothing found": {"company": {"eq": "No Such Company"}},
        "country eq, one in 4": {"country": {"eq": "US"}},
        "jobTitle in, one in 13": {"jobTitle": {"in": ["Nurse", "Lawyer", "Técnico"]}},
        "name eq": {"name": {"eq": person["name"]}},
        "email eq": {"email": {"eq": person["email"]}},
        "email startsWith, many": {"email": {"startsWith": "j"}},
        "email startsWith, few": {"email": {"startsWith": person["email"][:-8]}},
        "company contains, one in 25": {"company": {"contains": "Logistics"}},
        "company contains, some twenty": {"company": {"contains": rare[2:]}},
        "company contains two letters": {"company": {"contains": "zo"}},
        "company contains, nothing found": {"company": {"contains": "qqzzxx"}},
        "notes contains, one in 20": {"notes": {"contains": "for a call"}},
        "notes contains, nothing found": {"notes": {"contains": "qqzzxx"}},
        "tags hasAny, one in 2": {"tags": {"hasAny": ["newsletter"]}},
        "tags hasAny, one in 125": {"tags": {"hasAny": ["press"]}},
        "tags hasAny, some twenty": {"tags": {"hasAny": [event_tag(2)]}},
        "tags hasAll, one in 110": {"tags": {"hasAll": ["newsletter", "vip"]}},
        "tags hasNone": {"tags": {"hasNone": ["newsletter", "customer"]}},
        "tags hasAny, nothing found": {"tags": {"hasAny": ["no such tag"]}},
        "custom text eq, one in 5": _custom("plan", string={"eq": "team"}),
        "custom text eq, one in 70": _custom("plan", string={"eq": "enterprise"}),
        "custom text eq, one": _custom(
            "contract", string={"eq": person["custom_fields"]["contract"]}
        ),
        "custom text eq, nothing found": _custom("plan", string={"eq": "none"}),
        "custom text contains, nothing found": _custom("plan", string={"contains": "qqzzxx"}),
        "custom number range, one in 4": _custom("seats", number={"gte": 2, "lt": 10}),
        "custom number range, one in 500": _custom("seats", number={"gt": 1_500}),
        "custom boolean": _custom("beta_tester", boolean=True),
        "custom datetime range, one in 10": _custom(
            "renewal_at", datetime={"gte": "2022-01-01T00:00:00Z"}
        ),
        "custom datetime range, a week": _custom(
            "renewal_at", datetime={"gte": "2021-06-01T00:00:00Z", "lt": "2021-06-08T00:00:00Z"}
        ),
        "custom datetime range, nothing found": _custom(
            "renewal_at", datetime={"gte": "2040-01-01T00:00:00Z"}
        ),
        "lifetimeValue range, one in 5": {"lifetimeValue": {"gte": 60}},
        "lifetimeValue range, few": {"lifetimeValue": {"gte": 40_000}},
        "lifetimeValue range, a gap": {"lifetimeValue": {"gte": 60, "lt": 60.01}},
        "lifetimeValue range, nothing found": {"lifetimeValue": {"lt": 0}},
        "ordersCount range, one in 30": {"ordersCount": {"gte": 10}},
        "createdAt range, a year": {
            "createdAt": {"gte": "2022-01-01T00:00:00Z", "lt": "2023-01-01T00:00:00Z"}
        },
        "lastOrderAt isNull": {"lastOrderAt": {"isNull": True}},
        "isActive false, one in 20": {"isActive": False},
        "isUnsubscribed true, one in 33": {"isUnsubscribed": True},
        "or of two with some twenty each": {
            "or": [{"company": {"eq": rare}}, {"tags": {"hasAny": [event_tag(2)]}}]
        },
        "or of many and few": {"or": [{"country": {"eq": "US"}}, {"company": {"eq": rare}}]},
        "not many": {"not": {"country": {"eq": "US"}}},
        "not few": {"not": {"company": {"eq": rare}}},
        "and of many and few": {"country": {"eq": "US"}, "company": {"eq": rare}},
        "and of two with many, one in 45": {
            "country": {"eq": "US"},
            "tags": {"hasAny": ["trial"]},
        },
        "and of two with many, nothing found": {"country": {"eq": "US"}, "language": {"eq": "de"}},
    }
    for name, condition in filters.items():
        yield _asked("Filters, newest first", name, CONTACTS, filter=condition)
    by = {"field": "NAME", "direction": "ASC"}
    for name in ("company eq, one in 25", "tags hasAny, some twenty", "not few"):
        yield _asked("Filters, by name", name, CONTACTS, filter=filters[name], orderBy=by)


def _searches(known: list[Variables]) -> Iterator[Question]:
    person = _whole(known)
    searches = {
        "everyone": "example",
        "one in 50": "smith",
        "some twenty": company(20).upper(),
        "one": person["email"],
        "nothing found, rare letters": "qqzzxx",
        "nothing found, letters that everyone has": "example.example",
    }
    for name, text in searches.items():
        yield _asked("Search", name, CONTACTS, search=text)


def _others(known: list[Variables]) -> Iterator[Question]:
    person = _whole(known)
    keys = [{"email": one["email"]} for one in known[:100]]
    yield _asked("Look-ups", "by external id", BY_KEY, by={"externalId": person["external_id"]})
    yield _asked("Look-ups", "by email", BY_KEY, by=keys[0])
    yield _asked("Look-ups", "by email, not there", BY_KEY, by={"email": "nobody@mail.example"})
    yield _asked("Look-ups", "by 100 keys", BY_KEYS, keys=keys)
    yield _asked("Others", "duplicateContacts", DUPLICATES)
    yield _asked("Others", "tags, the first 100", TAGS)
    yield _asked("Others", "totalCount of all", COUNT)
    yield _asked("Others", "totalCount of some twenty", COUNT, filter=_company(company(20)))


def _writes(known: list[Variables]) -> Iterator[Question]:
    person = known[0]
    rows = [_input(one) for one in known]
    yield Question("Upserts", "one, new", UPSERT, lambda: {"input": _new(person)})
    yield Question("Upserts", "one, changed", UPSERT, lambda: {"input": _changed(person)})
    yield _asked("Upserts", "one, unchanged", UPSERT, input=rows[1])
    yield Question("Bulk upserts of 1,000", "unchanged", BULK, lambda: {"inputs": rows}, runs=5)
    yield Question(
        "Bulk upserts of 1,000",
        "changed",
        BULK,
        lambda: {"inputs": [_changed(one) for one in known]},
        runs=5,
    )
    yield Question(
        "Bulk upserts of 1,000", "new", BULK, lambda: {"inputs": [*map(_new, known)]}, runs=3
    )


def _asked(group: str, name: str, document: str, **variables: Any) -> Question:
    return Question(group, name, document, lambda: variables)


def _whole(known: list[Variables]) -> Variables:
    """Somebody with all that the questions name."""
    return next(
        person
        for person in known
        if person.keys() >= {"name", "external_id"}
        and "contract" in person.get("custom_fields", {})
    )


def _custom(key: str, **condition: Any) -> Variables:
    return {"customFields": [{"key": key} | condition]}


def _company(name: str) -> Variables:
    return {"company": {"eq": name}}


def _input(person: Variables) -> Variables:
    return {API_NAMES[name]: value for name, value in person.items()}


def _new(person: Variables) -> Variables:
    mark = uuid4().hex
    return _input(person) | {"externalId": mark, "email": f"{mark}.{person['email']}"}


def _changed(person: Variables) -> Variables:
    return _input(person) | {"jobTitle": f"Engineer {uuid4().hex[:8]}"}
