"""Waiting for another process."""

import time
from collections.abc import Callable

BOUND_SECONDS = 60


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + BOUND_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)  # short enough for the test, long enough for the CPU
