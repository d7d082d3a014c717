"""Messages of graphql-core in GraphQL's words, without the input and of bounded length.

Some quote the whole input as Python writes it, name None, or quote an exception of Python.
"""

import re

LONGEST = 300
_LONGEST_NAME = 80

_WORDS = [
    (re.compile(r", but encountered error .*; found: .*", re.DOTALL), "."),
    (re.compile(r"(?:,| ) ?[fF]ound: .*", re.DOTALL), "."),
    (re.compile(r"(cannot represent [a-z0-9 -]*value): .*", re.DOTALL), r"\1."),
    (re.compile(r"not to be None"), "not to be null"),
]
_LONG_NAME = re.compile(rf"(['\"])([^'\"]{{{_LONGEST_NAME}}})[^'\"]+\1")
_UNKNOWN = re.compile(r"not to include unknown field '([^']*)'")


def plainly(message: str) -> str:
    for pattern, words in _WORDS:
        message = pattern.sub(words, message)
    message = _LONG_NAME.sub(r"\1\2…\1", message.replace("?.", "?"))
    return message if len(message) <= LONGEST else f"{message[:LONGEST]}…"


def unknown_member(message: str) -> str | None:
    """The member that its input object does not have."""
    found = _UNKNOWN.search(message)
    return found[1] if found else None
