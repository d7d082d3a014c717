"""Converts between a contact and the row of its table."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import compress
from operator import is_not, itemgetter
from typing import Any, NamedTuple

from sqlalchemy import JSON
from sqlalchemy.types import TypeEngine

from app.contacts.store.duplicate_keys import name_company_key, similar_email_key
from app.database.json_bytes import ParsedJson, PassedOnJson
from app.tables import CONTACT, Contact
from app.text import fold, fold_each
from app.timestamps import timestamp_in

# The columns of a contact itself, by the contact's names for them.
NAMES = {name: "metadata" if name == "meta" else name for name in Contact.model_fields}
COLUMNS = {name: CONTACT.c[column] for name, column in NAMES.items()}

# Answers have these as they are stored.
_PASSED_ON = {"custom_fields", "meta"}

ALL_NAMES = frozenset(COLUMNS)

# The statements that are kept prepared, one for each set of columns.
STATEMENTS = 256


@lru_cache(maxsize=STATEMENTS)
def _ordered(names: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in COLUMNS if name in names)


def names_to_read(wanted: set[frozenset[str]]) -> tuple[str, ...]:
    """The columns that one statement reads for all: those that are wanted and the id. Where calls
    differ it reads all, because there are far more unions than sets."""
    return _ordered(frozenset({"id"}) | next(iter(wanted)) if len(wanted) == 1 else ALL_NAMES)


def read_types(names: Iterable[str], *, for_answer: bool) -> dict[str, TypeEngine[Any]]:
    """The types as which these columns are read: JSON as bytes. `for_answer` passes on the JSON
    that no code looks at."""
    return {name: _read_type(name, for_answer=for_answer) for name in names}


@cache  # one object for each, by which statements are found
def _read_type(name: str, *, for_answer: bool) -> TypeEngine[Any]:
    kind: TypeEngine[Any] = COLUMNS[name].type
    if not isinstance(kind, JSON):
        return kind
    return PassedOnJson() if for_answer and name in _PASSED_ON else ParsedJson()


class _Computed(NamedTuple):
    """A column that only serves to find and order the contact, and the fields that it depends
    on."""

    value: Callable[[Contact], Any]
    fields: frozenset[str]


_OTHER_NAMES = {name: column for name, column in NAMES.items() if name != column}
_values = itemgetter(*NAMES)  # of the `vars` of a contact, in the order of NAMES


def row(contact: Contact) -> dict[str, Any]:
    values = {**vars(contact)}
    for name, column in _OTHER_NAMES.items():
        values[column] = values.pop(name)
    for column, computed in _COMPUTED.items():
        values[column] = computed.value(contact)
    return values


def changes_of_rows(pairs: Sequence[tuple[Contact, Contact]]) -> Iterator[dict[str, Any]]:
    """For each contact, before and after: the id and the columns that change on any of them."""
    changed = {name for before, after in pairs for name in _changed_fields(before, after)}
    own = [(column, name) for name, column in NAMES.items() if name == "id" or name in changed]
    computed = [
        (column, one.value)
        for column, one in _COMPUTED.items()
        if not one.fields.isdisjoint(changed)
        and any(one.value(before) != one.value(after) for before, after in pairs)
    ]
    for _, after in pairs:
        values = vars(after)
        row = {column: values[name] for column, name in own}
        for column, value in computed:
            row[column] = value(after)
        yield row


def _changed_fields(before: Contact, after: Contact) -> Iterable[str]:
    """Objects that are not the same one always differ, because Python considers True equal to 1."""
    old, new = vars(before), vars(after)
    others = compress(NAMES, map(is_not, _values(old), _values(new)))
    return [name for name in others if type(new[name]) is dict or new[name] != old[name]]


def _name_key(contact: Contact) -> str | None:
    return fold(contact.name) if contact.name else None


def _search_text(contact: Contact) -> str:
    first, last = contact.first_name, contact.last_name
    texts = (
        *contact.external_ids.values(),
        contact.email,
        contact.email_key,
        contact.name,
        f"{first} {last}" if first and last else first or last,
        contact.company,
        contact.phone,
        contact.phone_e164,
    )
    return "\n".join(dict.fromkeys(fold_each(filter(None, texts))))


def _custom_datetimes(contact: Contact) -> dict[str, float]:
    return {
        key: at.timestamp()
        for key, value in contact.custom_fields.items()
        if isinstance(value, str) and (at := timestamp_in(value))
    }


def _similar_email_key(contact: Contact) -> str:
    return similar_email_key(contact.email_key)


_NAME = frozenset({"name", "first_name", "last_name"})
_COMPUTED = {
    "name_key": _Computed(_name_key, frozenset({"name"})),
    "search_text": _Computed(
        _search_text,
        _NAME | {"external_ids", "email", "email_key", "company", "phone", "phone_e164"},
    ),
    "custom_datetimes": _Computed(_custom_datetimes, frozenset({"custom_fields"})),
    "name_company_key": _Computed(name_company_key, _NAME | {"company"}),
    "similar_email_key": _Computed(_similar_email_key, frozenset({"email_key"})),
}
