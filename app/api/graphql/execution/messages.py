"""Rewrites messages of graphql-core in GraphQL's terms, without the input and of bounded length.

Some of them quote the whole input as a Python value, or a Python exception, or say None for null.
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


def rewritten(message: str) -> str:
    for pattern, words in _WORDS:
        message = pattern.sub(words, message)
    message = _LONG_NAME.sub(r"\1\2…\1", message.replace("?.", "?"))
    return message if len(message) <= LONGEST else f"{message[:LONGEST]}…"


def unknown_member(message: str) -> str | None:
    """The member that the message reports as not in its input object."""
    found = _UNKNOWN.search(message)
    return found[1] if found else None
