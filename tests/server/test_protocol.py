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

from app.server.connections import Closed, Connections
from app.server.protocol import KEEP_ALIVE_SECONDS, BoundedProtocol
from app.server.refusals import Refusals
from app.settings import Settings

PAGE = "https://app.example.com"
HEAD = f"POST /graphql HTTP/1.1\r\nhost: rollcall.test\r\norigin: {PAGE}\r\n".encode()
REQUEST = HEAD + b"content-length: 2\r\n\r\n{}"
HALF = HEAD + b"content-length: 2\r\n\r\n{"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\naa"
LONG = 8 * 1024 * 1024


@dataclass
class Seen:
    """An application. The length of its answer is the path of the request, as a number."""

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
    def __init__(self, limit: int = 1000, send_seconds: float = 10) -> None:
        self.app = Seen()
        self.guard = Connections(limit, receive_seconds=10, send_seconds=send_seconds)
        self._refusals = Refusals(Settings(_env_file=None, allowed_origins=PAGE))
        self._state = ServerState()
        self._config = uvicorn.Config(self.app, ws="none", log_config=None, access_log=False)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[BoundedProtocol, socket.socket]]:
        """The server's end and the client's, with a small buffer between them."""
        loop = asyncio.get_running_loop()
        theirs, ours = socket.socketpair()
        for one in (theirs, ours):
            one.setblocking(False)
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


# --- Answers of the protocol ---


@pytest.mark.parametrize(
    ("given", "status", "is_head_known"),
    [
        (HALF, 408, True),
        (HEAD, 408, False),
        (HEAD + b"(", 400, False),
    ],
    ids=["body", "head", "malformed head"],
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
