"""An answer as an HTTP response."""

import json
from typing import Any

import orjson
from starlette.responses import Response


def respond(answer: dict[str, Any], media_type: str, status: int) -> Response:
    headers = {"vary": "accept", "cache-control": "no-store"}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="rollcall"'
    if status == 405:
        headers["allow"] = "POST"
    if status == 503:
        headers["retry-after"] = "1"
    return Response(_dumps(answer), status, headers, f"{media_type}; charset=utf-8")


def _dumps(answer: dict[str, Any]) -> bytes:
    try:
        # PostgreSQL's driver has a UUID of its own, which orjson leaves to `default`.
        return orjson.dumps(answer, default=str, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:  # an error that quotes a lone surrogate
        return json.dumps(answer, default=str).encode()
