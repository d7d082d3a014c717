"""Cells that a spreadsheet would take for formulas, and the apostrophe that keeps it from that."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r]")


def defused(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def undefused(text: str) -> str:
    """The text that was defused; any other is unchanged."""
    return text[1:] if _DEFUSED.match(text) else text
