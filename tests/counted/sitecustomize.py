"""Python imports this first where PYTHONPATH names its folder: what the process runs is counted."""

import tests.coverage  # noqa: F401
