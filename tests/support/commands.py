"""The commands of `rollcall`, run in this process."""

import re
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.cli import main
from app.settings import Settings

KEY = re.compile("rollcall_[0-9a-f]{72}")
READ = ("--scope", "contacts:read")


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Rollcall = Callable[..., Result]


@pytest.fixture
def rollcall(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Rollcall]:
    """Runs a command in this process, in a separate folder."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def run(*arguments: str, **environment: str) -> Result:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["rollcall", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
        code = ended.value.code or 0
        assert isinstance(code, int)
        return Result(code, *capsys.readouterr())

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def refused(result: Result, code: int = 1) -> str:
    """The one line on standard error."""
    assert (result.code, result.out) == (code, "")
    [line] = result.err.splitlines(keepends=True)
    assert line.startswith("rollcall: ")
    assert line.endswith("\n")
    return line.rstrip("\n")


def listed(run: Rollcall) -> list[dict[str, Any]]:
    result = run("key", "list", "--json")
    assert (result.code, result.err) == (0, "")
    keys: list[dict[str, Any]] = orjson.loads(result.out)
    return keys
