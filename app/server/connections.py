"""The open connections of a process: limits their number, and the time that clients may take."""

import asyncio
import logging
from collections import Counter
from enum import Enum
from heapq import nsmallest
from typing import Protocol

# Evicted together when there is no room for a new connection, so that the search for those that
# have waited longest for their clients is not repeated for each new one.
ROOM = 16

SWEEPS = 10  # in the shorter of the time limits
SLICE = 20  # connections that are checked in one turn of the event loop
REPORT_SECONDS = 10

# Bytes of answers that the clients of all connections have not read: by default, one of the longest
# answers.
UNREAD_LIMIT = 16 * 1024 * 1024

# A shorter rest of an answer is not looked at.
LONG_REST = 64 * 1024

_log = logging.getLogger("rollcall.connections")


class Closed(Enum):
    """Why the server closed a connection."""

    SILENT = "sent no request in time"
    SLOW_HEAD = "sent the head of a request too slowly"
    SLOW_BODY = "sent the body of a request too slowly"
    UNREAD = "did not read an answer in time"
    LONG_HEAD = "sent the head of a request that is too long"
    MANY_CHUNKS = "sent the body of a request in too many chunks"
    PIPELINED = "sent requests before their answers, of which too many wait"
    MALFORMED = "sent no valid request of HTTP/1.1"
    EVICTED = "made room for new connections"
    REFUSED = "found no room"
    CROWDED = "did not read an answer before others became too long together"
    FAILED = "could not be checked"


class Connection(Protocol):
    @property
    def waiting_since(self) -> float | None:
        """When it began to wait for its client. None while it executes a request."""

    @property
    def is_idle(self) -> bool:
        """Whether its client has read an answer, and sent nothing of another request."""

    @property
    def unread(self) -> int:
        """The bytes of answers that its client has not read, as far as the server holds them."""

    def check(self, now: float) -> None:
        """Closes the connection if its client is too slow."""

    def drop(self, reason: Closed) -> None: ...


class Connections:
    """The times are checked by one timer for all connections: a timer for each request would cost
    more than the request's parsing."""

    def __init__(self, limit: int, receive_seconds: float, send_seconds: float) -> None:
        self.receive_seconds = receive_seconds
        self.send_seconds = send_seconds
        self.pipelined = 0  # requests of all connections that wait behind another one
        self._limit = limit
        self._interval = min(receive_seconds, send_seconds) / SWEEPS
        self._open: set[Connection] = set()
        self._unread: dict[Connection, None] = {}  # the one with the oldest answer first
        self._closed: Counter[Closed] = Counter()
        self._last = ""
        self._reported = float("-inf")
        self._is_sweeping = False

    def add(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether there is room for it."""
        if not self._is_sweeping:
            self._is_sweeping = True
            loop.call_later(self._interval, self._sweep, loop)
        if len(self._open) >= self._limit and not self._make_room(loop.time()):
            return False
        self._open.add(connection)
        return True

    def remove(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._unread.pop(connection, None)

    def answered(self, connection: Connection) -> None:
        """Drops connections if their answers are too long together: first those that have had the
        longest time to read theirs. The answer of this one is sent, however long it is."""
        if connection.unread < LONG_REST:
            return
        self._unread.pop(connection, None)
        others = {one: one.unread for one in self._unread if one.unread}
        unread = connection.unread + sum(others.values())
        self._unread = dict.fromkeys([*others, connection])
        for one, size in others.items():
            if unread <= UNREAD_LIMIT:
                return
            unread -= size
            self.remove(one)
            one.drop(Closed.CROWDED)

    def count(self, reason: Closed, client: tuple[str, int] | None) -> None:
        self._closed[reason] += 1
        self._last = client[0] if client else "-"

    def _make_room(self, now: float) -> bool:
        """Evicts connections, so that silent ones do not keep out a client that sends its request:
        first those that are idle, then those that have waited longest for their clients. Returns
        whether there were any."""
        waiting = []
        for one in self._open:
            since = one.waiting_since
            if since is not None:
                is_idle = one.is_idle and now - since >= self._interval
                waiting.append((not is_idle, since, id(one), one))
        for *_, one in nsmallest(min(ROOM, self._limit), waiting):
            self._open.discard(one)
            one.drop(Closed.EVICTED)
        return bool(waiting)

    def _sweep(self, loop: asyncio.AbstractEventLoop, rest: list[Connection] | None = None) -> None:
        """Checks all connections. Those of an attack are closed in several turns of the loop, so
        that other clients do not wait for it."""
        now = loop.time()
        rest = list(self._open) if rest is None else rest
        for one in rest[-SLICE:]:
            if one in self._open:
                self._check(one, loop, now)
        del rest[-SLICE:]
        if rest:
            loop.call_soon(self._sweep, loop, rest)
            return
        if self._closed and now - self._reported >= REPORT_SECONDS:
            self._report()
            self._reported = now
        loop.call_later(self._interval, self._sweep, loop)

    def _check(self, connection: Connection, loop: asyncio.AbstractEventLoop, now: float) -> None:
        try:
            connection.check(now)
        except Exception:  # whatever it is, the other connections are checked
            _log.exception("a connection could not be checked")
            self.remove(connection)
            loop.call_soon(connection.drop, Closed.FAILED)

    def _report(self) -> None:
        counts = "; ".join(f"{count:,} {reason.value}" for reason, count in self._closed.items())
        _log.warning("closed connections: %s (the last from %s)", counts, self._last)
        self._closed.clear()
