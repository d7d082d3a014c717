"""nginx and Caddy as docs/production.md has them: what reaches Rollcall, and what does not."""

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path

import httpx
import pytest

from tests.support.forking import COUNTED
from tests.support.proxies import NAME, Proxy, caddy, nginx
from tests.support.server import Server
from tests.support.waiting import BOUND_SECONDS, until

ELSEWHERE = "127.0.0.2"  # the address of a client
QUERY = {"query": "{ __typename }"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(
        tmp_path_factory.mktemp("server"),
        ENVIRONMENT="development",
        TRUSTED_PROXIES="127.0.0.1",
        **COUNTED,
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "Caddy"])
def proxy(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    start: Callable[[Server, Path], AbstractContextManager[Proxy]] = request.param
    with start(server, tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


def client(proxy: Proxy, key: str) -> httpx.Client:
    trusted = ssl.create_default_context(cafile=str(proxy.certificate))
    return httpx.Client(
        base_url=f"https://127.0.0.1:{proxy.port}",
        transport=httpx.HTTPTransport(verify=trusted, local_address=ELSEWHERE),
        headers={"x-api-key": key, "host": NAME},
        timeout=BOUND_SECONDS,
    )


def post(proxy: Proxy, key: str, **options: object) -> httpx.Response:
    with client(proxy, key) as http:
        # The name of the certificate, and not the address that it is found at.
        return http.post("/graphql", extensions={"sni_hostname": NAME}, **options)  # type: ignore[arg-type]


def connect(proxy: Proxy) -> ssl.SSLSocket:
    trusted = ssl.create_default_context(cafile=str(proxy.certificate))
    plain = socket.create_connection(("127.0.0.1", proxy.port), BOUND_SECONDS)
    return trusted.wrap_socket(plain, server_hostname=NAME)


def read(one: ssl.SSLSocket) -> bytes:
    received = b""
    with suppress(ConnectionError, ssl.SSLError):
        while part := one.recv(65_536):
            received += part
    return received


def requests(server: Server) -> list[str]:
    """The addresses of the clients in Rollcall's log."""
    found = r'"client":"([^"]+):\d+","method":"POST","path":"/graphql"'
    return re.findall(found, server.log)


def test_address_in_the_log_is_the_client_s(server: Server, proxy: Proxy) -> None:
    before = len(requests(server))
    answer = post(proxy, server.key, json=QUERY)
    assert answer.json()["data"] == {"__typename": "Query"}
    until(lambda: requests(server)[before:] == [ELSEWHERE])


def test_answers_over_tls_say_that_plain_http_is_not_to_be_used(
    server: Server, proxy: Proxy
) -> None:
    for key in (server.key, "nonsense"):
        headers = post(proxy, key, json=QUERY).headers
        assert headers.get_list("strict-transport-security") == ["max-age=31536000"]
        assert headers.get_list("x-content-type-options") == ["nosniff"]


def test_address_that_a_client_forges_is_not_in_the_log(server: Server, proxy: Proxy) -> None:
    before = len(requests(server))
    post(proxy, server.key, json=QUERY, headers={"x-forwarded-for": "198.51.100.7"})
    until(lambda: requests(server)[before:] == [ELSEWHERE])
    assert "198.51.100.7" not in server.log


def test_largest_body_passes_and_a_larger_one_is_refused(server: Server, proxy: Proxy) -> None:
    body = b'{"query": "{ __typename }"'.ljust(4 * 1024 * 1024 - 1) + b"}"
    headers = {"content-type": "application/json"}
    assert post(proxy, server.key, content=body, headers=headers).status_code == 200
    assert post(proxy, server.key, content=body + b" ", headers=headers).status_code == 413


def test_head_that_is_too_long_does_not_reach_rollcall(server: Server, proxy: Proxy) -> None:
    before = len(requests(server))
    with closing(connect(proxy)) as one:
        with suppress(ConnectionError):
            one.sendall(b"POST /graphql HTTP/1.1\r\nhost: rollcall.example.com\r\n")
            for number in range(60):
                one.sendall(f"x-{number}: {'a' * 1000}\r\n".encode())
            one.sendall(b"\r\n")
        assert b" 200 " not in read(one)
    assert len(requests(server)) == before


@pytest.mark.parametrize(
    "start",
    [b"", b"POST /graphql HTTP/1.1\r\nhost: rollcall.example.com\r\n"],
    ids=["nothing", "half a head"],
)
def test_client_that_sends_no_request_is_disconnected(proxy: Proxy, start: bytes) -> None:
    with closing(connect(proxy)) as one:
        one.sendall(start)
        assert b" 200 " not in read(one)


def test_client_that_sends_half_a_body_is_disconnected(server: Server, proxy: Proxy) -> None:
    with closing(connect(proxy)) as one:
        one.sendall(
            b"POST /graphql HTTP/1.1\r\nhost: rollcall.example.com\r\ncontent-length: 100\r\n"
            b"content-type: application/json\r\nx-api-key: %s\r\n\r\n{" % server.key.encode()
        )
        assert b"data" not in read(one)
    assert post(proxy, server.key, json=QUERY).status_code == 200
