"""A file that says how far an import or export has come, for the next process to go on."""

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.errors import CommandFailed


def path_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.progress")


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """As a whole, so that a reader finds this state or the one before, also after a power cut."""
    new = path.with_name(f"{path.name}.new")
    with new.open("w") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load_state(path: Path, options: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """The digest of the options, which a state has to have as `options`, and the state if there is
    one. Raises CommandFailed for one of other options."""
    digest = sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()
    try:
        state = json.loads(path.read_text())
    except FileNotFoundError:
        return digest, None
    except ValueError as error:
        raise unreadable(path) from error
    if not isinstance(state, dict):
        raise unreadable(path)
    if state.get("options") != digest:
        raise CommandFailed(
            f"{path} was written with other options. Give the same options to go on, or remove the "
            "file to start again."
        )
    return digest, state


def require_written(file: Path, length: int, state: Path) -> None:
    """Raises CommandFailed if the file has fewer bytes, or was removed."""
    if length and not (file.exists() and file.stat().st_size >= length):
        raise CommandFailed(
            f"{file} has fewer bytes than were written to it. Put it back, or remove {state} to "
            "start again."
        )


def unreadable(path: Path) -> CommandFailed:
    return CommandFailed(f"{path} does not say how far the command has come. Remove it.")
