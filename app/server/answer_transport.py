"""What uvicorn writes the answers of a connection to."""

import asyncio
from typing import Any

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
