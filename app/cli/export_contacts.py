"""Moving out: contacts into a file."""

import json
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.progress import shown_progress
from app.cli.transfer_options import (
    GOES_ON,
    KeyOption,
    Place,
    SourceOption,
    UrlOption,
    WorkspaceOption,
    at_place,
)
from app.errors import CommandFailed
from app.fields.sources import DEFAULT_SOURCE
from app.interrupts import end_on_interrupt, ignore_interrupts
from app.transfer.contact_lines import CsvLines, Lines, NdjsonLines
from app.transfer.execution import Execution
from app.transfer.exporting import Export, count, started
from app.transfer.output import STANDARD_OUTPUT
from app.transfer.policy import custom_field_types
from app.transfer.state_file import path_of

_NDJSON = (".ndjson", ".jsonl")


class Format(Enum):
    CSV = "csv"
    NDJSON = "ndjson"


def export_contacts(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Ends in .csv or .ndjson, then .gz or .zst; - is standard output."
        ),
    ],
    workspace: WorkspaceOption = "",
    source: SourceOption = DEFAULT_SOURCE,
    url: UrlOption = "",
    key: KeyOption = "",
    filter_text: Annotated[
        str, typer.Option("--filter", metavar="JSON", help="A ContactFilter of the API.")
    ] = "",
    search: Annotated[str, typer.Option(metavar="TEXT", help="As `search` of the API.")] = "",
    chosen: Annotated[
        Format | None,
        typer.Option(
            "--format", metavar="FORMAT", help="csv or ndjson; by default, of FILE's ending."
        ),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Puts no apostrophe before what would be a formula.")
    ] = False,
) -> None:
    """Exports contacts to a file. Interrupted, the same command goes on where it stood."""
    selection = {"filter": _filter(filter_text), "search": search or None}
    form = chosen or _format(file)
    options = {
        "place": [workspace, source, url],
        "selection": selection,
        "format": [form.value, raw],
    }
    place = Place(workspace, source, url, key)
    end_on_interrupt(
        "The export is not complete. Run the same command again."
        if file == STANDARD_OUTPUT
        else GOES_ON
    )
    at_place(place, partial(_export, file, selection, form, options))


def _filter(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise CommandFailed(f"--filter must be JSON: {error}.") from error


def _format(file: Path) -> Format:
    return Format.NDJSON if any(suffix in _NDJSON for suffix in file.suffixes[-2:]) else Format.CSV


async def _export(
    file: Path,
    selection: dict[str, Any],
    form: Format,
    options: dict[str, Any],
    execution: Execution,
) -> None:
    definitions = await custom_field_types(execution)
    raw = options["format"][1]
    lines: Lines = NdjsonLines() if form is Format.NDJSON else CsvLines(definitions, raw)
    state = started(file, options | {"definitions": definitions})
    total = await count(execution, selection)
    with shown_progress() as report:
        export = Export(execution, selection, file, lines)
        done = await export.run(state, lambda contacts: report("Contacts", contacts, total))
    ignore_interrupts()  # there is nothing left to go on with
    path_of(file).unlink(missing_ok=True)
    typer.echo(f"Contacts exported: {done.contacts:,}.", err=True)
    if done.defused:
        typer.echo(
            "Cells that a spreadsheet would take for formulas begin with an apostrophe, which "
            f"rollcall import takes off again: {done.defused:,}. --raw leaves them as they are.",
            err=True,
        )
