"""Contacts that are made up, true to life in their spread, and the same for the same seed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unicodedata import normalize
from uuid import UUID

from app.contacts.custom_fields import CustomFieldType
from app.text import fold
from bench.places import PLACES, Place

BIG_COMPANIES = 10
FREE_MAIL = ("mail.example", "inbox.example", "post.example")

# How many in a hundred have each tag.
TAGS = {
    "newsletter": 45,
    "customer": 30,
    "lead": 20,
    "trial": 8,
    "partner": 4,
    "vip": 2,
    "press": 0.8,
}
PLANS = {"free": 60, "team": 28, "business": 10, "enterprise": 2}
JOBS = [
    "Engineer",
    "Sales Manager",
    "Accountant",
    "Buyer",
    "Head of Marketing",
    "Chief Executive",
    "Nurse",
    "Teacher",
    "Consultant",
    "Designer",
    "Office Manager",
    "Lawyer",
    "Product Manager",
    "Chargée d'affaires",
    "Geschäftsführer",
    "Técnico",
    "Analyst",
    "Logistics Planner",
    "Data Scientist",
    "Support Agent",
]
SECTORS = [
    "Logistics",
    "Software",
    "Foods",
    "Energy",
    "Health",
    "Media",
    "Textiles",
    "Bank",
    "Travel",
    "Robotics",
    "Paper",
    "Optics",
    "Farms",
    "Marine",
    "Toys",
    "Studio",
    "Motors",
    "Chemie",
    "Bâtiment",
    "Cerámica",
]

CUSTOM_FIELDS = {
    "plan": CustomFieldType.STRING,
    "contract": CustomFieldType.STRING,
    "seats": CustomFieldType.NUMBER,
    "beta_tester": CustomFieldType.BOOLEAN,
    "renewal_at": CustomFieldType.DATETIME,
    "preferences": CustomFieldType.JSON,
}

_FIRST_DAY = datetime(2019, 1, 1, tzinfo=UTC)
_LAST_DAY = datetime(2026, 6, 30, tzinfo=UTC)
_SYLLABLES = [
    "ba",
    "bel",
    "cor",
    "dan",
    "del",
    "fin",
    "gar",
    "hol",
    "ka",
    "lan",
    "lor",
    "mar",
    "mi",
    "nor",
    "pa",
    "ral",
    "sen",
    "tal",
    "ver",
    "zo",
]
_PROFESSIONALS = [str(UUID(int=number, version=4)) for number in range(1, 51)]


def people(total: int, seed: int) -> Iterator[dict[str, Any]]:
    """`total` contacts as clients would send them, by field name."""
    random = Random(seed)
    companies = max(BIG_COMPANIES, total // 32)
    emails: set[str] = set()
    person: dict[str, Any] = {}
    for number in range(total):
        if person and random.random() < 0.01:
            person = _again(random, person, number, emails)
        else:
            person = _person(random, number, companies, total, emails)
        yield {name: _sent(value) for name, value in person.items()}


def company(number: int) -> str:
    """The name of one of 8,000 times 20; the first are the big ones."""
    scattered = number * 7_919 % 8_000
    stem = "".join(_SYLLABLES[scattered // 20**place % 20] for place in range(3))
    return f"{stem.capitalize()} {SECTORS[(number // 8_000 + number) % 20]}"


def event_tag(number: int) -> str:
    """A rare tag: an event that some twenty people came to."""
    return f"event-{number:05}"


def contract(number: int) -> str:
    """A value of its own for each contact that has one."""
    return f"C-{number:08}"


def unsubscribed_at(person: dict[str, Any]) -> datetime | None:
    """When the person unsubscribed, as three in a hundred do."""
    random = Random(person["email"])
    if random.random() >= 0.03:
        return None
    return _between(random, datetime.fromisoformat(person["created_at"]), _LAST_DAY)


def _person(
    random: Random, number: int, companies: int, total: int, emails: set[str]
) -> dict[str, Any]:
    [place] = random.choices(PLACES, [place.share for place in PLACES])
    first, last = _skewed(random, place.first_names), _skewed(random, place.last_names)
    created_at = _between(random, _FIRST_DAY, _LAST_DAY)
    person: dict[str, Any] = {
        "first_name": first,
        "last_name": last,
        "language": place.language,
        "country": place.country,
        "timezone": place.timezone,
        "tags": _tags(random, total),
        "created_at": created_at,
        "updated_at": _between(random, created_at, _LAST_DAY),
        "meta": {"source": random.choice(["import", "form", "shop", "event"])},
    }
    optional: dict[str, tuple[float, Callable[[], Any]]] = {
        "external_id": (0.9, lambda: f"crm-{number:08}"),
        "name": (0.85, lambda: f"{last} {first}" if place.language == "ja" else f"{first} {last}"),
        "prefix": (0.04, lambda: random.choice(["Dr.", "Prof.", "Ms", "Mr"])),
        "phone": (0.6, lambda: _digits(random, place.phone)),
        "company": (0.7, lambda: _company(random, companies)),
        "job_title": (0.5, lambda: random.choice(JOBS)),
        "is_active": (0.05, lambda: False),
        "professional_id": (0.1, lambda: random.choice(_PROFESSIONALS)),
        "custom_fields": (0.7, lambda: _custom_fields(random, number)),
        "notes": (0.05, lambda: f"Met at {event_tag(random.randrange(100))}; asked for a call."),
    }
    for name, (share, make) in optional.items():
        if random.random() < share:
            person[name] = make()
    if random.random() < 0.4:
        person |= _address(random, place)
    if random.random() < 0.4:
        person |= _orders(random, created_at)
    person["email"] = _email(random, person, number, emails)
    return person


def _again(random: Random, person: dict[str, Any], number: int, emails: set[str]) -> dict[str, Any]:
    """The same person once more, as another system knows them: a likely duplicate."""
    local, _, domain = person["email"].partition("@")
    plain = local.partition("+")[0]
    email = random.choice([f"{plain}+{number}@{domain}", f"{_dotted(plain)}@{domain}"])
    if email in emails:
        email = f"{plain}+{number}@{domain}"
    emails.add(email)
    created_at = _between(random, person["created_at"], _LAST_DAY)
    twin = person | {"email": email, "created_at": created_at}
    twin["updated_at"] = _between(random, created_at, _LAST_DAY)
    twin["external_id"] = f"shop-{number:08}"
    return twin


def _dotted(local: str) -> str:
    plain = local.replace(".", "")
    return f"{plain[0]}.{plain[1:]}" if len(plain) > 1 else plain


def _company(random: Random, companies: int) -> str:
    """A tenth work for the big ones; the others make some twenty at each of all companies."""
    if random.random() < 0.1:
        number = min(int(random.expovariate(0.5)), BIG_COMPANIES - 1)
    else:
        number = random.randrange(companies)
    return company(number)


def _tags(random: Random, total: int) -> list[str]:
    tags = [tag for tag, share in TAGS.items() if random.random() * 100 < share]
    if random.random() < 0.1:
        tags.append(event_tag(random.randrange(max(1, total // 200))))
    return tags


def _custom_fields(random: Random, number: int) -> dict[str, Any]:
    [plan] = random.choices(list(PLANS), list(PLANS.values()))
    values: dict[str, Any] = {
        "plan": plan,
        "seats": int(random.paretovariate(0.8)) if random.random() < 0.99 else 2.5,
        "beta_tester": random.random() < 0.1,
    }
    if random.random() < 0.3:
        values["contract"] = contract(number)
        values["renewal_at"] = _between(random, _FIRST_DAY, _LAST_DAY).isoformat()
    if random.random() < 0.1:
        values["preferences"] = {"channel": random.choice(["email", "phone"]), "hours": [9, 17]}
    return values


def _orders(random: Random, created_at: datetime) -> dict[str, Any]:
    count = min(int(random.paretovariate(1.1)), 5_000)
    return {
        "orders_count": count,
        "lifetime_value": round(count * random.lognormvariate(3.5, 0.8), 2),
        "last_order_at": _between(random, created_at, _LAST_DAY),
    }


def _address(random: Random, place: Place) -> dict[str, Any]:
    return {
        "address_line1": f"{_skewed(random, place.last_names)} {random.randrange(1, 200)}",
        "city": _skewed(random, place.cities),
        "postcode": _digits(random, place.postcode),
    }


def _email(random: Random, person: dict[str, Any], number: int, emails: set[str]) -> str:
    parts = [_ascii(person[name]) for name in ("first_name", "last_name")]
    local = random.choice([".", "", "_"]).join(part for part in parts if part) or f"user{number}"
    domain = random.choice(FREE_MAIL)
    if "company" in person:
        domain = f"{_ascii(person['company'])}.example"
    email = f"{local}@{domain}"
    if email in emails:
        email = f"{local}{number}@{domain}"
    emails.add(email)
    return email


def _ascii(text: str) -> str:
    plain = normalize("NFKD", fold(text)).encode("ascii", "ignore").decode()
    return "".join(char for char in plain if char.isalnum())


def _skewed(random: Random, choices: tuple[str, ...]) -> str:
    """The first ones more often than the last."""
    return choices[int(len(choices) * random.random() ** 1.6)]


def _digits(random: Random, pattern: str) -> str:
    return "".join(str(random.randrange(10)) if char == "x" else char for char in pattern)


def _between(random: Random, start: datetime, end: datetime) -> datetime:
    seconds = int((end - start).total_seconds())
    return start + timedelta(seconds=random.randrange(seconds + 1))


def _sent(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
