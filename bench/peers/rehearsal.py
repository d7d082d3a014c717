"""Before the measurement: every answer is checked, and PostgreSQL's statements are counted."""

import asyncio
import re
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bench.peers.client import checked, next_serial, with_serial
from bench.peers.servers import Contender
from bench.peers.workloads import Workload
from tests.support.postgres import Cluster

STATEMENT = re.compile(rb"LOG:  (statement|execute [^:]*):")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def rehearse(
    contender: Contender, workload: Workload, key: str, bodies: Sequence[bytes], cluster: Cluster
) -> float:
    """The statements of PostgreSQL for each request, BEGIN and COMMIT included.

    There are as many connections as under load, so that requests share what they share there.
    """
    count = workload.connections * workload.rehearsed
    serial = next_serial()
    requests = [
        _request(key, with_serial(bodies[number % len(bodies)], serial + number))
        for number in range(count)
    ]
    log = cluster.folder / "log"
    asyncio.run(_log_statements(cluster, "all"))
    start = log.stat().st_size
    asyncio.run(_send(contender, workload, requests))
    end = log.stat().st_size
    asyncio.run(_log_statements(cluster, "none"))
    with log.open("rb") as opened:
        opened.seek(start)
        return len(STATEMENT.findall(opened.read(end - start))) / count


async def _log_statements(cluster: Cluster, which: str) -> None:
    """Returns when all connections do so: they are told before the next one is accepted."""
    url = cluster.url("postgres")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(f"ALTER SYSTEM SET log_statement = '{which}'"))
        await connection.execute(text("SELECT pg_reload_conf()"))
    logged = None
    while logged != which:
        async with engine.connect() as connection:
            logged = (await connection.execute(text("SHOW log_statement"))).scalar_one()
    await engine.dispose()


async def _send(contender: Contender, workload: Workload, requests: Sequence[bytes]) -> None:
    """Each connection sends its part, one request after the answer to another."""
    parts = [requests[first :: workload.connections] for first in range(workload.connections)]
    name = f"{contender.name} ({workload.name})"
    await asyncio.gather(*(_converse(name, contender.port, part) for part in parts))


async def _converse(name: str, port: int, requests: Sequence[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        assert length is not None, head
        checked(name, int(head.split()[1]), await reader.readexactly(int(length[1])))
    writer.close()
    await writer.wait_closed()


def _request(key: str, content: bytes) -> bytes:
    head = (
        "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        f"x-api-key: {key}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
