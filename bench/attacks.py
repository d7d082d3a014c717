"""`scripts/bench attacks`: what a client with a small query notices while another one misbehaves.

Each case has a new server. A process of its own asks a small query every 20 ms, each on a new
connection, before, during and after the case, then the same one and a write of another workspace,
and reads the peak of the server's memory.
"""

import json
import resource
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import psutil
import typer

from bench import costly_requests
from bench.postgresql import temporary_cluster
from tests.support.databases import empty_postgresql
from tests.support.server import ExecutedServer

PROBE_SECONDS = 0.02
SETTLE_SECONDS = 1.0  # what the server still does when an attack is over counts
UNFINISHED_SECONDS = 12  # longer than the server waits for a head or a body
UNREAD_SECONDS = 8  # less than the server waits for an answer to be read
HELD_SECONDS = 2  # in which the probe asks while the attack stands
DRIP_SECONDS = 0.2
ANSWER_SECONDS = 60
FILES = 1024  # the usual limit of open files
MIB = 1024 * 1024

SMALL = b'{"query": "{ contact(by: {email: \\"ada@example.com\\"}) { id } }"}'
WRITE = (
    b'{"query": "mutation { upsertContact(input: {email: \\"ada@example.com\\"}) { __typename } }"}'
)
HEAD = b"POST /graphql HTTP/1.1\r\nhost: rollcall.test\r\ncontent-type: application/json\r\n"


@dataclass(frozen=True, slots=True)
class Target:
    port: int
    key: str

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS)

    @property
    def head(self) -> bytes:
        """Of a request with the key, up to its last headers."""
        return HEAD + f"x-api-key: {self.key}\r\n".encode()


@dataclass(frozen=True, slots=True)
class Noticed:
    worst: Sequence[float]  # milliseconds, of each of the requests that were asked in turn
    failed: int
    memory: float  # MiB


# --- The cases: each returns when the attack is over ---


def nothing(target: Target) -> None:
    """nothing"""
    time.sleep(HELD_SECONDS)


def long_header(target: Target) -> None:
    """without a key: one header of 64 MiB"""
    _send_header(target.connect(), 64 * MIB)


def long_headers(target: Target) -> None:
    """without a key: 16 headers of 32 MiB that do not end, at once"""
    with ExitStack() as stack:
        opened = [stack.enter_context(target.connect()) for _ in range(16)]
        for _ in range(512):
            for one in opened:
                with suppress(OSError):
                    one.sendall(b"a" * (64 * 1024))
        time.sleep(HELD_SECONDS)


def many_headers(target: Target) -> None:
    """without a key: 200 times 64 KiB of small headers"""
    for _ in range(200):
        with target.connect() as one, suppress(OSError):
            one.sendall(HEAD + b"a:1\r\n" * 13_000)


def half_bodies(target: Target) -> None:
    """without a key: 1,000 bodies that do not end"""
    _hold(target, HEAD + b'content-length: 1000\r\n\r\n{"query": "', 1_000)


def half_bodies_with_key(target: Target) -> None:
    """with a key: 1,000 bodies that do not end"""
    _hold(target, target.head + b'content-length: 1000\r\n\r\n{"query": "', 1_000)


def long_half_bodies(target: Target) -> None:
    """without a key: 1,000 bodies of 4 MB, of which 512 KiB are sent"""
    _hold_long(target, HEAD)


def long_half_bodies_with_key(target: Target) -> None:
    """with a key: 1,000 bodies of 4 MB, of which 512 KiB are sent"""
    _hold_long(target, target.head)


def silent_connections(target: Target) -> None:
    """without a key: 1,100 connections without a request"""
    _hold(target, b"", 1_100)


def dripping_headers(target: Target) -> None:
    """without a key: 500 heads of a byte every 0.2 s"""
    with ExitStack() as stack:
        opened = [stack.enter_context(target.connect()) for _ in range(500)]
        for _ in range(60):
            for one in opened:
                with suppress(OSError):
                    one.send(b"G")
            time.sleep(DRIP_SECONDS)


def huge_bodies(target: Target) -> None:
    """with a key: 5 bodies of 10 GB, of which 64 MiB are sent"""
    for _ in range(5):
        with target.connect() as one, suppress(OSError):
            one.sendall(target.head + b"content-length: 10000000000\r\n\r\n")
            for _ in range(64):
                one.sendall(b" " * MIB)


def tiny_chunks(target: Target) -> None:
    """with a key: a body of 4 MiB in chunks of one byte"""
    with target.connect() as one, suppress(OSError):
        one.sendall(target.head + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(64):
            one.sendall(b"1\r\na\r\n" * (64 * 1024))
        one.recv(1024)


def pipelined_requests(target: Target) -> None:
    """without a key: 20 connections with 1,000 requests each before the answers"""
    with ExitStack() as stack:
        for _ in range(20):
            with suppress(OSError):
                one = stack.enter_context(target.connect())
                one.setblocking(False)
                one.send(b"GET /graphql HTTP/1.1\r\nhost: rollcall.test\r\n\r\n" * 1_000)
        time.sleep(HELD_SECONDS)


def burst(target: Target) -> None:
    """with a key: 400 small queries in the same instant, 5 times"""
    query = target.head + f"content-length: {len(SMALL)}\r\n\r\n".encode() + SMALL
    with ExitStack() as stack:
        opened = [stack.enter_context(target.connect()) for _ in range(400)]
        for _ in range(5):
            for one in opened:
                one.sendall(query)
            for one in opened:
                one.recv(64 * 1024)


def unread_answers(target: Target) -> None:
    """with a key: 20 answers of 13 MB that are not read"""
    body = costly_requests.LONG_ANSWER
    with ExitStack() as stack:
        for _ in range(20):
            one = stack.enter_context(target.connect())
            one.sendall(target.head + f"content-length: {len(body)}\r\n\r\n".encode() + body)
        time.sleep(UNREAD_SECONDS)


def garbage(target: Target) -> None:
    """without a key: 2,000 connections that do not speak HTTP"""
    for _ in range(2_000):
        with target.connect() as one, suppress(OSError):
            one.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 100)


CASES: list[Callable[[Target], None]] = [
    nothing,
    long_header,
    long_headers,
    many_headers,
    half_bodies,
    half_bodies_with_key,
    long_half_bodies,
    long_half_bodies_with_key,
    silent_connections,
    dripping_headers,
    huge_bodies,
    tiny_chunks,
    pipelined_requests,
    burst,
    unread_answers,
    garbage,
    *costly_requests.CASES,
]
NEEDS = costly_requests.NEEDS | {unread_answers: costly_requests.hundred_large}


def _send_header(one: socket.socket, size: int) -> None:
    with one, suppress(OSError):
        one.sendall(HEAD + b"x-long: ")
        for _ in range(size // MIB):
            one.sendall(b"a" * MIB)
        one.recv(1024)


def _hold(target: Target, start: bytes, count: int) -> None:
    with ExitStack() as stack:
        for _ in range(count):
            with suppress(OSError):
                stack.enter_context(target.connect()).sendall(start)
        time.sleep(UNFINISHED_SECONDS)


def _hold_long(target: Target, head: bytes) -> None:
    start = head + b'content-length: 4000000\r\n\r\n{"query": "' + b" " * (512 * 1024)
    with ExitStack() as stack:
        for _ in range(1_000):
            with suppress(OSError):
                one = stack.enter_context(target.connect())
                one.setblocking(False)
                one.send(start)
        time.sleep(UNFINISHED_SECONDS)


# --- The measurement ---


def attacks(
    postgresql: Annotated[bool, typer.Option(help="On a temporary PostgreSQL.")] = False,
    only: Annotated[str, typer.Option(help="The cases with this in their name.")] = "",
) -> None:
    """Prints a Markdown table with a line for each case."""
    typer.echo(
        "| While | Slowest small query, ms | Another workspace's | Its slowest write | Failed | "
        "Memory added, MiB |"
    )
    typer.echo("|---|---|---|---|---|---|")
    for case in CASES:
        if only in case.__name__:
            with _server(postgresql) as server:
                if case in NEEDS:
                    NEEDS[case](Target(server.port, server.key))
                seen = _measure(server, case)
            worst = " | ".join(f"{one:,.0f}" for one in seen.worst)
            typer.echo(f"| {case.__doc__} | {worst} | {seen.failed:,} | {seen.memory:,.0f} |")


@contextmanager
def _server(postgresql: bool) -> Iterator[ExecutedServer]:
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        environment = {"ENVIRONMENT": "development"}
        if postgresql:
            cluster = stack.enter_context(temporary_cluster())
            environment["DATABASE_URL"] = empty_postgresql(cluster)
        server = ExecutedServer(Path(folder), **environment)
        files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, most))
        stack.callback(server.stop)
        try:
            server.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
        yield server


def _measure(server: ExecutedServer, case: Callable[[Target], None]) -> Noticed:
    assert server.process is not None
    target = Target(server.port, server.key)
    other = Target(server.port, _key_of_another_workspace(server))
    requests = [(target, SMALL), (other, SMALL), (other, WRITE)]
    spawn = get_context("spawn")
    here, there = spawn.Pipe()
    probe = spawn.Process(target=_probe, args=(requests, server.process.pid, there))
    probe.start()
    here.recv()  # it has asked
    case(target)
    time.sleep(SETTLE_SECONDS)
    here.send("stop")
    noticed = here.recv()
    probe.join()
    assert isinstance(noticed, Noticed)
    return noticed


def _key_of_another_workspace(server: ExecutedServer) -> str:
    server.rollcall("workspace", "create", "other")
    scopes = ["--scope", "contacts:read", "--scope", "contacts:write"]
    created = server.rollcall("key", "create", "--workspace", "other", "--name", "probe", *scopes)
    return created.stdout.strip()


def _probe(requests: Sequence[tuple[Target, bytes]], process: int, pipe: Any) -> None:
    server = psutil.Process(process)
    for _ in range(20):
        for target, body in requests:
            _ask(target, body)
    before = server.memory_info().rss
    Path(f"/proc/{process}/clear_refs").write_text("5")  # forgets the peak
    worst, failed = [0.0] * len(requests), 0
    pipe.send("started")
    while not pipe.poll(PROBE_SECONDS):
        for index, (target, body) in enumerate(requests):
            start = time.perf_counter()
            while not _ask(target, body):  # a client tries again
                failed += 1
                if time.perf_counter() - start > ANSWER_SECONDS:
                    break
            worst[index] = max(worst[index], time.perf_counter() - start)
    pipe.send(Noticed([one * 1_000 for one in worst], failed, (_peak(process) - before) / MIB))


def _peak(process: int) -> int:
    """The most bytes of memory that the process had."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _ask(target: Target, body: bytes) -> bool:
    headers = {"x-api-key": target.key, "content-type": "application/json"}
    connection = HTTPConnection("127.0.0.1", target.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("POST", "/graphql", body, headers)
        return "errors" not in json.loads(connection.getresponse().read())
    except (OSError, HTTPException):
        time.sleep(PROBE_SECONDS)
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    typer.run(attacks)
