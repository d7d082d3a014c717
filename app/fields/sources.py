"""Sources: the systems that external ids come from, by name."""

import re

# The source of a key that was created without one.
DEFAULT_SOURCE = "default"

SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
SOURCE_RULE = "must have 1 to 50 characters from a-z, 0-9, _ and -, the first a letter or digit"
