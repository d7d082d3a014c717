"""The results as Markdown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

from bench.peers.load import Load
from bench.peers.measurement import ALONE, Plan, Results
from bench.peers.servers import FLOOR, MERCURIUS, ON_SQLITE, POSTGRAPHILE, ROLLCALL
from bench.peers.workloads import WORKLOADS

LETTERS = "".join(workload.name for workload in WORKLOADS)
SERVERS = (ROLLCALL, ON_SQLITE, MERCURIUS, POSTGRAPHILE, FLOOR)
PAIRS = (
    (ROLLCALL, MERCURIUS),
    (ROLLCALL, POSTGRAPHILE),
    (ROLLCALL, FLOOR),
    (ON_SQLITE, ROLLCALL),
)

Loads = Mapping[tuple[str, str], Sequence[Load]]
Figure = Callable[[str, str], str]


def report(command: str, plan: Plan, machine: Sequence[str], results: Results) -> str:
    """All tables, under the command that wrote them."""
    workloads = [f"({one.name}) {one.title}, {one.connections} connections" for one in WORKLOADS]
    conditions = [
        f"{plan.contacts:,} contacts in 10 workspaces; on SQLite only the one that is asked",
        f"{plan.rounds} interleaved rounds of {plan.seconds} s, and of {plan.seconds_alone} s "
        "with one connection; each figure is the median of the rounds",
    ]
    parts = [
        f"```sh\n{command}\n```",
        "\n".join(f"- {line}" for line in [*machine, *conditions, *workloads]),
        *_tables(results),
    ]
    return "\n\n".join(parts) + "\n"


def _tables(results: Results) -> Iterator[str]:
    loads, alone = results.loads, results.alone

    yield _by_server(
        "Requests a second; (d): rows a second", LETTERS, _median(loads, lambda one: one.rate)
    )
    yield _by_server(
        "CPU of the server for a request, microseconds; (d): for 1,000 rows",
        LETTERS,
        _median(loads, lambda one: one.cpu),
    )
    yield _by_server(
        "Milliseconds until the answer under load: p50 (p99)", LETTERS, _latency(loads)
    )
    yield _by_server("Milliseconds with one connection: p50 (p99)", ALONE, _latency(alone))
    yield _by_server(
        "Statements for a request, with BEGIN and COMMIT, under load",
        LETTERS,
        lambda server, letter: _number(results.statements.get((server, letter))),
    )
    yield _by_server(
        "Resident memory after all of it, MiB",
        ["memory"],
        lambda server, _: _number(results.resident.get(server, 0) / 2**20),
    )
    yield _by_pair("Requests a second, as a multiple", loads, lambda one: one.rate)
    yield _by_pair("Requests for the same CPU, as a multiple", loads, lambda one: 1 / one.cpu)
    yield _by_pair(
        "p50 with one connection, as a multiple; less is better", alone, lambda one: one.p50
    )


def _by_server(title: str, columns: Sequence[str], figure: Figure) -> str:
    rows = [[server, *(figure(server, column) for column in columns)] for server in SERVERS]
    return _table(title, columns, [row for row in rows if any(row[1:])])


def _by_pair(title: str, loads: Loads, figure: Callable[[Load], float]) -> str:
    """The median of the ratios, each of two loads of one round."""

    def ratio(server: str, other: str, letter: str) -> str:
        pairs = zip(loads.get((server, letter), ()), loads.get((other, letter), ()), strict=False)
        ratios = [figure(one) / figure(another) for one, another in pairs]
        return f"{median(ratios):.2f}" if ratios else ""

    letters = [letter for letter in LETTERS if (ROLLCALL, letter) in loads]
    rows = [
        [f"{server} / {other}", *(ratio(server, other, letter) for letter in letters)]
        for server, other in PAIRS
    ]
    return _table(title, letters, rows)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    heading = [title, *(f"({one})" if len(one) == 1 else one for one in columns)]
    return "\n".join(
        [
            f"| {' | '.join(heading)} |",
            "|---" + "|--:" * len(columns) + "|",
            *(f"| {' | '.join(row)} |" for row in rows),
        ]
    )


def _median(loads: Loads, figure: Callable[[Load], float]) -> Figure:
    def cell(server: str, letter: str) -> str:
        found = loads.get((server, letter))
        return _number(median(map(figure, found)) if found else None)

    return cell


def _latency(loads: Loads) -> Figure:
    def cell(server: str, letter: str) -> str:
        found = loads.get((server, letter))
        if not found:
            return ""
        p50, p99 = (median(getattr(one, name) for one in found) / 1_000 for name in ("p50", "p99"))
        return f"{_number(p50)} ({_number(p99)})"

    return cell


def _number(value: float | None) -> str:
    """With three digits at least."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
