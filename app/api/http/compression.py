"""Compresses answers for clients that ask for it."""

import asyncio
import gzip
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.responses import Response

from app.api.http.negotiation import accepts_gzip
from app.workspaces.keys import PREFIX

# A shorter answer fits into a packet or two, compressed or not.
MINIMUM_BYTES = 2048

LEVEL = 4

# Compressed in a few milliseconds. Longer answers leave the event loop.
BYTES_ON_THE_LOOP = 128 * 1024


class Compression:
    """Compresses one long answer at a time, outside of the event loop: more would take the
    processors from other requests. Meanwhile, other long answers are sent as they are."""

    def __init__(self) -> None:
        self._is_busy = False

    async def apply(self, response: Response, request_headers: Headers) -> None:
        if len(response.body) < MINIMUM_BYTES:
            return
        response.headers.add_vary_header("accept-encoding")
        if not accepts_gzip(request_headers.getlist("accept-encoding")):
            return
        body = bytes(response.body)
        if _has_secret(body):
            return
        if len(body) <= BYTES_ON_THE_LOOP:
            _set_body(response, _compress(body))
        elif not self._is_busy:
            with self._busy():
                _set_body(response, await asyncio.to_thread(_compress, body))

    @contextmanager
    def _busy(self) -> Iterator[None]:
        self._is_busy = True
        try:
            yield
        finally:
            self._is_busy = False


def _has_secret(body: bytes) -> bool:
    """Whether an API key, or the beginning of one, is in the answer. The length of a compressed
    answer tells how like each other a secret and the input beside it are (BREACH)."""
    return PREFIX.encode() in body


def _compress(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)


def _set_body(response: Response, body: bytes) -> None:
    response.body = body
    response.headers["content-encoding"] = "gzip"
    response.headers["content-length"] = str(len(body))
