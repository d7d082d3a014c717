"""Timestamps as text, by RFC 3339."""

import re
from datetime import UTC, datetime
from typing import Any

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ](\d\d):\d\d:\d\d(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)?")

_SHORTEST = len("2026-01-31T08:00:00")


def parse_timestamp(value: Any) -> datetime:
    """RFC 3339 text with an offset, in UTC. Raises ValueError for anything else."""
    if not isinstance(value, str) or not (shape := _RFC3339.fullmatch(value.strip())):
        raise ValueError("must be an RFC 3339 timestamp, such as 2026-01-31T08:00:00Z")
    if shape[2] is None:
        raise ValueError("must have an offset, such as Z or +02:00")
    try:
        if shape[1] == "24":  # Python takes the end of a day from 3.14 on
            raise ValueError(value)
        return datetime.fromisoformat(value.strip().upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("must be a date and time that exists") from error


def timestamp_in(text: str) -> datetime | None:
    """None for text that is no timestamp, which most text is."""
    if len(text) < _SHORTEST or not _RFC3339.fullmatch(text.strip()):
        return None
    try:
        return parse_timestamp(text)
    except ValueError:
        return None


def rfc3339(at: datetime) -> str:
    """In UTC with `Z`, as in answers."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
