"""The public audits of GraphQL over HTTP (npm graphql-http), run against the real server."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import built, program
from tests.support.server import Server

HERE = Path(__file__).parent.parent / "node"
AUDITS: dict[str, str] = json.loads((HERE / "audits.json").read_text())


@pytest.fixture(scope="module")
def results(live_server: Server) -> dict[str, dict[str, str]]:
    built(HERE / "node_modules", "scripts/test")
    run = subprocess.run(
        [program("node"), "audits.mjs", f"{live_server.url}/graphql"],
        cwd=HERE,
        env={**os.environ, "API_KEY": live_server.key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return {result["id"]: result for result in map(json.loads, run.stdout.splitlines())}


def test_the_audits_run_are_the_61_listed(results: dict[str, dict[str, str]]) -> None:
    assert {audit: result["name"] for audit, result in results.items()} == AUDITS
    assert len(AUDITS) == 61


@pytest.mark.parametrize("audit", AUDITS, ids=lambda audit: f"{audit} {AUDITS[audit]}")
def test_audit(audit: str, results: dict[str, dict[str, str]]) -> None:
    assert results[audit]["status"] == "ok", results[audit].get("reason")
