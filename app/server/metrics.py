"""Metrics for Prometheus, on a port of their own.

The processes of a server with several workers share their figures by files, as prometheus_client
does it, and the supervisor serves the sums.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from app.errors import CommandFailed
from app.logs import RequestRecord
from app.settings import Settings

# prometheus_client looks for it when it is imported, so that workers get it from the supervisor.
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = Histogram(
    "rollcall_request_seconds",
    "Time of a request, from its head to the end of its answer.",
    ["kind", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_IN_FLIGHT = Gauge(
    "rollcall_requests_in_flight", "Requests without an answer yet.", multiprocess_mode="livesum"
)
_POINTS = Counter("rollcall_operation_cost_points", "Cost of the operations.", ["kind"])
_ROWS = Counter("rollcall_rows", "Rows that root fields answered.", ["kind"])


def count_start() -> None:
    _IN_FLIGHT.inc()


def count_end(record: RequestRecord) -> None:
    _IN_FLIGHT.dec()
    kind = record.kind or "none"
    _SECONDS.labels(kind, str(record.status)).observe(perf_counter() - record.started)
    _POINTS.labels(kind).inc(record.cost)
    _ROWS.labels(kind).inc(record.rows)


@contextmanager
def metrics_server(settings: Settings) -> Iterator[None]:
    """Serves the metrics of this process. Raises CommandFailed if the port is taken."""
    with _listening(settings, REGISTRY):
        yield


@contextmanager
def shared_metrics_server(settings: Settings) -> Iterator[None]:
    """Serves the metrics of the processes that this one starts. Raises CommandFailed if the port is
    taken."""
    folder = tempfile.mkdtemp(prefix="rollcall-metrics-")
    os.environ[_FOLDER] = folder
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]  # has no types
    try:
        with _listening(settings, registry):
            yield
    finally:
        del os.environ[_FOLDER]
        shutil.rmtree(folder, ignore_errors=True)


def forget_process(process_id: int) -> None:
    """Its gauges count no more."""
    mark_process_dead(process_id)  # type: ignore[no-untyped-call]  # has no types


@contextmanager
def _listening(settings: Settings, registry: CollectorRegistry) -> Iterator[None]:
    assert settings.metrics_port is not None  # noqa: S101  # only then is this module imported
    try:
        server, thread = start_http_server(settings.metrics_port, settings.metrics_host, registry)
    except OSError as error:
        place = f"{settings.metrics_host}:{settings.metrics_port}"
        raise CommandFailed(f"Cannot serve metrics on {place}: {error.strerror}.") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
