"""`rollcall doctor`: what it checks, and what it says to do."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.cli import checks
from tests.support.commands import Rollcall
from tests.support.postgres import Cluster

NAMES = ["settings", "open files", "database", "migrations", "extensions", "disk", "clock"]

Doctor = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def doctor(rollcall: Rollcall) -> Doctor:
    def run(**environment: str) -> tuple[int, dict[str, Any]]:
        result = rollcall("doctor", "--json", **environment)
        assert result.err == ""
        return result.code, orjson.loads(result.out)

    return run


def wrong(answer: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["message"] for one in answer["checks"] if one["status"] == "wrong"}


def test_doctor_is_content_once_the_database_is_migrated(
    rollcall: Rollcall, doctor: Doctor, empty_url: str
) -> None:
    database = {"DATABASE_URL": empty_url}
    assert rollcall("migrate", **database).code == 0
    code, answer = doctor(**database)
    assert (code, answer["ok"]) == (0, True)
    assert [check["name"] for check in answer["checks"]] == NAMES
    assert answer["settings"]["DATABASE_POOL_SIZE"] == 10
    product = "SQLite" if "sqlite" in empty_url else "PostgreSQL"
    assert answer["checks"][2]["message"].startswith(product)


def test_each_line_for_people_is_ok_or_says_what_to_do(
    rollcall: Rollcall, cluster: Cluster
) -> None:
    origins = "https://a.example.com,https://b.example.com"
    result = rollcall(
        "doctor",
        DATABASE_URL=cluster.url("postgres"),
        PORT="9000",
        ALLOWED_ORIGINS=origins,
        INTROSPECTION="true",
    )
    assert (result.code, result.err) == (1, "")
    settings, lines = result.out.split("\n\n")
    for line in ("PORT=9000", f"ALLOWED_ORIGINS={origins}", "INTROSPECTION=true"):
        assert line in settings.splitlines()
    assert "HOST" not in settings
    [line] = [line for line in lines.splitlines() if line.startswith("wrong ")]
    assert line.split(maxsplit=2)[1:] == [
        "migrations",
        "The database does not have the schema of this version: run rollcall migrate.",
    ]


def test_doctor_reports_a_database_that_cannot_be_used_and_creates_none(
    doctor: Doctor, tmp_path: Path
) -> None:
    code, answer = doctor()
    assert (code, answer["ok"]) == (1, False)
    assert wrong(answer)["database"].startswith(f"The database {tmp_path / 'rollcall.db'} does no")
    assert list(tmp_path.iterdir()) == []
    _, answer = doctor(DATABASE_URL="postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    assert wrong(answer)["database"].startswith("PostgreSQL cannot be reached (")
    (tmp_path / "rollcall.db").write_bytes(b"junk" * 100)
    assert "not a database" in wrong(doctor()[1])["database"]


def test_doctor_reports_settings_disk_and_clock(
    rollcall: Rollcall, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollcall("migrate")
    monkeypatch.setattr(checks, "SPARE_BYTES", 10**18)
    monkeypatch.setattr(checks, "CLOCK_DIFFERENCE", -timedelta(seconds=1))
    code, answer = doctor(ENVIRONMENT="production", ALLOWED_ORIGINS="*")
    assert code == 1
    found = wrong(answer)
    assert list(found) == ["settings", "disk", "clock"]
    assert "ALLOWED_ORIGINS=*" in found["settings"]
    assert "make room for 1,000,000,000,000." in found["disk"]
    assert "NTP" in found["clock"]


@pytest.mark.parametrize(
    ("name", "url", "shown"),
    [
        ("DATABASE_URL", "postgresql+asyncpg://u:s3%40s3@h:1/d", "//u:***@h:1/d"),
        ("DATABASE_URL", "postgresql+asyncpg://u@/d?host=/s&password=s3", "?host=/s&password=***"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "https://h/x?api_key=s3&b=1",
            "https://h/x?api_key=***&b=1",
        ),
    ],
)
def test_secrets_in_urls_are_masked(
    rollcall: Rollcall, doctor: Doctor, name: str, url: str, shown: str
) -> None:
    _, answer = doctor(**{name: url})
    assert answer["settings"][name].endswith(shown)
    assert "s3" not in rollcall("doctor", **{name: url}).out
