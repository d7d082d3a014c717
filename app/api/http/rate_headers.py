"""The headers of an answer with the points of its key. docs/api.md describes their units."""

from app.errors import RateLimited
from app.workspaces.quota import Allowance

Header = tuple[bytes, bytes]


def rate_headers(allowance: Allowance) -> list[Header]:
    remaining, seconds = allowance.balance()
    return [
        (b"x-ratelimit-limit", b"%d" % allowance.rate.burst_points),
        (b"x-ratelimit-remaining", b"%d" % remaining),
        (b"x-ratelimit-reset", b"%d" % seconds),
    ]


def retry_after(error: RateLimited) -> Header:
    return b"retry-after", b"%d" % error.retry_after
