"""Finds the programs that some tests need. Without one, tests are skipped; in CI they fail."""

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest


def leave_out(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"in CI nothing may be left out: {reason}", pytrace=False)
    pytest.skip(f"left out: {reason}")


def program(name: str, *folders: str) -> str:
    """The path of a program on PATH, next to this Python, or in one of the folders."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join([beside, *folders]))
    return found or leave_out(f"{name} is not installed")


def built(path: Path, script: str) -> Path:
    """The path of the result of a script, such as an npm install."""
    return path if path.exists() else leave_out(f"{path.name} is not there; {script} makes it")
