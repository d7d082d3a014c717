"""The file of rejected rows, beside the one that is imported."""

import os
from collections.abc import Sequence
from pathlib import Path

from app.transfer.ndjson_file import NdjsonFile
from app.transfer.outcomes import Outcome
from app.transfer.output import private
from app.transfer.rows import Row, RowFile


class RejectedFile:
    """Rows that were not written. It is made with the first of them."""

    def __init__(self, imported: Path, rows: RowFile) -> None:
        ending = "ndjson" if isinstance(rows, NdjsonFile) else "csv"
        self.path = imported.with_name(f"{imported.name}.rejected.{ending}")
        self._rows = rows

    def replace(self, length: int, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> int:
        """Keeps so many first bytes, and adds the rejected ones of the rows. Returns the length of
        the file."""
        text = "".join(
            self._rows.rejected(row, outcome.faults)
            for row, outcome in zip(rows, outcomes, strict=True)
            if outcome.is_rejected
        )
        if not text and not length:
            self.path.unlink(missing_ok=True)
            return 0
        if not length:
            text = self._rows.rejected_header() + text
        with open(self.path, "ab", opener=private) as file:
            file.truncate(length)
            # Bytes that were not text in the encoding of the file stay what they are.
            file.write(text.encode(errors="surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
            return file.tell()
