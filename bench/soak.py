"""`scripts/bench soak`: a steady load of mixed requests, its errors, times and the server's memory.

Requests start at a fixed rate whether the ones before are answered or not, so that a slow answer
delays no other request.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import httpx
import psutil
import typer

from bench.people import people
from bench.postgresql import temporary_cluster
from tests.support.databases import empty_postgresql
from tests.support.server import ExecutedServer

PEOPLE = 2_000
BULK = 20
SAMPLE_SECONDS = 1.0
MIB = 1024 * 1024

# A client of httpx compares all requests that wait with all of its connections. One client for a
# hundred connections would take so much time for it that the server waited.
CLIENTS = 10
# Idle ones are closed before the server closes them.
CONNECTIONS = httpx.Limits(max_connections=10, keepalive_expiry=30)

FIND = "query ($email: String!) { contact(by: {email: $email}) { id name tags version } }"
PAGE = """query ($after: String) {
  contacts(first: 50, after: $after) {
    edges { cursor node { id email name company tags customFields updatedAt } }
    pageInfo { endCursor hasNextPage }
  }
}"""
SEARCH = "query ($text: String!) { contacts(search: $text, first: 20) { nodes { id email } } }"
UPSERT = """mutation ($input: ContactInput!) {
  upsertContact(input: $input) { __typename ... on ContactUpdated { changes { path } } }
}"""
UPSERT_MANY = """mutation ($inputs: [ContactInput!]!) {
  upsertContacts(inputs: $inputs) { created updated unchanged }
}"""
DELETE = "mutation ($email: String!) { deleteContact(by: {email: $email}) { __typename } }"


def requests() -> Iterator[tuple[str, dict[str, Any]]]:
    """Ten in turn, again and again: five reads, two upserts, a bulk, a deletion and a search."""
    made = [_input(one) for one in people(PEOPLE, 1)]
    for number in itertools.count():
        chosen = [made[(number * 7 + one) % PEOPLE] for one in range(BULK)]
        email = {"email": chosen[0]["email"]}
        yield UPSERT_MANY, {"inputs": chosen}
        for one in chosen[:3]:
            yield FIND, {"email": one["email"]}
        yield PAGE, {}
        yield SEARCH, {"text": chosen[1]["email"].split("@")[0]}
        yield UPSERT, {"input": chosen[2] | {"notes": f"call {number}"}}
        yield UPSERT, {"input": email | {"company": f"Company {number % 50}"}}
        yield PAGE, {}
        yield DELETE, email


def _input(person: dict[str, Any]) -> dict[str, Any]:
    kept = ("email", "external_id", "name", "company", "country")
    names = {"external_id": "externalId"}
    given = {names.get(name, name): person[name] for name in kept if person.get(name)}
    return given | {"tags": person.get("tags") or []}


def soak(
    seconds: Annotated[int, typer.Option(min=10, help="How long.")] = 300,
    rate: Annotated[int, typer.Option(min=1, help="Requests each second.")] = 100,
    postgresql: Annotated[bool, typer.Option(help="On a temporary PostgreSQL.")] = False,
) -> None:
    """Prints the errors, the times and the growth of memory over the second half."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        environment = {}
        if postgresql:
            cluster = stack.enter_context(temporary_cluster())
            environment["DATABASE_URL"] = empty_postgresql(cluster)
        server = ExecutedServer(folder, ENVIRONMENT="development", LOG_LEVEL="info", **environment)
        stack.callback(server.stop)
        server.start()
        asyncio.run(_run(server, seconds, rate))


async def _run(server: ExecutedServer, seconds: int, rate: int) -> None:
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    times: list[float] = []
    errors: list[str] = []
    memory: list[tuple[int, float]] = []  # answers, MiB
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(timeout=60, limits=CONNECTIONS))
            for _ in range(CLIENTS)
        ]
        group = await stack.enter_async_context(asyncio.TaskGroup())
        start = time.perf_counter()
        for number, (document, variables) in enumerate(requests()):
            if number == seconds * rate:
                break
            await asyncio.sleep(start + number / rate - time.perf_counter())
            http = clients[number % CLIENTS]
            group.create_task(_ask(http, server, document, variables, times, errors))
            if number % round(rate * SAMPLE_SECONDS) == 0:
                memory.append((number, process.memory_info().rss / MIB))
    half = memory[len(memory) // 2 :]
    slope = statistics.linear_regression(*zip(*half, strict=True)).slope
    cuts = statistics.quantiles(times, n=100)
    typer.echo(
        f"{len(times):,} requests, {len(errors):,} errors; p50 {cuts[49] * 1e3:.1f} ms, "
        f"p99 {cuts[98] * 1e3:.1f} ms, longest {max(times) * 1e3:.0f} ms; memory "
        f"{memory[0][1]:.0f} to {memory[-1][1]:.0f} MiB, {slope * 10_000:+.2f} MiB for each "
        "10,000 requests of the second half"
    )
    for error in errors[:5]:
        typer.echo(error)


async def _ask(
    http: httpx.AsyncClient,
    server: ExecutedServer,
    document: str,
    variables: dict[str, Any],
    times: list[float],
    errors: list[str],
) -> None:
    start = time.perf_counter()
    try:
        response = await http.post(
            f"{server.url}/graphql",
            json={"query": document, "variables": variables},
            headers={"x-api-key": server.key},
        )
        if response.status_code != 200 or "errors" in response.json():
            errors.append(f"{response.status_code} {response.text[:300]}")
    except httpx.HTTPError as error:
        errors.append(repr(error))
    times.append(time.perf_counter() - start)


if __name__ == "__main__":
    typer.run(soak)
