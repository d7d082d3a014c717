"""uvicorn's HTTP/1.1 protocol, with bounds on what a client may send, and for how long."""

import asyncio
from enum import Enum, auto
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from app.api.graphql.execution.answers import error_answer
from app.api.http.security_headers import SECURITY_HEADERS
from app.errors import BadRequest, RollcallError, Unavailable
from app.server.connections import Closed, Connections
from app.server.header_limits import HEADERS_LIMIT, too_many_headers
from app.tables import new_id

# The head of a request, and what the parser buffers. Half of it is for the headers, which have a
# limit of their own, the rest for the URL.
HEAD_LIMIT = 32 * 1024

_SECURITY = "".join(f"{name}: {value}\r\n" for name, value in SECURITY_HEADERS.items())

# The bytes that are parsed at once: a head with too many headers is refused before the rest is
# parsed.
PIECE = 8 * 1024

# The bytes that are read and discarded after an answer that did not wait for the end of a body.
DISCARDED_BODY_LIMIT = 4 * 1024 * 1024

# The same after a refused head. It is as much as the kernel has received in the meantime.
DISCARDED_HEAD_LIMIT = 256 * 1024


class Phase(Enum):
    SILENT = auto()  # nothing of a request has arrived
    HEAD = auto()
    BODY = auto()
    RECEIVED = auto()


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a request whose head, or whose trailers after a chunked body, are too long: the
    parser copies its whole buffer with every chunk that arrives. Closes a connection whose client
    is too slow to send a request or to read an answer.
    """

    def __init__(self, guard: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._guard = guard
        self._phase = Phase.SILENT
        self._since = 0.0  # the start of the phase, or of the wait for the next request
        self._buffered = 0
        self._keeps_alive = False
        self._unread = 0
        self._read_at = 0.0  # when the client was last seen reading
        self._to_discard: int | None = None
        self._half_open = _HalfOpen(self)
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._since = self._read_at = self.loop.time()
        if self._guard.add(self, self.loop):
            super().connection_made(transport)
            return
        self.transport = transport
        self._guard.count(Closed.REFUSED, transport.get_extra_info("peername"))
        self._answer(Unavailable("The server has too many connections."))
        transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._guard.remove(self)
        self._disconnect()
        super().connection_lost(exc)
        if self.cycle is not None:
            self.cycle.transport = self.transport
        del self._half_open  # which refers to this object

    def data_received(self, data: bytes) -> None:
        if self._to_discard is not None:
            self._to_discard -= len(data)
            if self._to_discard < 0:
                self.flow.pause_reading()
        elif len(data) <= PIECE:
            self._parse(data)
        else:
            for start in range(0, len(data), PIECE):
                if self._to_discard is None and not self.transport.is_closing():
                    self._parse(data[start : start + PIECE])

    def _parse(self, data: bytes) -> None:
        self._buffered += len(data)
        super().data_received(data)
        if self._to_discard is not None or self.transport.is_closing():
            return
        if self._buffered > HEAD_LIMIT:
            message = f"The head of a request must have at most {HEAD_LIMIT:,} bytes."
            self._refuse(BadRequest(message, 431), Closed.LONG_HEAD)
        elif self._phase is Phase.HEAD and len(self.headers) > HEADERS_LIMIT:
            self._refuse(too_many_headers(), Closed.LONG_HEAD)
        elif self._phase is Phase.RECEIVED and self.cycle.response_complete:
            # Empty lines, which may come before a request, have stopped uvicorn's own timer.
            self._phase = Phase.SILENT
            self._since = self.loop.time()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._phase = Phase.HEAD
        self._since = self.loop.time()

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade() and self._has_body():
            # The parser takes the body for the other protocol's.
            message = "A request that asks for another protocol by Upgrade must not have a body."
            self._refuse(BadRequest(message), Closed.UPGRADE)
            return
        super().on_headers_complete()
        self._buffered = 0
        self._phase = Phase.BODY
        self._since = self.loop.time()
        # An answer that does not wait for the body is the last one of the connection.
        cycle = self.cycle
        self._keeps_alive = cycle.keep_alive
        cycle.keep_alive = False
        cycle.transport = self._half_open

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._buffered = 0

    def on_message_complete(self) -> None:
        if self._to_discard is not None:
            return
        super().on_message_complete()
        self._buffered = 0
        self._phase = Phase.RECEIVED
        cycle = self.cycle
        cycle.transport = self.transport
        if not cycle.response_started:
            cycle.keep_alive = self._keeps_alive

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._since = self.loop.time()

    def shutdown(self) -> None:
        self._keeps_alive = False
        super().shutdown()

    def _has_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.headers
        )

    def _unsupported_upgrade_warning(self) -> None:
        """Other requests to upgrade are answered as if they had not asked (RFC 9110, 7.8)."""

    def _disconnect(self) -> None:
        """Notifies the running request, so that it does not write to a closed connection. It is not
        uvicorn's `cycle` if pipelined requests wait behind it."""
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    # --- Answers that come before the end of the body ---

    def linger(self, discarded_limit: int) -> None:
        """Closes the connection for writing. If it were closed for reading too, the system would
        discard the answer before a client that is still sending has read it. The client closes the
        rest, or uvicorn's timer for idle connections does."""
        if self._to_discard is None and not self.transport.is_closing():
            self._to_discard = discarded_limit
            self._phase = Phase.SILENT
            self._since = self.loop.time()
            if self.cycle is not None:
                self.cycle.body.clear()
            self.transport.write_eof()
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    # --- Slow clients ---

    @property
    def waiting_since(self) -> float | None:
        if self._phase is Phase.RECEIVED and not self.cycle.response_complete:
            return None
        return self._since

    def drop(self) -> None:
        self._guard.count(Closed.EVICTED, self.client)
        self._disconnect()
        self.transport.abort()

    def check(self, now: float) -> None:
        self._check_reading(now)
        if self._phase is Phase.RECEIVED or self.transport.is_closing():
            return
        if self._phase is Phase.BODY and self.flow.read_paused:
            self._since = now  # it is the server that does not read
        elif now - self._since >= self._guard.receive_seconds:
            self._close_slow()

    def _check_reading(self, now: float) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread == 0 or unread < self._unread:
            self._read_at = now
        elif now - self._read_at >= self._guard.send_seconds:
            self._guard.count(Closed.UNREAD, self.client)
            self._disconnect()
            self.transport.abort()
        self._unread = unread

    def _close_slow(self) -> None:
        if self._phase is Phase.SILENT:
            self._guard.count(Closed.SILENT, self.client)
            self.transport.close()
            return
        part, reason = ("head", Closed.SLOW_HEAD)
        if self._phase is Phase.BODY:
            part, reason = ("body", Closed.SLOW_BODY)
        seconds = self._guard.receive_seconds
        message = f"The {part} of a request must be sent within {seconds:g} seconds."
        self._refuse(BadRequest(message, 408), reason)
        self.transport.close()

    def _refuse(self, error: RollcallError, reason: Closed) -> None:
        """Ends the connection, with an answer unless another one is being sent."""
        self._guard.count(reason, self.client)
        if self._phase is Phase.HEAD:
            self.headers.clear()
        cycle = self.cycle
        is_free = cycle is None or cycle.response_complete
        is_its_own = self._phase is Phase.BODY and not self.pipeline
        if is_free or (is_its_own and not cycle.response_started):
            self._answer(error)
            self.linger(DISCARDED_HEAD_LIMIT)
        else:
            self.transport.close()
        self._disconnect()

    def _answer(self, error: RollcallError) -> None:
        content = orjson.dumps(error_answer(error))
        head = (
            "content-type: application/json\r\n"
            f"{_SECURITY}"
            f"content-length: {len(content)}\r\n"
            f"x-request-id: {new_id()}\r\n"
            f"{'retry-after: 1' if error.status == 503 else 'cache-control: no-store'}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[error.status] + head.encode() + content)


class _HalfOpen(asyncio.Transport):
    """What an answer is written to while the body of its request is incomplete."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        super().__init__()
        self._protocol = protocol

    def write(self, data: Any) -> None:
        self._protocol.transport.write(data)

    def is_closing(self) -> bool:
        return self._protocol.transport.is_closing()

    def close(self) -> None:
        self._protocol.linger(DISCARDED_BODY_LIMIT)
