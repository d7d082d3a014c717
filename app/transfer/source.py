"""The bytes of a file or of standard input, decompressed while they are read."""

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from app.errors import CommandFailed
from app.transfer.zstd import zstd

STANDARD_INPUT = Path("-")

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
BUFFER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """`raw` is what `stream` reads from, so that its position tells how far a reader has come."""

    stream: io.BufferedReader
    raw: IO[bytes]
    size: int | None  # None of standard input

    @property
    def read_share(self) -> float | None:
        """How much of the file has been read, from 0 to 1, if that is known."""
        return self.raw.tell() / self.size if self.size else None


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Raises CommandFailed, also for a compressed file that is broken while it is read."""
    with ExitStack() as held:
        size = None
        if path == STANDARD_INPUT:
            raw: IO[bytes] = sys.stdin.buffer
        else:
            raw = held.enter_context(path.open("rb", buffering=0))
            size = path.stat().st_size
        try:
            yield Source(_decompressed(_buffered(raw)), raw, size)
        except (EOFError, gzip.BadGzipFile, zstd.ZstdError) as error:
            raise CommandFailed(f"{path} ends early or is damaged: {error}.") from error


def _decompressed(packed: io.BufferedReader) -> io.BufferedReader:
    """The first bytes tell the compression, whatever the name of the file."""
    start = packed.peek(4)[:4]
    if start.startswith(_GZIP):
        return _buffered(cast(IO[bytes], gzip.GzipFile(fileobj=packed)))
    if start == _ZSTD:
        return _buffered(cast(IO[bytes], zstd.ZstdFile(packed)))
    return packed


def _buffered(stream: IO[bytes]) -> io.BufferedReader:
    return io.BufferedReader(cast(io.RawIOBase, stream), BUFFER_BYTES)
