"""The file that is exported to, in parts each of which can be read without those after it."""

import gzip
import os
import sys
from collections.abc import Callable
from pathlib import Path

from app.transfer.zstd import zstd

STANDARD_OUTPUT = Path("-")

_COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstd.compress}


class Output:
    """The ending of the name tells the compression. Archives of both kinds may have many parts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._compress = _COMPRESSIONS.get(path.suffix)

    def append(self, length: int, text: str) -> int:
        """Adds text after the first bytes of the file, and returns its new length."""
        content = text.encode()
        if self._compress is not None:
            content = self._compress(content)
        if self._path == STANDARD_OUTPUT:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return length + len(content)
        with open(self._path, "ab", opener=private) as file:
            file.truncate(length)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            return file.tell()


def private(path: str, flags: int) -> int:
    """Only the owner can read the contacts."""
    return os.open(path, flags, 0o600)
