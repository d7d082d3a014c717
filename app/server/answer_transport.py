"""What uvicorn writes the answers of a connection to."""

import asyncio
import sys
from contextlib import suppress
from typing import Any

# The rate at which a client must read an answer. One of 16 MiB takes a quarter of an hour at most.
READ_BYTES_PER_SECOND = 16 * 1024

# The bytes that are read and discarded after an answer that did not wait for the end of a body.
DISCARDED_BODY_LIMIT = 4 * 1024 * 1024


class AnswerTransport:
    """While the client still sends, `close` closes the connection only for writing. If it were
    closed for reading too, the system would discard the answer before the client has read it.

    It has no base class: the methods of asyncio.Transport would hide those of the real transport.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing  # called for each request
        self.sent = 0  # bytes, some of which the client may not have read
        # Bytes at `_read_at`, when the client was last seen to read fast enough. None if it has
        # read all since then.
        self._read: int | None = None
        self._read_at = 0.0
        self.client_sends = False
        self.to_discard: int | None = None  # bytes, after the connection was closed for writing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self.sent += len(data)
        self._transport.write(data)

    def close(self) -> None:
        if self.client_sends and self.to_discard is None:
            self.linger(DISCARDED_BODY_LIMIT)
        else:
            self._transport.close()

    def linger(self, limit: int) -> None:
        """Closes the connection for writing, and lets the client send so many bytes more."""
        if self.to_discard is None and not self.is_closing():
            self.to_discard = limit
            self._transport.write_eof()

    def is_read_too_slowly(self, now: float, seconds: float) -> bool:
        """Whether the client has read neither all nor at the least rate for so many seconds. To be
        called several times in that period."""
        unread = self._transport.get_write_buffer_size()
        if unread == 0:
            self._read = None
            return False
        read = self.sent - unread - _unacknowledged(self._transport)
        if self._read is None or read - self._read >= READ_BYTES_PER_SECOND * seconds:
            self._read, self._read_at = read, now
        return now - self._read_at >= seconds


def _unacknowledged(transport: asyncio.Transport) -> int:
    """The bytes that the kernel has not sent, or whose receipt the client has not confirmed.

    The kernel takes more bytes only when a third of these, which may be a megabyte, are gone. In
    the meantime, a client that reads steadily would seem to read nothing."""
    if sys.platform != "win32":
        from fcntl import ioctl
        from termios import TIOCOUTQ

        with suppress(OSError):  # the system does not tell it of a socket
            answer = ioctl(transport.get_extra_info("socket").fileno(), TIOCOUTQ, bytes(4))
            return int.from_bytes(answer, sys.byteorder)
    return 0
