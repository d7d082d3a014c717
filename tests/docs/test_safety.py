"""docs/safety.md names the tests of each promise."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PROMISES = (ROOT / "docs/safety.md").read_text().partition("## What one client can do")[0]


def test_every_promise_names_tests_that_exist() -> None:
    rows = [line for line in PROMISES.splitlines() if re.match(r"\| (?!-|Promise)", line)]
    assert len(rows) > 30
    for row in rows:
        named = re.findall(r"`([a-z_/]+\.py)`", row)
        assert named, row
        for file in named:
            assert (ROOT / "tests" / file).is_file(), file
