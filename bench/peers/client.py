"""Requests to a server one at a time, each answer checked."""

import time
from typing import Any

import httpx
import orjson

from app.errors import CommandFailed
from bench.peers.servers import Contender
from bench.peers.workloads import SERIAL, Variables, Workload


def body(contender: Contender, workload: Workload, variables: Variables) -> bytes:
    """In one line; serials are still to be put in."""
    return orjson.dumps(contender.language.request(workload, variables))


def with_serial(prepared: bytes, serial: int) -> bytes:
    return prepared.replace(SERIAL.encode(), b"%016d" % serial)


def next_serial() -> int:
    """Above all serials before: they are fewer than the microseconds that have passed."""
    return time.time_ns() // 1_000


def checked(name: str, status: int, content: bytes) -> Any:
    """The data of an answer. Raises CommandFailed unless every part of it is there."""
    answer = orjson.loads(content) if status == 200 else {}
    data = answer.get("data")
    if "errors" in answer or not data or not all(data.values()):
        raise CommandFailed(f"{name} answered {status}: {content[:500].decode()}")
    return data


class Client:
    """Of one server, whose answers it gives as Rollcall would give them."""

    def __init__(self, contender: Contender, key: str) -> None:
        self.contender = contender
        headers = {"x-api-key": key, "content-type": "application/json"}
        self._client = httpx.Client(base_url=contender.url, headers=headers, timeout=60)

    def ask(self, workload: Workload, variables: Variables, serial: int | None = None) -> Any:
        prepared = body(self.contender, workload, variables)
        data = self.send(workload, prepared, serial or next_serial())
        return self.contender.language.answer(workload, data)

    def send(self, workload: Workload, prepared: bytes, serial: int) -> Any:
        response = self._client.post("/graphql", content=with_serial(prepared, serial))
        name = f"{self.contender.name} ({workload.name})"
        return checked(name, response.status_code, response.content)
