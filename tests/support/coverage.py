"""Measures the lines and branches of app/ that a process of the test run executes.

It is a plugin of pytest, and forked processes have it as well. A process of pytest, and a forked
one with `COUNTED` in its environment, writes its coverage to .coverage/, where `slipcover --merge`
finds it.
"""

import json
import os
import sys
from itertools import count
from pathlib import Path

import slipcover  # type: ignore[import-untyped]  # has no types

ROOT = Path(__file__).parent.parent.parent
COUNTS = ROOT / ".coverage"
APP = ROOT / "app"

# What only a command or a server of its own executes. The rest is counted where tests run: to count
# it elsewhere would take 2 s of each process that forks them.
SERVING = [APP / "__main__.py", APP / "api" / "http", APP / "cli", APP / "logs.py", APP / "server"]

# The process that hands out the tests executes none, and counts the files that no other imports.
_hands_out = "PYTEST_XDIST_WORKER" not in os.environ

# The probes that were hit stay until a call: a search of all functions for them takes 0.2 s.
_counter = slipcover.Slipcover(
    d_miss_threshold=-1, branch=True, source=[APP] if _hands_out else None
)
if not _hands_out:
    _app = slipcover.FileMatcher([APP] if "pytest" in sys.modules else SERVING)
    slipcover.ImportManager(_counter, _app).__enter__()
    slipcover.wrap_spec_from_file_location(_counter, _app)  # by which Alembic loads migrations

_tests = count(1)


def pytest_runtest_teardown() -> None:
    """Most lines are executed by the first tests, so the probes are removed ever less often. From
    Python 3.12 on, each removes itself."""
    number = next(_tests)
    if sys.version_info < (3, 12) and number >= 32 and number.bit_count() == 1:
        _counter.deinstrument_seen()


def pytest_unconfigure() -> None:
    leave_count()


def leave_count() -> None:
    os.chdir(ROOT)  # from where the files are named
    COUNTS.mkdir(exist_ok=True)
    (COUNTS / f"{os.getpid()}.json").write_text(json.dumps(_counter.get_coverage()))
