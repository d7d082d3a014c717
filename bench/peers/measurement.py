"""The measurement: rounds in which every server has its turn with every workload."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers.client import Client, body, next_serial
from bench.peers.load import Load, drive, load
from bench.peers.rehearsal import rehearse
from bench.peers.servers import Contender
from bench.peers.workloads import WORKLOADS, Sample, Workload
from tests.support.postgres import Cluster

# With one caller at a time.
ALONE = "ac"
# The requests after each turn whose answers are checked.
SAMPLED = 2


@dataclass(frozen=True, slots=True)
class Plan:
    contacts: int
    pages: int
    rounds: int
    seconds: int
    seconds_alone: int
    seconds_to_warm_up: int


FULL = Plan(200_000, 200, 3, 10, 3, 3)
SHORT = Plan(20_000, 36, 3, 2, 1, 1)


@dataclass(frozen=True, slots=True)
class Turn:
    """A server's with a workload."""

    contender: Contender
    workload: Workload
    client: Client
    bodies: Sequence[bytes]
    file: Path


@dataclass(slots=True)
class Results:
    """By the names of server and workload. The loads are one of each round."""

    loads: Mapping[tuple[str, str], list[Load]] = field(default_factory=lambda: defaultdict(list))
    alone: Mapping[tuple[str, str], list[Load]] = field(default_factory=lambda: defaultdict(list))
    statements: dict[tuple[str, str], float] = field(default_factory=dict)
    resident: dict[str, int] = field(default_factory=dict)


def turns(
    clients: Sequence[Client], sample: Sample, cursors: Sequence[Sequence[str]], folder: Path
) -> list[Turn]:
    """Workload by workload, so that the servers take turns."""
    return [
        _turn(client, workload, sample, own, folder)
        for workload in WORKLOADS
        for client, own in zip(clients, cursors, strict=True)
        if workload.name in client.contender.workloads
    ]


def _turn(
    client: Client, workload: Workload, sample: Sample, cursors: Sequence[str], folder: Path
) -> Turn:
    contender = client.contender
    bodies = [body(contender, workload, one) for one in sample.variables(workload, cursors)]
    file = folder / f"{contender.port}-{workload.name}.txt"
    file.write_bytes(b"\n".join(bodies))
    return Turn(contender, workload, client, bodies, file)


def measure(
    plan: Plan, order: Sequence[Turn], key: str, cluster: Cluster, say: Callable[[str], object]
) -> Results:
    """Raises CommandFailed where a server did not answer a request as it must."""
    results = Results()
    say("Rehearsal")
    for turn in order:
        statements = rehearse(turn.contender, turn.workload, key, turn.bodies, cluster)
        if turn.contender.on_postgresql:
            results.statements[_names(turn)] = statements
    say("Warm-up")
    for turn in order:
        workload, seconds = turn.workload, plan.seconds_to_warm_up
        drive(turn.contender, workload, key, turn.file, seconds, workload.connections)
    for number in range(1, plan.rounds + 1):
        say(f"Round {number} of {plan.rounds}")
        for turn in order:
            _take(turn, key, plan, results)
    for turn in order:
        results.resident[turn.contender.name] = turn.contender.resident_bytes()
    return results


def _take(turn: Turn, key: str, plan: Plan, results: Results) -> None:
    """Under load, then alone, then a few requests whose answers are checked."""
    names = _names(turn)
    loaded = load(turn.contender, turn.workload, key, turn.file, plan.seconds)
    results.loads[names].append(loaded)
    if turn.workload.name in ALONE:
        alone = load(turn.contender, turn.workload, key, turn.file, plan.seconds_alone, 1)
        results.alone[names].append(alone)
    for prepared in turn.bodies[:SAMPLED]:
        turn.client.send(turn.workload, prepared, next_serial())


def _names(turn: Turn) -> tuple[str, str]:
    return turn.contender.name, turn.workload.name
