"""The five workloads, and the variables of their requests as Rollcall's schema has them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from app.fields.contact import API_NAMES
from bench.people import people

Variables = dict[str, Any]

# In a body, wherever it stands: whoever sends the body puts a new number of 16 digits there.
SERIAL = "serial0000000000"

PAGE = 50
ALIASES = 10
ROWS = 1_000
GIVEN = (
    "external_id",
    "email",
    "first_name",
    "last_name",
    "name",
    "phone",
    "company",
    "job_title",
    "country",
    "lifetime_value",
    "tags",
    "custom_fields",
)


@dataclass(frozen=True, slots=True)
class Workload:
    """Each connection sends `rehearsed` requests in the rehearsal. `stretch` makes turns longer,
    where requests are few."""

    name: str
    title: str
    connections: int
    rehearsed: int
    stretch: int = 1
    writes: bool = False

    @property
    def rows(self) -> int:
        """The contacts of a bulk are counted, not its requests."""
        return ROWS if self.name == "d" else 1


WORKLOADS = (
    Workload("a", "one contact by id", 32, 10),
    Workload("b", f"page of {PAGE}", 32, 4),
    Workload("c", "upsert of one", 32, 6, writes=True),
    Workload("d", f"bulk upsert of {ROWS:,}", 2, 2, stretch=2, writes=True),
    Workload("e", "ten aliases of (a)", 32, 3),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the requests are about: contacts by id, and inputs of contacts that are there."""

    ids: Sequence[str]
    inputs: Sequence[Variables]

    @classmethod
    def of(cls, ids: Sequence[str], workspace_size: int, seed: int) -> "Sample":
        made = people(workspace_size, seed)
        return cls(ids, [_input(person) for person in made if "external_id" in person])

    def variables(self, workload: Workload, cursors: Sequence[str]) -> list[Variables]:
        """Of many requests, the same for the same sample. The cursors are the server's own."""
        random = Random(workload.name)
        match workload.name:
            case "a":
                return [_key(random.choice(self.ids)) for _ in range(1_000)]
            case "b":
                return [{"after": cursor} for cursor in random.sample(cursors, len(cursors))]
            case "c":
                return [{"input": one} for one in _half_new(self.inputs[:500])]
            case "d":
                return [{"inputs": rows} for rows in self._bulks()]
            case _:
                return [_keys(random.sample(self.ids, ALIASES)) for _ in range(200)]

    def _bulks(self) -> Iterator[list[Variables]]:
        """No two have a contact in common, so that two at once do not wait for each other."""
        half = ROWS // 2
        for number in range(min(8, len(self.inputs) // half)):
            yield list(_half_new(self.inputs[number * half : (number + 1) * half]))


def _input(person: Variables) -> Variables:
    given = {API_NAMES[name]: person[name] for name in GIVEN if name in person}
    return {"customFields": {}} | given


def _half_new(inputs: Sequence[Variables]) -> Iterator[Variables]:
    """A change of each contact, and next to it a new contact that is like it."""
    for index, one in enumerate(inputs):
        yield one | {"jobTitle": f"Engineer {SERIAL}"}
        mark = f"new-{SERIAL}-{index}"
        yield one | {"externalId": mark, "email": f"{mark}@mail.example"}


def _key(contact_id: str) -> Variables:
    return {"by": {"id": contact_id}}


def _keys(ids: Sequence[str]) -> Variables:
    return {f"by{index}": {"id": contact_id} for index, contact_id in enumerate(ids)}
