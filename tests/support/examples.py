"""Commands and answers in the documentation, to be run and compared."""

import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.support.programs import program
from tests.support.server import Server

ROLLCALL = ".venv/bin/rollcall "

_THIS = f"{sys.executable} -m app "
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_GENERATED = re.compile(
    r"(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z)"
    r"|(?P<cursor>\bWy[IJ][\w-]+={0,2})"
)


@dataclass(frozen=True)
class Example:
    line: int
    command: str
    answer: str


class Generated:
    """The ids, times and cursors of one run, each named after its kind and first appearance.

    Two runs that differ only in such values are equal after the values are named.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def name(self, answer: str, command: str) -> str:
        """Values that the command itself sends are not generated and must be answered unchanged."""

        def named(found: re.Match[str]) -> str:
            value = found[0]
            if value not in self.names:
                if value in command:
                    return value
                self.names[value] = f"<{found.lastgroup} {len(self.names)}>"
            return self.names[value]

        return _GENERATED.sub(named, answer)

    def sent_by(self, other: "Generated", command: str) -> str:
        """The command of the other run with the values of this run."""
        values = {name: value for value, name in self.names.items()}
        for value, name in other.names.items():
            command = command.replace(value, values[name])
        return command


def examples(document: Path) -> list[Example]:
    text = document.read_text()
    found = []
    for block, following in pairwise([*_FENCE.finditer(text), None]):
        assert block is not None
        if block[1] in ("sh", "bash") and any(word in block[2] for word in ("curl ", ROLLCALL)):
            line = text.count("\n", 0, block.start()) + 1
            place = f"{document.name}:{line}"
            assert following is not None, f"{place}: no answer"
            assert following[1] in ("json", "text"), f"{place}: no answer"
            found.append(Example(line, block[2], following[2]))
    return found


def run(server: Server, command: str) -> str:
    """What a terminal shows of the command. The next ones have what it exports."""
    exported = server.folder / "exported.sh"
    exported.touch()
    script = f". ./{exported.name}\n{command.replace(ROLLCALL, _THIS)}\nexport -p >{exported.name}"
    done = subprocess.run(
        [program("bash"), "-euo", "pipefail", "-c", script],
        cwd=server.folder,
        env=server.environment | {"KEY": server.key, "NO_PROXY": "127.0.0.1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
