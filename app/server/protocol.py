"""uvicorn's HTTP/1.1 protocol, with bounds on what a client may send, and for how long."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import get_remote_addr

from app.errors import BadRequest, RollcallError, Unavailable
from app.server.answer_transport import AnswerTransport
from app.server.connections import Closed, Connections
from app.server.header_limits import HEADERS_LIMIT, too_many_headers
from app.server.refusals import Refusals

# The head of a request, and what the parser buffers. Half of it is for the headers, which have a
# limit of their own, the rest for the URL.
HEAD_LIMIT = 32 * 1024

# The bytes that are parsed at once: a head with too many headers is refused before the rest is
# parsed.
PIECE = 8 * 1024

# The chunks of a body, each of which takes a microsecond. The longest body may have 256 bytes in
# each of them.
CHUNKS_LIMIT = 16 * 1024

# The requests of all connections that wait behind another one of their connection. Each of them
# takes 3 KB and 20 µs, and may have 26 bytes; clients that do this at all send a few.
PIPELINED_LIMIT = 1024

# The bytes that are read and discarded after a refused head. It is as much as the kernel has
# received in the meantime.
DISCARDED_HEAD_LIMIT = 256 * 1024

# How long a connection may be idle after an answer: longer than proxies and clients keep theirs, by
# default 60 s, so that they do not send a request while it is being closed.
KEEP_ALIVE_SECONDS = 75

# How long a client may send after an answer that did not wait for it.
LINGER_SECONDS = 5


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a request whose head, or whose trailers after a chunked body, are too long: the
    parser copies its whole buffer with every chunk that arrives. Closes a connection whose client
    is too slow to send a request or to read an answer.

    A request that arrives at once costs as little as possible: the state is looked at once for each
    piece of data, and the times by `Connections`, for all connections.
    """

    def __init__(self, guard: Connections, refusals: Refusals, **options: Any) -> None:
        super().__init__(**options)
        self._guard = guard
        self._refusals = refusals
        self._answers: AnswerTransport
        self._since = 0.0  # the start of the wait for the client
        self._partial: object = None  # the scope of an incomplete head, or the cycle of a body
        self._buffered = 0  # bytes of it since the last ones that were of a body
        self._chunks = 0  # of the body that is received
        self._keeps_alive = False
        self._running: RequestResponseCycle | None = None
        # Starts a request that waits until the client has read the answer to the last one.
        self._delayed: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._since = self.loop.time()
        self._answers = AnswerTransport(transport)
        if self._guard.add(self, self.loop):
            super().connection_made(self._answers)  # type: ignore[arg-type]  # it has its methods
            return
        self.transport = transport
        self.client = get_remote_addr(transport)
        self._guard.count(Closed.REFUSED, self.client)
        self._answer(Unavailable("The server has too many connections."))
        transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._guard.remove(self)
        self._guard.pipelined -= len(self.pipeline)
        self.pipeline.clear()
        self._disconnect()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if len(data) <= PIECE:
            self._receive(data)
        else:
            for start in range(0, len(data), PIECE):
                if not self.transport.is_closing():
                    self._receive(data[start : start + PIECE])

    def _receive(self, data: bytes) -> None:
        if self._answers.to_discard is not None:
            self._discard(len(data))
            return
        if self.pipeline and self._guard.pipelined >= PIPELINED_LIMIT:
            self._refuse(Unavailable("Too many requests wait."), Closed.PIPELINED)
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            [offset] = upgrade.args
            self._ignore_upgrade(data[offset:])
            return
        except httptools.HttpParserError:
            self._refuse(BadRequest("The request must be valid HTTP/1.1."), Closed.MALFORMED)
            return
        cycle = self.cycle
        if cycle is None or cycle.more_body or cycle.scope is not self.scope:
            self._expect_more(len(data))
        elif self._partial is not None:
            self._complete()

    def _expect_more(self, size: int) -> None:
        """After data that ends within a request."""
        is_body = self._is_in_body
        partial = self.cycle if is_body else self.scope
        if partial is self._partial:
            self._buffered += size
        else:
            self._complete()
            self._partial = partial
            self._since = self.loop.time()
            self._buffered = 0 if is_body else size
            self._chunks = 0
            if is_body:  # an answer that does not wait for it is the last one of the connection
                self._answers.client_sends = True
                self._keeps_alive = self.cycle.keep_alive
                self.cycle.keep_alive = False
        if self._buffered > HEAD_LIMIT:
            message = f"The head of a request must have at most {HEAD_LIMIT:,} bytes."
            self._refuse(BadRequest(message, 431), Closed.LONG_HEAD)
        elif self._is_in_head and len(self.headers) > HEADERS_LIMIT:
            self._refuse(too_many_headers(), Closed.LONG_HEAD)
        elif self._chunks > CHUNKS_LIMIT:
            message = f"The body of a request must have at most {CHUNKS_LIMIT:,} chunks."
            self._refuse(BadRequest(message, 413), Closed.MANY_CHUNKS)

    def _complete(self) -> None:
        cycle = self._partial
        if isinstance(cycle, RequestResponseCycle):
            self._answers.client_sends = False
            if not cycle.response_started:
                cycle.keep_alive = self._keeps_alive
        self._partial = None

    @property
    def _is_in_head(self) -> bool:
        return self.scope is not None and (self.cycle is None or self.cycle.scope is not self.scope)

    @property
    def _is_in_body(self) -> bool:
        cycle = self.cycle
        return cycle is not None and cycle.more_body and cycle.scope is self.scope

    def on_headers_complete(self) -> None:
        waiting = len(self.pipeline)
        super().on_headers_complete()
        self._guard.pipelined += len(self.pipeline) - waiting

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._buffered = 0
        self._chunks += 1

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self.flow.write_paused:
            self._delayed = partial(self._start_asgi_task, cycle, app)
            return
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._delayed is not None:
            start, self._delayed = self._delayed, None
            start()

    def on_response_complete(self) -> None:
        """As uvicorn's, but without a timer for each request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self._since = self.loop.time()
        self._guard.answered(self)
        if self._answers.to_discard is not None:
            self.cycle.body.clear()
        self.flow.resume_reading()
        if self.pipeline:
            self._guard.pipelined -= 1
            self._start_asgi_task(*self.pipeline.pop())

    def shutdown(self) -> None:
        self._keeps_alive = False
        super().shutdown()

    def _disconnect(self) -> None:
        """Notifies the running request, so that it does not write to a closed connection. It is not
        uvicorn's `cycle` if pipelined requests wait behind it."""
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    def _discard(self, size: int) -> None:
        assert self._answers.to_discard is not None  # noqa: S101  # only then is it called
        self._answers.to_discard -= size
        if self._answers.to_discard < 0:
            self.flow.pause_reading()

    # --- Requests that ask for another protocol ---

    def _should_upgrade(self) -> bool:
        """Called when the head of such a request is complete. With True, uvicorn does not start the
        request, whose body the parser takes for the other protocol's."""
        return True

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Parses the head again, as if the client had not asked (RFC 9110, 7.8), and then what
        follows it. Java's HttpClient asks for h2c with every first request."""
        scope = self.scope
        if scope["method"] == "CONNECT":
            self._refuse(BadRequest("CONNECT is not supported."), Closed.MALFORMED)
            return
        method, version = scope["method"].encode(), scope["http_version"].encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self._receive(b"\r\n".join([*lines, b"", rest]))

    # --- Slow clients ---

    @property
    def waiting_since(self) -> float | None:
        is_running = self._partial is None and self.cycle and not self.cycle.response_complete
        return None if is_running else self._since

    @property
    def unread(self) -> int:
        size: int = self.transport.get_write_buffer_size()
        return size

    @property
    def is_idle(self) -> bool:
        if self.unread:
            return False  # the client still reads
        is_between = self._partial is None and self.cycle is not None
        return is_between or self._answers.to_discard is not None

    def drop(self, reason: Closed) -> None:
        self._guard.count(reason, self.client)
        self._disconnect()
        self.transport.abort()

    def check(self, now: float) -> None:
        if self._answers.is_read_too_slowly(now, self._guard.send_seconds):
            self.drop(Closed.UNREAD)
        if self.transport.is_closing():
            return
        waited = now - self._since
        if self._answers.to_discard is not None:
            if waited >= LINGER_SECONDS:
                self.transport.close()
        elif self._partial is not None:
            if self.flow.read_paused:
                self._since = now  # it is the server that does not read
            elif waited >= self._guard.receive_seconds:
                self._close_slow()
        elif self._running is None:
            if waited >= self._guard.receive_seconds:
                self._guard.count(Closed.SILENT, self.client)
                self.transport.close()
        elif self.cycle.response_complete and waited >= KEEP_ALIVE_SECONDS:
            self.transport.close()

    def _close_slow(self) -> None:
        part, reason = "head", Closed.SLOW_HEAD
        if self._is_in_body:
            part, reason = "body", Closed.SLOW_BODY
        seconds = self._guard.receive_seconds
        message = f"The {part} of a request must be sent within {seconds:g} seconds."
        self._refuse(BadRequest(message, 408), reason)
        self.transport.close()

    def _refuse(self, error: RollcallError, reason: Closed) -> None:
        """Ends the connection, with an answer unless another one is being sent."""
        self._guard.count(reason, self.client)
        cycle = self.cycle
        is_free = cycle is None or cycle.response_complete
        is_its_own = self._is_in_body and not self.pipeline
        if self._is_in_head:
            self.headers.clear()
        if is_free or (is_its_own and not cycle.response_started):
            self._answer(error)
            self._answers.linger(DISCARDED_HEAD_LIMIT)
            self._since = self.loop.time()
        else:
            self.transport.close()
        self._disconnect()

    def _answer(self, error: RollcallError) -> None:
        headers = self.headers if self._is_in_body else []
        self.transport.write(self._refusals.answer(error, self.client, headers))
