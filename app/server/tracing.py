"""Traces for OpenTelemetry: a span for each request, sent where the standard variable
OTEL_EXPORTER_OTLP_ENDPOINT points to.

A span continues the trace of the request's `traceparent` header. Like the log, it has no value of a
contact, a variable, a key or a query string.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from uuid import UUID

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from app.logs import RequestRecord

# The SDK waits for a collector that does not answer for 30 s.
CLOSE_SECONDS = 2


class Tracing:
    def __init__(self, endpoint: str) -> None:
        resource = Resource.create({"service.name": "rollcall"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("rollcall")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(self, scope: Scope, record: RequestRecord) -> Iterator[None]:
        carrier = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in (b"traceparent", b"tracestate")
        }
        context = self._propagator.extract(carrier)
        method = scope["method"]
        with self._tracer.start_as_current_span(
            method, context, SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            record.trace_id = format_trace_id(span.get_span_context().trace_id)
            try:
                yield
            finally:
                _describe(span, method, record)

    def close(self) -> None:
        """Sends the remaining spans, if the collector accepts them in time."""
        closing = Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def _describe(span: Span, method: str, record: RequestRecord) -> None:
    if record.kind:
        span.update_name(" ".join(filter(None, (record.kind, record.operation))))
    if record.status >= 500:
        span.set_status(Status(StatusCode.ERROR))
    attributes: dict[str, str | int | None] = {
        "http.request.method": method,
        "http.response.status_code": record.status,
        "graphql.operation.type": record.kind,
        "graphql.operation.name": record.operation,
        "rollcall.request.id": record.id,
        "rollcall.workspace.id": _text(record.workspace_id),
        "rollcall.key.id": _text(record.key_id),
        "rollcall.cost": record.cost,
        "rollcall.rows": record.rows,
    }
    span.set_attributes({name: value for name, value in attributes.items() if value is not None})


def _text(identity: UUID | None) -> str | None:
    return None if identity is None else str(identity)
