"""Python imports this first where PYTHONPATH names its folder: what the process runs is counted."""

import tests.support.coverage  # noqa: F401  # counts as soon as it is imported
