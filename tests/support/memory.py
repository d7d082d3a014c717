"""What requests leave in memory."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from app.tables import Contact


@contextmanager
def leaving_no_contact() -> Iterator[None]:
    """Fails if contacts of the block are still in memory at its end, though nobody collects
    garbage."""
    gc.collect()
    before = _contacts()
    gc.disable()
    try:
        yield
        assert _contacts() == before
    finally:
        gc.enable()


def _contacts() -> int:
    return sum(type(one) is Contact for one in gc.get_objects())
