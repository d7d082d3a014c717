"""Answers to requests that the application does not see: the protocol writes them."""

from collections.abc import Iterable

import orjson
from uuid_utils import uuid7
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.api.graphql.execution.answers import error_answer
from app.api.http.security_headers import SECURITY_HEADERS
from app.errors import RollcallError
from app.logs import RequestRecord
from app.server.origins import origin_headers
from app.server.request_log import RequestLog
from app.settings import Settings


class Refusals:
    def __init__(self, settings: Settings) -> None:
        self._log = RequestLog()
        self._origins = settings.allowed_origins

    def answer(
        self,
        error: RollcallError,
        client: tuple[str, int] | None,
        headers: Iterable[tuple[bytes, bytes]],
    ) -> bytes:
        """Logs the answer, and returns its bytes. The headers are those of the request, if its head
        is complete."""
        record = RequestRecord(str(uuid7()), status=error.status)
        self._log.add({"client": client, "method": "-", "path": "-"}, record)
        content = orjson.dumps(error_answer(error))
        answered = {
            "content-type": "application/json",
            "content-length": str(len(content)),
            "connection": "close",
            "cache-control": "no-store",
            "x-request-id": record.id,
            **SECURITY_HEADERS,
            **origin_headers(self._origins, headers),
        }
        if error.status == 503:
            answered["retry-after"] = "1"
        lines = "".join(f"{name}: {value}\r\n" for name, value in answered.items())
        return STATUS_LINE[error.status] + f"{lines}\r\n".encode("latin-1") + content
