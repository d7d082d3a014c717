"""Opens a file of rows: finds out its compression, encoding, format and delimiter."""

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from app.errors import CommandFailed
from app.transfer.columns import columns_of
from app.transfer.csv_file import Cells, CsvFile
from app.transfer.encoding import Encoding, encoding_of, named_encoding
from app.transfer.ndjson_file import NdjsonFile
from app.transfer.records import delimiter_of, lines_of, records
from app.transfer.rows import RowFile
from app.transfer.source import STANDARD_INPUT, Source, opened

_HEAD_CHARACTERS = 256 * 1024
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # as spreadsheets write it


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read; what is None is found out."""

    path: Path
    encoding: str | None = None
    delimiter: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    cells: Cells = field(default_factory=Cells)


@contextmanager
def opened_rows(
    reading: Reading, definitions: Mapping[str, str]
) -> Iterator[tuple[Source, RowFile]]:
    """`definitions` are the types of the workspace's custom fields. Raises CommandFailed."""
    with opened(reading.path) as source:
        if reading.encoding:
            encoding = named_encoding(reading.encoding)
        else:
            encoding = _found_encoding(reading.path, source)
        wide = encoding.name.replace("_", "-").startswith(("utf-16", "utf-32"))
        errors = "surrogatepass" if wide else "surrogateescape"
        text = io.TextIOWrapper(source.stream, encoding.name, errors, newline="")
        try:
            yield source, _row_file(text, reading, encoding, definitions)
        except UnicodeDecodeError as error:
            raise CommandFailed(
                f"{reading.path} must be text in {encoding.name}: {error.reason}. Give its "
                "--encoding."
            ) from error


def _found_encoding(path: Path, source: Source) -> Encoding:
    """Of the whole file; of standard input, as far as it can be read in advance."""
    head = source.stream.peek()
    if path == STANDARD_INPUT:
        return encoding_of(io.BytesIO(head), head)
    with opened(path) as whole:
        return encoding_of(whole.stream, head)


def _row_file(
    text: io.TextIOWrapper, reading: Reading, encoding: Encoding, definitions: Mapping[str, str]
) -> RowFile:
    lines = lines_of(text)
    number, head = 1, [next(lines, "")]
    while head[0].isspace():
        number, head = number + 1, [next(lines, "")]
    if head[0].lstrip().startswith("{"):
        return NdjsonFile(chain(head, lines), number, encoding)
    separator = _SEPARATOR_LINE.fullmatch(head[0])
    if separator is not None:
        number, head = number + 1, [next(lines, "")]
    left = _HEAD_CHARACTERS
    while left > 0 and (line := next(lines, "")):
        head.append(line)
        left -= len(line)
    delimiter = reading.delimiter or (separator and separator[1]) or delimiter_of(head)
    found = records(chain(head, lines), delimiter, number)
    header = next(found, None)
    if header is None:
        raise CommandFailed(f"{reading.path} is empty.")
    if header.fault is not None:
        raise CommandFailed(f"The header of {reading.path} is malformed. {header.fault}")
    columns = columns_of(header.cells, reading.mapping, definitions)
    return CsvFile(found, header.cells, columns, delimiter, encoding, reading.cells)
