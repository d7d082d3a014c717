"""Runs the measurement and writes its tables."""

import os
import shlex
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from app.errors import CommandFailed
from bench.peers.client import Client
from bench.peers.comparison import compare, walk
from bench.peers.data import SEED, make_data
from bench.peers.load import wrk
from bench.peers.machine import describe
from bench.peers.measurement import FULL, SHORT, Plan, measure, turns
from bench.peers.report import report
from bench.peers.servers import contenders, pinned
from bench.peers.workloads import Sample
from bench.postgresql import temporary_cluster


def peers(
    short: Annotated[bool, typer.Option(help="Within five minutes, of fewer contacts.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where the tables are written.")] = None,
) -> None:
    """Measures Rollcall beside Mercurius, PostGraphile and a bare route on one PostgreSQL."""
    try:
        wrk()
        written = _measured(SHORT if short else FULL)
    except CommandFailed as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from None
    if out is None:
        typer.echo(written)
    else:
        out.write_text(written)


def _measured(plan: Plan) -> str:
    server_core, *others = sorted(os.sched_getaffinity(0))
    if not others:
        raise CommandFailed("Two cores are needed: one for the server, one for all else.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="rollcall-bench-")))
        stack.enter_context(pinned(set(others)))
        cluster = stack.enter_context(temporary_cluster())
        data = make_data(cluster, folder, plan.contacts)
        _say("Servers")
        started = stack.enter_context(contenders(data, folder, server_core))
        clients = [Client(contender, data.key) for contender in started]
        _say("Comparison")
        able = [client for client in clients if "b" in client.contender.workloads]
        ids, cursors = walk(able, plan.pages)
        sample = Sample.of(ids, data.workspace_size, SEED)
        compare(clients, sample)
        order = turns(clients, sample, [*cursors, *[[]] * (len(clients) - len(able))], folder)
        results = measure(plan, order, data.key, cluster, _say)
        machine = describe(cluster, server_core, set(others))
    return report(_command(), plan, machine, results)


def _command() -> str:
    return shlex.join(["scripts/bench", "peers", *sys.argv[1:]])


def _say(stage: str) -> None:
    typer.echo(f"{stage} ...", err=True)


if __name__ == "__main__":
    typer.run(peers)
