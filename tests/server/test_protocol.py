"""Connections in this process, whose time a test can set: what becomes of them in the end."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.server.connections import UNREAD_LIMIT, Closed, Connections
from app.server.protocol import KEEP_ALIVE_SECONDS, BoundedProtocol
from app.server.refusals import Refusals
from app.settings import Settings

PAGE = "https://app.example.com"
HEAD = f"POST /graphql HTTP/1.1\r\nhost: rollcall.test\r\norigin: {PAGE}\r\n".encode()
REQUEST = HEAD + b"content-length: 2\r\n\r\n{}"
LONG_REQUEST = REQUEST.replace(b"/graphql", b"/long")
HALF = HEAD + b"content-length: 2\r\n\r\n{"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\naa"
LONG = 8 * 1024 * 1024


@dataclass
class Seen:
    """An application that notes its requests."""

    requests: list[tuple[str, str, bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        self.requests.append((scope["method"], scope["path"], body))
        length = LONG if scope["path"] == "/long" else 2
        headers = [(b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a" * length})


class Host:
    def __init__(self, limit: int = 1000) -> None:
        self.app = Seen()
        self.guard = Connections(limit, receive_seconds=10, send_seconds=10)
        self._refusals = Refusals(Settings(_env_file=None, allowed_origins=PAGE))
        self._state = ServerState()
        self._config = uvicorn.Config(self.app, ws="none", log_config=None, access_log=False)

    @asynccontextmanager
    async def connection(
        self, *, large_buffers: bool = False
    ) -> AsyncIterator[tuple[BoundedProtocol, socket.socket]]:
        """The server's end and the client's, with small buffers between them, or with the usual
        ones of TCP on the server's side, which grow to megabytes."""
        loop = asyncio.get_running_loop()
        theirs, ours = _tcp_pair() if large_buffers else socket.socketpair()
        for one in (theirs, ours):
            one.setblocking(False)
            if not large_buffers:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        _, protocol = await loop.connect_accepted_socket(self._protocol, ours)
        with theirs:
            yield protocol, theirs
        protocol.transport.abort()
        await asyncio.sleep(0)  # it is closed

    def _protocol(self) -> BoundedProtocol:
        return BoundedProtocol(
            self.guard, self._refusals, config=self._config, server_state=self._state, app_state={}
        )


def _tcp_pair() -> tuple[socket.socket, socket.socket]:
    theirs = socket.socket()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs.connect(listener.getsockname())
        return theirs, listener.accept()[0]


async def sent(one: socket.socket, count: int) -> bytes:
    """So many bytes that the server sent; fewer if it has closed the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while len(received) < count:
            part = await asyncio.get_running_loop().sock_recv(one, count - len(received))
            if not part:
                break
            received += part
    return received


async def head(one: socket.socket) -> list[str]:
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        received += await sent(one, 1)
    return received.decode().splitlines()


def is_open(protocol: BoundedProtocol) -> bool:
    return not protocol.transport.is_closing()


# --- Requests that ask for another protocol ---

BODY = b"{\r\n\r\n\r\n\r\n"
ASKED = [
    b"",
    b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n",
    b"upgrade: websocket\r\nconnection: keep-alive\r\nConnection: upgrade\r\n",
]
SENT = [
    (b"content-length: 9\r\n\r\n" + BODY, BODY),
    (b"transfer-encoding: chunked\r\n\r\n4\r\n{\r\n\r\r\n5\r\n\n\r\n\r\n\r\n0\r\n\r\n", BODY),
    (b"content-length: 0\r\n\r\n", b""),
    (b"\r\n", b""),
]


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[bytes], list[tuple[str, str, bytes]]]:
    """The pieces in which one to three requests arrive, and the requests."""
    given, requests = b"", []
    for number in range(draw(st.integers(1, 3))):
        asked, (sent, body) = draw(st.sampled_from(ASKED)), draw(st.sampled_from(SENT))
        given += b"POST /%d HTTP/1.1\r\nhost: a\r\n" % number + asked + sent
        requests.append(("POST", f"/{number}", body))
    cuts = sorted({0, len(given), *draw(st.lists(st.integers(0, len(given)), max_size=8))})
    return [given[start:end] for start, end in pairwise(cuts)], requests


async def served(pieces: Sequence[bytes], count: int) -> list[tuple[str, str, bytes]]:
    host = Host()
    async with host.connection() as (protocol, client):
        for piece in pieces:
            protocol.data_received(piece)
            await asyncio.sleep(0)
        assert await sent(client, count * len(ANSWER)) == count * ANSWER
        assert is_open(protocol)
    return host.app.requests


@given(streams())
@settings(max_examples=50)
def test_wish_for_another_protocol_is_ignored_however_the_request_arrives(
    stream: tuple[list[bytes], list[tuple[str, str, bytes]]],
) -> None:
    pieces, requests = stream
    assert asyncio.run(served(pieces, len(requests))) == requests


# --- Chunks ---


@pytest.mark.parametrize(("chunks", "status"), [(16_000, 200), (20_000, 413)])
async def test_body_has_a_limited_number_of_chunks(chunks: int, status: int) -> None:
    async with Host().connection() as (protocol, client):
        protocol.data_received(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        protocol.data_received(b"1\r\n \r\n" * chunks + b"0\r\n\r\n")
        assert (await head(client))[0].startswith(f"HTTP/1.1 {status} ")


# --- Requests that are sent before the answers to others ---


async def test_requests_that_wait_behind_others_are_limited_in_all_connections_together() -> None:
    host = Host()
    for _ in range(2):  # the first ones count no more when their connections are closed
        async with host.connection() as (first, client), host.connection() as (second, _):
            first.data_received(REQUEST * 800)
            second.data_received(REQUEST * 800)
            assert not is_open(second)
            assert await sent(client, 800 * len(ANSWER)) == 800 * ANSWER
            first.data_received(REQUEST * 800)
            assert is_open(first)


# --- Time ---


@pytest.mark.parametrize("large_buffers", [False, True], ids=["small buffers", "large buffers"])
@pytest.mark.parametrize(("bytes_a_second", "is_read"), [(4 * 1024, False), (20 * 1024, True)])
async def test_answer_must_be_read_at_a_least_rate(
    bytes_a_second: int, is_read: bool, large_buffers: bool
) -> None:
    async with Host().connection(large_buffers=large_buffers) as (protocol, client):
        protocol.data_received(LONG_REQUEST)
        start, second = asyncio.get_running_loop().time(), 0
        while second < 60 and is_open(protocol):
            second += 1
            await sent(client, bytes_a_second)
            protocol.check(start + second)
        assert is_open(protocol) == is_read


async def test_unread_answers_are_limited_in_all_connections_together() -> None:
    host, fitting = Host(), UNREAD_LIMIT // LONG
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(fitting + 2):
            protocol, client = await stack.enter_async_context(host.connection())
            protocol.data_received(LONG_REQUEST)
            await head(client)
            opened.append(protocol)
        assert [is_open(one) for one in opened] == [False, False] + [True] * fitting
        assert sum(one.unread for one in opened if is_open(one)) <= UNREAD_LIMIT


async def test_request_starts_when_the_last_answer_is_read() -> None:
    host = Host()
    async with host.connection() as (protocol, client):
        protocol.data_received(LONG_REQUEST + REQUEST)
        await head(client)
        assert len(host.app.requests) == 1
        protocol.data_received(REQUEST)
        await asyncio.sleep(0)
        assert len(host.app.requests) == 1
        assert await sent(client, LONG) == b"a" * LONG
        assert await sent(client, 2 * len(ANSWER)) == 2 * ANSWER


async def test_empty_lines_do_not_keep_an_idle_connection_open() -> None:
    async with Host().connection() as (protocol, client):
        protocol.data_received(REQUEST)
        await head(client)
        now = asyncio.get_running_loop().time()
        for second in range(0, KEEP_ALIVE_SECONDS, 5):
            protocol.data_received(b"\r\n")
            protocol.check(now + second)
            assert is_open(protocol)
        protocol.check(now + KEEP_ALIVE_SECONDS + 1)
        assert not is_open(protocol)


async def test_full_server_closes_idle_connections_before_those_that_are_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host, loop = Host(limit=20), asyncio.get_running_loop()
    now = loop.time
    async with AsyncExitStack() as stack:

        async def connected(given: bytes) -> BoundedProtocol:
            protocol, client = await stack.enter_async_context(host.connection())
            protocol.data_received(given)
            if given != HALF:
                await head(client)
            return protocol

        sending = [await connected(HALF) for _ in range(9)]
        reading = await connected(LONG_REQUEST)
        idle = [await connected(REQUEST) for _ in range(10)]
        monkeypatch.setattr(loop, "time", lambda: now() + 2)
        newest = await connected(REQUEST)
        assert [is_open(one) for one in sending].count(True) == 3
        assert not any(is_open(one) for one in idle)
        assert is_open(reading)
        assert is_open(newest)


class Checked:
    """A connection that tells when it is checked, and when it is dropped."""

    waiting_since, is_idle, unread = None, False, 0

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.checked = asyncio.Event()
        self.dropped = asyncio.Event()

    def check(self, _: float) -> None:
        self.checked.set()
        if self.error is not None:
            raise self.error

    def drop(self, _: Closed) -> None:
        self.dropped.set()


async def test_connection_that_cannot_be_checked_does_not_stop_the_checks_of_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    connections = Connections(10, receive_seconds=0.01, send_seconds=0.01)
    broken, sound = Checked(RuntimeError("secret")), Checked()
    for one in (broken, sound):
        connections.add(one, asyncio.get_running_loop())
    await broken.dropped.wait()
    sound.checked.clear()
    await sound.checked.wait()
    assert not sound.dropped.is_set()
    assert [one.message for one in caplog.records] == ["a connection could not be checked"]


# --- Answers of the protocol ---


@pytest.mark.parametrize(
    ("given", "status", "is_head_known"),
    [
        (HALF, 408, True),
        (HEAD, 408, False),
        (HEAD + b"(", 400, False),
        (HEAD.replace(b"POST", b"CONNECT") + b"\r\n", 400, False),
    ],
    ids=["body", "head", "malformed head", "tunnel"],
)
async def test_refusal_has_a_request_id_and_a_line_and_the_headers_of_other_answers(
    given: bytes,
    status: int,
    is_head_known: bool,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO, "rollcall.requests")
    async with Host().connection() as (protocol, client):
        protocol.data_received(given)
        protocol.check(asyncio.get_running_loop().time() + 11)
        first, *lines = await head(client)
    headers = dict(line.split(": ") for line in lines if line)
    assert first.split()[1] == str(status)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers.get("access-control-allow-origin") == (PAGE if is_head_known else None)
    assert ("x-request-id" in headers.get("access-control-expose-headers", "")) == is_head_known
    await asyncio.sleep(0)
    [line] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (line["requestId"], line["status"]) == (headers["x-request-id"], status)
    assert (line["method"], line["path"]) == ("-", "-")
