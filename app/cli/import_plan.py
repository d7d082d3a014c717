"""Carries an import out, and tells how it goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import typer

from app.cli.progress import shown_progress
from app.cli.transfer_options import GOES_ON, Place, at_place
from app.errors import CommandFailed
from app.interrupts import end_on_interrupt, ignore_interrupts
from app.progress import Report
from app.transfer.batches import Batches, read_ahead
from app.transfer.checkpoint import load
from app.transfer.columns import shown
from app.transfer.csv_file import CsvFile
from app.transfer.execution import Execution
from app.transfer.importing import Import
from app.transfer.outcomes import Kind, Outcome
from app.transfer.policy import check_policy, custom_field_types
from app.transfer.rejected import RejectedFile
from app.transfer.row_file import Reading, opened_rows
from app.transfer.rows import Row, RowFile
from app.transfer.source import STANDARD_INPUT, Source
from app.transfer.state_file import path_of, require_written
from app.transfer.trial import try_out

_SHOWN = 200  # characters of a message
_NAME_IT = "give --encoding, such as cp1252 for Western or cp1250 for Central Europe"


@dataclass(frozen=True, slots=True)
class Plan:
    """All that an import was asked for."""

    place: Place
    reading: Reading
    policy: Mapping[str, Any]

    @property
    def base(self) -> Path:
        """What the files beside the import are named after."""
        return Path("stdin") if self.reading.path == STANDARD_INPUT else self.reading.path

    def options(self, rows: RowFile) -> dict[str, Any]:
        """What has to be the same when an import goes on."""
        place = self.place
        columns = [str(one) for one in rows.columns] if isinstance(rows, CsvFile) else []
        return {
            "place": [place.workspace, place.source, place.url],
            "policy": dict(self.policy),
            "file": [rows.description, columns, str(self.reading.cells)],
        }


def run_plan(plan: Plan, *, dry_run: bool) -> None:
    end_on_interrupt("Nothing was done. Run the same command again." if dry_run else GOES_ON)
    at_place(plan.place, partial(_with_rows, plan, dry_run=dry_run))


async def _with_rows(plan: Plan, execution: Execution, *, dry_run: bool) -> None:
    await check_policy(execution, plan.policy)
    with opened_rows(plan.reading, await custom_field_types(execution)) as (source, rows):
        work = _try_out if dry_run else _import
        async with read_ahead(rows.rows()) as batches:
            await work(plan, execution, source, rows, batches)


async def _import(
    plan: Plan, execution: Execution, source: Source, rows: RowFile, batches: Batches
) -> None:
    rejected = RejectedFile(plan.base, rows)
    checkpoint = load(path_of(plan.base), plan.options(rows))
    if checkpoint.is_new and rejected.path.exists():
        raise CommandFailed(
            f"{rejected.path} has the rejected rows of an earlier import. Import it, move it or "
            "remove it."
        )
    require_written(rejected.path, checkpoint.rejected_bytes, checkpoint.path)
    _describe(plan, rows)
    if checkpoint.done.rows:
        typer.echo(f"Going on after {checkpoint.done.rows:,} rows.", err=True)
    work = Import(execution, batches, plan.policy, checkpoint, rejected)
    with shown_progress() as report:
        done = await work.run(lambda done: _report(report, done.rows, source))
    ignore_interrupts()  # there is nothing left to go on with
    work.checkpoint.remove()
    typer.echo(f"Rows imported: {done.rows:,} ({_counted(done.counts)}).")
    if done.rejected_bytes:
        typer.echo(f"The rejected rows are in {rejected.path}: mend and import it.")


def _describe(plan: Plan, rows: RowFile) -> None:
    typer.echo(f"{plan.reading.path}: {rows.description}.", err=True)
    if words := rows.encoding.words:
        guess = f"{rows.encoding.name} is a guess, by which the file has {', '.join(words)}"
        typer.echo(f"  {guess}. If letters are wrong, {_NAME_IT}.", err=True)
    if isinstance(rows, CsvFile):
        for line in shown(rows.columns):
            typer.echo(f"  {line}", err=True)


async def _try_out(
    plan: Plan, execution: Execution, source: Source, rows: RowFile, batches: Batches
) -> None:
    _describe(plan, rows)
    with shown_progress() as report:
        trial = await try_out(
            execution, batches, plan.policy, lambda done: _report(report, done, source)
        )
    counts = {kind.value: count for kind, count in trial.counts.items()}
    typer.echo(f"Rows of the file: {trial.rows:,}. An import would give: {_counted(counts)}.")
    for kind, (row, outcome) in trial.first.items():
        typer.echo(f"{kind.value}, first in line {row.line:,}: {_example(row, outcome)}")


def _report(report: Report, rows: int, source: Source) -> None:
    """The share of the bytes that has been read tells approximately how many rows there are."""
    report("Rows", rows, round(rows / source.read_share) if source.read_share else 0)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts.get(kind.value, 0):,} {kind.value}" for kind in Kind)


def _example(row: Row, outcome: Outcome) -> str:
    name = row.contact.get("email") or row.contact.get("externalId") or "a row without identifiers"
    said = "; ".join(fault.message for fault in outcome.faults) or ", ".join(outcome.changes)
    text = f"{name}: {said}" if said else str(name)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
