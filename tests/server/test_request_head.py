"""A request whose head does not end: it is refused before the server holds much of it."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx

from tests.support.server import Server

BOUND_SECONDS = 60
PIECE = 16 * 1024
PIECES = 5_000

HEAD = b"POST /graphql HTTP/1.1\r\nhost: rollcall.test\r\n"


@contextmanager
def connection(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), BOUND_SECONDS) as one:
        yield one


def sent(one: socket.socket, piece: bytes) -> int:
    """How many of the pieces the server took until it closed the connection."""
    for number in range(PIECES):
        try:
            one.sendall(piece)
        except ConnectionError:
            return number
    return PIECES


# The start of a request, and what is sent again and again after it.
ENDLESS = {
    "URL": (b"GET /", b"a" * PIECE),
    "header": (HEAD + b"accept: ", b"," * PIECE),
    "upgrade": (
        HEAD + b"connection: upgrade\r\nupgrade: websocket\r\nconnection: ",
        b"," * PIECE,
    ),
    "headers": (HEAD, b"a: 1\r\n" * (PIECE // 6)),
    "trailer": (HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\na: ", b"a" * PIECE),
    "chunk extension": (HEAD + b"transfer-encoding: chunked\r\n\r\n1;", b"a" * PIECE),
}


def test_head_that_does_not_end_is_refused(live_server: Server) -> None:
    """All at the same time, as the server reads on for seconds after a refusal."""

    def pieces(name: str) -> int:
        start, piece = ENDLESS[name]
        with connection(live_server) as one:
            one.sendall(start)
            return sent(one, piece)

    with ThreadPoolExecutor(len(ENDLESS)) as clients:
        taken = dict(zip(ENDLESS, clients.map(pieces, ENDLESS), strict=True))
    # Beside what the server reads, the kernel may hold some 40 MB.
    assert [name for name, number in taken.items() if number == PIECES] == []
    assert httpx.get(f"{live_server.url}/healthz").status_code == 200


def test_refusal_names_the_limit(live_server: Server) -> None:
    with connection(live_server) as one:
        one.sendall(HEAD + b"accept: ")
        for _ in range(5):
            one.sendall(b"," * PIECE)
        answer = b""
        with suppress(ConnectionResetError):  # of what came after the last byte that was read
            while received := one.recv(PIECE):
                answer += received
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"\r\nx-request-id: " in answer
    assert b"\r\nx-content-type-options: nosniff\r\n" in answer
    assert b"32,768 bytes" in answer
    assert b'"BAD_REQUEST"' in answer


def test_long_body_does_not_count_as_head(live_server: Server) -> None:
    body = b'{"query": "{ __typename }"' + b" " * 1_000_000 + b"}"
    headers = {"x-api-key": live_server.key, "content-type": "application/json"}
    with httpx.Client(base_url=live_server.url, headers=headers) as client:
        for _ in range(3):  # on one connection
            for content in (body, iter([body[:500_000], body[500_000:]])):
                answer = client.post("/graphql", content=content)
                assert answer.json()["data"] == {"__typename": "Query"}
