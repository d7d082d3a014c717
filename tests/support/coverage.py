"""Measures the lines and branches of app/ that a process of the test run executes.

It is a plugin of pytest, and processes with `COUNTED` in their environment import it. Each process
writes its coverage to .coverage/, where `slipcover --merge` finds it.
"""

import atexit
import json
import os
from pathlib import Path

import slipcover  # type: ignore[import-untyped]  # has no types

ROOT = Path(__file__).parent.parent.parent
COUNTS = ROOT / ".coverage"

# Its probes stay: a search of all functions for those that are no longer needed takes 0.2 s each
# time, and more in all than the probes do.
_counter = slipcover.Slipcover(d_miss_threshold=-1, branch=True, source=[ROOT / "app"])
_app = slipcover.FileMatcher([ROOT / "app"])
slipcover.ImportManager(_counter, _app).__enter__()
slipcover.wrap_spec_from_file_location(_counter, _app)  # by which Alembic loads migrations


def pytest_unconfigure() -> None:
    """A process of pytest that takes long to end is killed, without its functions of `atexit`."""
    leave_count()


@atexit.register
def leave_count() -> None:
    os.chdir(ROOT)  # from where the files are named
    COUNTS.mkdir(exist_ok=True)
    (COUNTS / f"{os.getpid()}.json").write_text(json.dumps(_counter.get_coverage()))
