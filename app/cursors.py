"""Opaque page cursors: a position in an order of a workspace."""

from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2s
from typing import Any
from uuid import UUID

import orjson


class BrokenCursor(ValueError):
    """Not a cursor, or one of another workspace or another order."""


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def encoder(workspace_id: UUID, order: str) -> Callable[..., str]:
    """Encodes positions. `order` names the sort (`CREATED_AT DESC`), a position is the row's place
    in it: JSON values and timestamps."""
    mark = _mark(workspace_id, order)

    def encode(*position: Any) -> str:
        text = orjson.dumps((mark, *position))
        return b2a_base64(text, newline=False).translate(_URL_SAFE).decode()

    return encode


def decode(workspace_id: UUID, order: str, cursor: str) -> list[Any]:
    try:
        parts: list[Any] = orjson.loads(b64decode(cursor, altchars=b"-_", validate=True))
        mark, *position = parts
    except (ValueError, TypeError) as error:
        raise BrokenCursor from error
    if mark != _mark(workspace_id, order):
        raise BrokenCursor
    return position


@lru_cache(maxsize=1024)
def _mark(workspace_id: UUID, order: str) -> str:
    return blake2s(workspace_id.bytes + order.encode(), digest_size=6).hexdigest()
