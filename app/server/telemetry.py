"""The log, the metrics and the traces of requests. What is not asked for is not imported."""

from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import TYPE_CHECKING

from starlette.types import Scope
from uuid_utils import uuid7

from app import logs
from app.errors import CommandFailed
from app.logs import RequestRecord
from app.server.request_log import RequestLog
from app.settings import Settings

if TYPE_CHECKING:
    from app.server.tracing import Tracing


_NO_SPAN = nullcontext()


class Telemetry:
    def __init__(self, settings: Settings) -> None:
        self._log = RequestLog()
        self._metrics: ModuleType | None = None
        self._tracing: Tracing | None = None
        if settings.metrics_port is not None:
            from app.server import metrics

            self._metrics = metrics
        if settings.otel_exporter_otlp_endpoint is not None:
            self._tracing = _tracing(settings.otel_exporter_otlp_endpoint)

    def start(self) -> RequestRecord:
        """Gives the request an id."""
        record = RequestRecord(str(uuid7()))
        logs.start_request(record)
        if self._metrics is not None:
            self._metrics.count_start()
        return record

    def span(self, scope: Scope, record: RequestRecord) -> AbstractContextManager[None]:
        return _NO_SPAN if self._tracing is None else self._tracing.span(scope, record)

    def end(self, scope: Scope, record: RequestRecord) -> None:
        if self._metrics is not None:
            self._metrics.count_end(record)
        self._log.add(scope, record)

    def close(self) -> None:
        if self._tracing is not None:
            self._tracing.close()


def _tracing(endpoint: str) -> "Tracing":
    """Raises CommandFailed."""
    try:
        from app.server.tracing import Tracing
    except ModuleNotFoundError as error:
        message = "OTEL_EXPORTER_OTLP_ENDPOINT needs the extra tracing: rollcall[tracing]."
        raise CommandFailed(message) from error
    return Tracing(endpoint)
