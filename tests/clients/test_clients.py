"""docs/clients.md: its files are written out as they are there and run against a real server."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.programs import built, program
from tests.support.server import Server

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DOCUMENT = (ROOT / "docs" / "clients.md").read_text()
FILES: dict[str, str] = dict(
    re.findall(r"^`([\w.-]+)`\n\n```\w+\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
)
TRUSTED = "built/trusted.test.cjs"  # needs a server with the manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with the files of the document and the schema."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    shutil.copy(ROOT / "schema.graphql", tmp_path)
    return tmp_path


def test_javascript_clients(folder: Path) -> None:
    packages = built(HERE / "node_modules", "scripts/packages tests/clients")
    (folder / "node_modules").symlink_to(packages)
    node = program("node")
    programs = sorted(path.name for path in HERE.glob("*.test.ts*"))
    for name in (*programs, "setup.ts", "tsconfig.json"):
        shutil.copy(HERE / name, folder)
    for generator in ("graphql-codegen", "relay-compiler", "tsc"):
        run(folder, node, str(packages / ".bin" / generator))
    run(folder, node, str(HERE / "bundle.mjs"), *programs)

    bundles = [f"built/{name.rpartition('.')[0]}.cjs" for name in programs]
    bundles.remove(TRUSTED)
    manifest = str(folder / "generated" / "persisted-documents.json")
    with serving(folder, GET_REQUESTS="false") as server:
        run_tests(server, *bundles)
    with serving(folder, TRUSTED_DOCUMENTS="only", TRUSTED_DOCUMENTS_MANIFEST=manifest) as server:
        run_tests(server, TRUSTED)


def test_python_clients(folder: Path, live_server: Server) -> None:
    python = str(built(ROOT / ".venv" / "clients" / "bin" / "python", "scripts/clients"))
    run(folder, python, "-m", "ariadne_codegen")
    for name in ("gql_client.py", "ariadne_client.py"):
        assert run(folder, python, name, **place(live_server)) == printed_by(name)


def printed_by(name: str) -> str:
    """What the program prints, as the document says below it."""
    after = DOCUMENT.partition(f"\n`{name}`\n")[2]
    return after.partition("\n```text\n")[2].partition("```\n")[0]


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[Server]:
    server = Server(folder, ENVIRONMENT="development", **environment)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def run_tests(server: Server, *bundles: str) -> None:
    options = ["--test", "--test-force-exit", "--test-reporter=spec"]
    run(server.folder, program("node"), *options, *bundles, **place(server))


def place(server: Server) -> dict[str, str]:
    """Where the programs find the server."""
    return {"ROLLCALL_URL": f"{server.url}/graphql", "ROLLCALL_KEY": server.key}


def run(folder: Path, *command: str, **environment: str) -> str:
    """What the command prints."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
