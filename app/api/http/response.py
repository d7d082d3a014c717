"""An answer as an HTTP response."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from starlette.responses import Response

from app.api.http.answer_bytes import dumps, dumps_within
from app.api.http.security_headers import SECURITY_HEADERS


def respond(
    answer: dict[str, Any], media_type: str, status: int, bytes_limit: int | None = None
) -> Response:
    """Raises LimitExceeded for a longer answer than the limit."""
    content = dumps(answer) if bytes_limit is None else dumps_within(answer, bytes_limit)
    return _Answer(content, status, media_type=media_type)


class _Answer(Response):
    def init_headers(self, _: Mapping[str, str] | None = None) -> None:
        length = str(len(self.body)).encode()
        self.raw_headers = [
            *_headers(self.media_type or "", self.status_code),
            (b"content-length", length),
        ]


@lru_cache
def _headers(media_type: str, status: int) -> list[tuple[bytes, bytes]]:
    headers = {
        "vary": "accept",
        "cache-control": "no-store",
        "content-type": f"{media_type}; charset=utf-8",
        **SECURITY_HEADERS,
    }
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="rollcall"'
    if status == 405:
        headers["allow"] = "POST"
    if status == 503:
        headers["retry-after"] = "1"
    return [(name.encode(), value.encode()) for name, value in headers.items()]
