"""The JSON of an answer, limited while it is written, so that one that is too long is never whole
in memory."""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from app.errors import LimitExceeded

# Of the rows of an answer, each up to 150 KB.
_ITEMS_AT_ONCE = 20

# Levels that are written in pieces: the answer, its data, a root field.
_LEVELS = 3


def dumps(answer: Any) -> bytes:
    try:
        # PostgreSQL's driver has a UUID of its own, which orjson leaves to `default`.
        return orjson.dumps(answer, default=str, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:  # an error that quotes a lone surrogate
        return json.dumps(answer, default=_plain).encode()


def _plain(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value)) if isinstance(value, orjson.Fragment) else str(value)


def dumps_within(answer: Any, limit: int) -> memoryview:
    """Raises LimitExceeded for more bytes than the limit. Of a view, the server sends parts without
    copying the rest."""
    written = bytearray()
    for piece in _pieces(answer, _LEVELS):
        written += piece
        if len(written) > limit:
            rule = f"The operation was executed, but its answer must have at most {limit:,} bytes"
            raise LimitExceeded(rule, "MAX_ANSWER_BYTES", limit)
    return memoryview(written)


def _pieces(value: Any, levels: int) -> Iterator[bytes]:
    if type(value) is dict and levels:
        before = b"{"
        for name, member in value.items():
            yield b"%b%b:" % (before, dumps(name))
            yield from _pieces(member, levels - 1)
            before = b","
        yield b"}" if value else b"{}"
    elif type(value) is list and len(value) > _ITEMS_AT_ONCE:
        before = b"["
        for start in range(0, len(value), _ITEMS_AT_ONCE):
            yield before + dumps(value[start : start + _ITEMS_AT_ONCE])[1:-1]
            before = b","
        yield b"]"
    else:
        yield dumps(value)
