"""All servers must give the same answers before they are measured."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.errors import CommandFailed
from bench.peers.client import Client, next_serial
from bench.peers.workloads import WORKLOADS, Sample, Variables, Workload

PAGES = next(workload for workload in WORKLOADS if workload.name == "b")
COMPARED = {"a": 50, "c": 20, "d": 1, "e": 10}


def walk(clients: Sequence[Client], pages: int) -> tuple[list[str], list[list[str]]]:
    """The first pages of the list, the same from all.

    Returns the ids of their contacts, and for each client its own cursors, one after each page.
    """
    names = [client.contender.name for client in clients]
    ids: list[str] = []
    cursors: list[list[str]] = [[] for _ in clients]
    for _ in range(pages):
        answers = [
            client.ask(PAGES, {"after": behind[-1] if behind else None})
            for client, behind in zip(clients, cursors, strict=True)
        ]
        require_equal(PAGES, names, answers)
        ids += [edge["node"]["id"] for edge in answers[0]["contacts"]["edges"]]
        for answer, behind in zip(answers, cursors, strict=True):
            behind.append(answer["contacts"]["pageInfo"]["endCursor"])
    return ids, cursors


def compare(clients: Sequence[Client], sample: Sample) -> None:
    """What is not a list; the writes last, because each server has a time of its own for them."""
    for workload in sorted(WORKLOADS, key=lambda workload: workload.writes):
        able = [client for client in clients if workload.name in client.contender.workloads]
        if workload is not PAGES:
            for variables in sample.variables(workload, [])[: COMPARED[workload.name]]:
                _compare(workload, able, variables)


def _compare(workload: Workload, clients: Sequence[Client], variables: Variables) -> None:
    serial = next_serial()
    answers = [client.ask(workload, variables, serial) for client in clients]
    require_equal(workload, [client.contender.name for client in clients], answers)


def require_equal(workload: Workload, names: Sequence[str], answers: Sequence[Any]) -> None:
    """Raises CommandFailed that names the first difference."""
    expected, *others = [_comparable(workload, answer) for answer in answers]
    for name, other in zip(names[1:], others, strict=True):
        if other != expected:
            path = next(_differences("data", expected, other))
            raise CommandFailed(
                f"{name} answers ({workload.name}) otherwise than {names[0]}: {path}"
            )


def _comparable(workload: Workload, data: Any) -> Any:
    """Without what each server chooses: cursors, the ids of new contacts, the time of a change."""
    match workload.name:
        case "b":
            page = data["contacts"]
            edges = page["edges"]
            is_last = page["pageInfo"]["endCursor"] == edges[-1]["cursor"]
            nodes = [edge["node"] for edge in edges]
            return {"nodes": nodes, "next": page["pageInfo"]["hasNextPage"], "last": is_last}
        case "c":
            return _upserted(data["upsertContact"])
        case "d":
            bulk = data["upsertContacts"]
            rows = [row | {"result": _upserted(row["result"])} for row in bulk["rows"]]
            return bulk | {"rows": rows}
        case _:
            return data


def _upserted(result: dict[str, Any]) -> Any:
    own = {"updatedAt"} | ({"id"} if result["__typename"] == "ContactCreated" else set())
    contact = {name: value for name, value in result["contact"].items() if name not in own}
    return result | {"contact": contact}


def _differences(path: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name, value in one.items():
            yield from _differences(f"{path}.{name}", value, other[name])
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(f"{path}[{index}]", left, right)
    elif one != other:
        yield f"{path} is {other!r} and not {one!r}"
