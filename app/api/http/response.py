"""An answer as an HTTP response."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from starlette.responses import Response


def respond(answer: dict[str, Any], media_type: str, status: int) -> Response:
    return _Answer(_dumps(answer), status, media_type=media_type)


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
    }
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="rollcall"'
    if status == 405:
        headers["allow"] = "POST"
    if status == 503:
        headers["retry-after"] = "1"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _dumps(answer: dict[str, Any]) -> bytes:
    try:
        # PostgreSQL's driver has a UUID of its own, which orjson leaves to `default`.
        return orjson.dumps(answer, default=str, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:  # an error that quotes a lone surrogate
        return json.dumps(answer, default=_plain).encode()


def _plain(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value)) if isinstance(value, orjson.Fragment) else str(value)
