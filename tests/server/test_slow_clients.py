"""A client that sends a request too slowly, or does not read its answer, is disconnected."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPResponse

import pytest

from tests.support.forking import COUNTED
from tests.support.server import Server
from tests.support.waiting import BOUND_SECONDS, until

DRIPS = 300  # of 0.1 s each
HEAD = b"POST /graphql HTTP/1.1\r\nhost: rollcall.test\r\ncontent-type: application/json\r\n"
TYPENAME = b'{"query": "{ __typename }"}'
ANSWER = b'{"data":{"__typename":"Query"}'
INTROSPECTION = b'{"query": "{ __schema { types { fields { name description } } } }"}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It waits for a second where it waits for ten by default."""
    server = Server(
        tmp_path_factory.mktemp("server"),
        ENVIRONMENT="development",
        RECEIVE_TIMEOUT_SECONDS="1",
        SEND_TIMEOUT_SECONDS="1",
        **COUNTED,
    )
    server.start()
    yield server
    server.stop()


@contextmanager
def connection(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), BOUND_SECONDS) as one:
        yield one


def with_key(server: Server, length: int) -> bytes:
    """The head of a request with a body of that length."""
    return HEAD + f"x-api-key: {server.key}\r\ncontent-length: {length}\r\n\r\n".encode()


def request(server: Server, body: bytes) -> bytes:
    return with_key(server, len(body)) + body


def read(one: socket.socket) -> bytes:
    """All that arrives until the server closes the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while part := one.recv(65_536):
            received += part
    return received


def read_answer(one: socket.socket) -> bytes:
    response = HTTPResponse(one)
    response.begin()
    assert response.status == 200
    return response.read()


def dripped(one: socket.socket, byte: bytes) -> bytes:
    """What the server sent to a client that sends a byte ten times a second."""
    one.settimeout(0.1)
    received = b""
    with suppress(ConnectionError):
        for _ in range(DRIPS):
            one.sendall(byte)
            with suppress(TimeoutError):
                if not (part := one.recv(65_536)):
                    return received
                received += part
    assert received, "the server did not close the connection"
    return received


def test_connection_without_a_request_is_closed_without_an_answer(server: Server) -> None:
    with connection(server) as one:
        assert read(one) == b""


def test_head_that_stops_is_answered_with_408(server: Server) -> None:
    with connection(server) as one:
        one.sendall(HEAD)
        answer = read(one)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"The head of a request must be sent within 1 seconds." in answer


def test_body_that_stops_is_answered_with_408(server: Server) -> None:
    with connection(server) as one:
        one.sendall(with_key(server, 100) + TYPENAME)
        answer = read(one)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"\r\nconnection: close\r\n" in answer
    assert b"The body of a request must be sent within 1 seconds." in answer


@pytest.mark.parametrize("start", [HEAD + b"x-slow: ", "body"], ids=["head", "body"])
def test_bytes_that_drip_do_not_prolong_the_time(server: Server, start: bytes | str) -> None:
    with connection(server) as one:
        one.sendall(start if isinstance(start, bytes) else with_key(server, 10_000))
        assert dripped(one, b"a").startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_body_without_a_key_is_refused_before_it_ends(server: Server) -> None:
    with connection(server) as one:
        one.sendall(HEAD + b"content-length: 100\r\n\r\n{")
        answer = read(one)
    assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert b"\r\nconnection: close\r\n" in answer


def test_body_that_arrives_in_time_is_read_and_the_connection_kept(server: Server) -> None:
    with connection(server) as one:
        for _ in range(3):
            one.sendall(with_key(server, len(TYPENAME)))
            for start in range(0, len(TYPENAME), 9):
                one.sendall(TYPENAME[start : start + 9])
            assert read_answer(one).startswith(ANSWER)


def test_client_that_does_not_read_its_answers_is_disconnected(server: Server) -> None:
    requests = 200
    with connection(server) as one:
        one.sendall(request(server, INTROSPECTION))
        one_answer = read_answer(one)
    with socket.socket() as one:
        one.settimeout(BOUND_SECONDS)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", server.port))
        one.sendall(request(server, INTROSPECTION) * requests)
        until(lambda: "did not read an answer in time" in server.log)
        assert len(read(one)) < requests * len(one_answer)


def test_other_clients_are_served_while_many_bodies_do_not_end(server: Server) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connection(server)) for _ in range(200)]
        for one in slow:
            one.sendall(with_key(server, 100) + TYPENAME)
        assert server.post("{ __typename }")["data"] == {"__typename": "Query"}
        for one in slow:
            assert read(one).startswith(b"HTTP/1.1 408 ")
    until(lambda: "sent the body of a request too slowly" in server.log)
    assert '"ERROR"' not in server.log
