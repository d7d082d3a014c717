"""Traces for OpenTelemetry, sent to a collector."""

import signal
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.server import Server

IN_TIME = 15  # seconds
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
UPSERT = """
mutation Push($email: String) { upsertContact(input: {email: $email}) { __typename } }
"""


class Collector(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:  # of BaseHTTPRequestHandler
        assert self.path == "/v1/traces"
        self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


def test_collector_that_does_not_answer_does_not_delay_the_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = Server(
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}",
            OTEL_EXPORTER_OTLP_TIMEOUT="60",
        )
        try:
            server.start()
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(IN_TIME) == 0
        finally:
            server.stop()


def test_request_is_a_span_of_its_callers_trace(tmp_path: Path, collector: Collector) -> None:
    value = uuid4().hex
    server = Server(
        tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}"
    )
    server.start()
    httpx.post(
        f"{server.url}/graphql?api_key={value}",
        json={"query": UPSERT, "variables": {"email": f"{value}@example.com"}},
        headers={"x-api-key": server.key, "traceparent": f"00-{TRACE}-{PARENT}-01"},
    )
    assert server.signal(signal.SIGTERM) == 0
    spans = [
        span
        for body in collector.bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    [push] = [span for span in spans if span.name == "mutation Push"]
    assert (push.trace_id.hex(), push.parent_span_id.hex()) == (TRACE, PARENT)
    attributes = {one.key: one.value for one in push.attributes}
    assert attributes["http.response.status_code"].int_value == 200
    assert attributes["graphql.operation.name"].string_value == "Push"
    assert attributes["rollcall.rows"].int_value == 1
    assert f'"traceId":"{TRACE}"' in server.log
    assert not any(value.encode() in body for body in collector.bodies)
    assert not any(server.key.encode() in body for body in collector.bodies)
