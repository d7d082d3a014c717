"""Waiting for another process."""

import asyncio
import time
from collections.abc import Awaitable, Callable

BOUND_SECONDS = 60


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + BOUND_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)  # short enough for the test, long enough for the CPU


async def until_awaited(
    condition: Callable[[], Awaitable[object]], seconds: float = BOUND_SECONDS
) -> None:
    """As `until`, where other tasks run meanwhile."""
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
