"""The media type and the coding of an answer, as the request asks for them."""

import re
from collections.abc import Iterable
from functools import lru_cache

from app.errors import BadRequest

RESPONSE_JSON = "application/graphql-response+json"
JSON = "application/json"

_OFFERED = {
    RESPONSE_JSON: RESPONSE_JSON,
    JSON: JSON,
    "application/*": JSON,
    "*/*": JSON,
}
_QUALITY = re.compile(r";\s*q=([01](?:\.\d{0,3})?)\s*(?:;|$)", re.IGNORECASE)


def negotiated(accept: Iterable[str]) -> str:
    """The first of the best media ranges decides (RFC 9110, 12.5.1). Raises BadRequest if none
    admits JSON."""
    return _negotiated(",".join(accept) or "*/*")


@lru_cache
def _negotiated(accept: str) -> str:
    chosen, best = None, 0.0
    for media_range in accept.split(","):
        offered = _OFFERED.get(media_range.partition(";")[0].strip().lower())
        if offered is not None and (quality := _quality(media_range)) > best:
            chosen, best = offered, quality
    if chosen is None:
        raise BadRequest(f"Accept must admit {JSON} or {RESPONSE_JSON}.", 406)
    return chosen


def accepts_gzip(accept_encoding: Iterable[str]) -> bool:
    """RFC 9110, 12.5.3."""
    codings = ",".join(accept_encoding).split(",")
    qualities = {coding.partition(";")[0].strip().lower(): _quality(coding) for coding in codings}
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def _quality(media_range: str) -> float:
    """RFC 9110, 12.4.2."""
    given = _QUALITY.search(media_range)
    return float(given[1]) if given else 1.0
