"""Lists: a table on a terminal, lines with tabs elsewhere, or JSON. All have the same columns."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import orjson
import typer

AsJson = Annotated[bool, typer.Option("--json", help="Prints JSON.")]


def print_list(columns: Sequence[str], rows: Sequence[Sequence[Any]], as_json: bool) -> None:
    if as_json:
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z
        typer.echo(orjson.dumps(records, default=str, option=options).decode())
    elif sys.stdout.isatty():
        _print_table(columns, rows)
    else:
        for row in (columns, *rows):
            typer.echo("\t".join(map(_text, row)))


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Without the columns that are empty. Where the terminal is too narrow, a small table for each
    row, so that an id stays in one piece."""
    # Takes longer to import than most commands take to run.
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    filled = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    table = Table(*(columns[place] for place in filled), box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(_short_text(row[place]) for place in filled))
    console = Console(markup=False, highlight=False, emoji=False)
    unlimited = console.options.update(width=sys.maxsize)
    if console.measure(table, options=unlimited).maximum <= console.width:
        console.print(table)
        return
    for row in rows:
        record = Table.grid(padding=(0, 2))
        for place in filled:
            record.add_row(columns[place], _short_text(row[place]))
        console.print(record, "")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return ",".join(value) if isinstance(value, list) else str(value)


def _short_text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%MZ}"
    return ", ".join(value) if isinstance(value, list) else _text(value)
