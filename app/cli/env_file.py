"""The settings file `.env`: the lines of its settings, and what is wrong with them."""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from io import StringIO
from pathlib import Path

import typer
from dotenv.parser import Binding, parse_stream

from app.errors import CommandFailed
from app.settings import Settings

FILE = Path(".env")

SETTINGS = [name.upper() for name in Settings.model_fields]

# How similar a name must be to that of a setting, from 0 to 1: one or two wrong letters.
SIMILAR = 0.8


def check_env_file() -> None:
    """Reports names that are similar to those of settings. Raises CommandFailed for a line that is
    not a setting."""
    for line, binding in _bindings():
        name = (binding.key or "").upper()
        if binding.error or (name and binding.value is None):
            raise CommandFailed(f"{FILE}, line {line}: must be NAME=VALUE.")
        if name and name not in SETTINGS and (similar := _similar(name)):
            typer.echo(
                f"rollcall: {FILE}, line {line}: {binding.key} is not a setting. "
                f"Did you mean {similar}?",
                err=True,
            )


def place(name: str) -> str:
    """The file and line that a setting is from, to precede a message about it."""
    if any(name == other.upper() for other in os.environ):
        return ""
    lines = [line for line, binding in _bindings() if (binding.key or "").upper() == name]
    return f"{FILE}, line {lines[-1]}: " if lines else ""


def _bindings() -> Iterator[tuple[int, Binding]]:
    """With the number of the line. Raises CommandFailed if the file is not text."""
    if not FILE.is_file():
        return
    content = FILE.read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CommandFailed(f"{FILE}, line {line}: must be text in UTF-8.") from error
    for binding in parse_stream(StringIO(text)):
        original = binding.original
        blank = original.string[: -len(original.string.lstrip()) or None]
        yield original.line + blank.count("\n"), binding


def _similar(name: str) -> str | None:
    return next(iter(get_close_matches(name, SETTINGS, n=1, cutoff=SIMILAR)), None)
